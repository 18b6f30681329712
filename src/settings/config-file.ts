// The settings as a configuration file that `--config` takes: for another machine, or to fix them outside.
import { stringify } from 'smol-toml';
import { options, settingGroups } from '../options.ts';
import type { SettingState } from './settings-service.ts';

/** Sources and secrets are left out as far as they hold credentials, which a file to hand around must not have. */
export function toConfigFile(states: readonly SettingState[], version: string): string {
  const lines = [
    `# Settings of Larder ${version}, for larder serve --config FILE.`,
    '# What is commented out has its default. Passwords and tokens are never written here.',
  ];
  for (const [group, title] of Object.entries(settingGroups)) {
    const members = states.filter((state) => state.group === group);
    if (members.length > 0) lines.push('', `# ${title}`);
    for (const state of members) lines.push(...linesOf(state));
  }
  return `${lines.join('\n')}\n`;
}

function linesOf(state: SettingState): string[] {
  if (state.isSecret) return state.isSet ? [`# ${state.flag}: is set, and not shown`] : [];
  const hides = options[state.name].display !== undefined && state.texts.some((text) => text.includes('***'));
  const line = stringify({ [state.flag]: tomlValue(state) }).trimEnd();
  if (hides) return [`# ${line}`, '# ^ fill in the credentials that are hidden as ***'];
  return [state.isSet ? line : `# ${line}`];
}

/** Numbers and switches as TOML has them. */
function tomlValue({ repeatable, texts, input }: SettingState): string | number | boolean | readonly string[] {
  if (repeatable) return [...texts];
  const [text = ''] = texts;
  if (input.kind === 'number') return Number(text);
  return input.kind === 'switch' ? text === 'on' : text;
}
