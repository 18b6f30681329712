import { describeFallback, options, settingNames } from '../options.ts';

const WIDTH = 100;
const INDENT = ' '.repeat(6);

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The options as `larder help serve` shows them. */
export function optionHelp(): string {
  const lines = ['Options (each may also be set in the environment or in the file given with --config):', ''];
  for (const name of settingNames) {
    const option = options[name];
    const spelling = option.secret === true ? `${option.flag} in the file` : `--${option.flag} ${option.placeholder}`;
    lines.push(`  ${spelling}  (${option.variable}, default ${describeFallback(name)})`);
    for (const line of wrap(option.description)) lines.push(`${INDENT}${line}`);
  }
  lines.push('  --config FILE  (LARDER_CONFIG)');
  lines.push(`${INDENT}TOML, or JSON when its name ends in .json, with the same names: port = 8420`);
  lines.push('', 'Precedence: flag, environment, file, what was changed on the pages, default.');
  return lines.join('\n');
}

/** The options as the README shows them. */
export function optionTable(): string {
  const rows = settingNames.map((name) => {
    const option = options[name];
    const placeholder = option.placeholder.replaceAll('|', '\\|');
    const spelling = option.secret === true ? `\`${option.flag}\` in the file` : `\`--${option.flag} ${placeholder}\``;
    return `| ${spelling} | \`${option.variable}\` | ${describeFallback(name)} | ${option.description} |`;
  });
  return ['| option | variable | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
