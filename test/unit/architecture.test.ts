// Holds the shape of the program: who may import whom, and where Bun, Deno, SQL, the environment and the clock may
// appear. Each rule is a function from sources to offences, and each has canaries: made-up sources that it must
// refuse and others that it must let pass, so that no rule passes because it looks at nothing.
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';

const root = join(import.meta.dir, '../..');

/** A path from the root of the repository, with its text. */
type Source = { path: string; text: string };

type Import = { specifier: string; line: number; typeOnly: boolean };

type Module = {
  path: string;
  /** The text with comments blanked. Same length and lines as the file. */
  uncommented: string;
  /** The text with comments and what is inside strings blanked. Same length and lines as the file. */
  code: string;
  imports: Import[];
};

type Rule = {
  name: string;
  check: (modules: readonly Module[]) => string[];
  /** Each set of sources must give at least one offence. */
  refused: Source[][];
  /** Together they must give none. */
  accepted: Source[];
};

// ---------------------------------------------------------------------------------------------------------------
// Levels (DESIGN §9). Imports, also of types, point to a lower line only, or stay in their folder.

const levels = [
  ['main'],
  ['appliance'],
  ['web', 'cli'],
  ['proxy', 'library', 'access', 'offline', 'upkeep', 'settings', 'dlna', 'stremio'],
  ['scheduler'],
  ['chunks'],
  ['db', 'sources', 'runtime'],
  ['bytes', 'errors', 'assert', 'clock', 'log', 'words', 'limits', 'options', 'option-values', 'config', 'yield-turn'],
];

/** What the arrows do not say: commands start the appliance, and the nouns at the bottom may speak of each other. */
const sideways: Record<string, readonly string[]> = {
  cli: ['appliance'],
  ...Object.fromEntries((levels.at(-1) ?? []).map((area) => [area, levels.at(-1) ?? []])),
};

/** What lies outside of src, and who may look at it. The longest prefix that fits decides. */
const outside: Record<string, readonly string[]> = {
  'views/': ['web'],
  'views/assets/': ['web', 'runtime', 'main'],
  'migrations/': ['db', 'runtime', 'appliance', 'cli', 'main'],
  'test/fixtures/sample-library/': ['cli', 'runtime', 'main'],
  'node_modules/': ['web', 'runtime', 'main'],
  'package.json': ['web', 'cli', 'runtime', 'appliance', 'main'],
};

/** Files besides src/clock.ts and src/runtime that may read the clock or set a timer, each with its reason. */
const clockExceptions: Record<string, string> = {};

// ---------------------------------------------------------------------------------------------------------------
// Reading sources

/**
 * Blanks comments, and in `code` what is inside strings. Not a parser: a quote that is not closed on its line is
 * taken for an apostrophe in JSX text, and a slash starts a regular expression only where a value may stand.
 */
function blank(text: string): { uncommented: string; code: string } {
  const uncommented = text.split('');
  const code = text.split('');
  const templates: number[] = []; // for each open `${`, how many braces are open inside it
  let at = 0;
  const erase = (to: number, ...targets: string[][]) => {
    for (; at < to; at += 1) for (const target of targets) if (target[at] !== '\n') target[at] = ' ';
  };
  const skipTemplate = () => {
    const end = endOfTemplatePart(text, at);
    erase(end, code);
    if (text.startsWith('${', at)) templates.push(0);
    at += text.startsWith('${', at) ? 2 : 1;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const character = rest[0] ?? '';
    const open = templates.length - 1;
    if (rest === '//') erase(endOr(text.indexOf('\n', at), text), uncommented, code);
    else if (rest === '/*') erase(endOr(text.indexOf('*/', at) + 2, text, 2), uncommented, code);
    else if (character === '`') {
      at += 1;
      skipTemplate();
    } else if (character === '}' && templates[open] === 0) {
      templates.pop();
      at += 1;
      skipTemplate();
    } else if (character === "'" || character === '"' || (character === '/' && startsRegExp(text, at))) {
      const end = endOfQuoted(text, at);
      at += 1;
      if (end > 0) {
        erase(end, code);
        at += 1;
      }
    } else {
      if (open >= 0 && character === '{') templates[open] = (templates[open] ?? 0) + 1;
      if (open >= 0 && character === '}') templates[open] = (templates[open] ?? 0) - 1;
      at += 1;
    }
  }
  return { uncommented: uncommented.join(''), code: code.join('') };
}

function endOr(index: number, text: string, missing = 0): number {
  return index < missing || index < 0 ? text.length : index;
}

function endOfTemplatePart(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

/** Where the closing quote or slash is; 0 when there is none on this line. */
function endOfQuoted(text: string, from: number): number {
  const quote = text[from];
  let inClass = false;
  for (let at = from + 1; at < text.length && text[at] !== '\n'; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (quote === '/' && character === '[') inClass = true;
    else if (quote === '/' && character === ']') inClass = false;
    else if (character === quote && !inClass) return at;
  }
  return 0;
}

function startsRegExp(text: string, at: number): boolean {
  if (text[at + 1] === '>') return false; // the end of a JSX tag
  const before = text.slice(Math.max(0, at - 20), at).trimEnd();
  return before === '' || /[(,=:[!&|?{};+*%~^-]$|\b(?:return|typeof|case|in|of)$/.test(before);
}

const importPatterns = [
  /(?<keyword>import|export)\b\s*(?<type>type\s+(?!from\b))?(?<names>[\w$*\s{},]*?)\bfrom\s*['"](?<at>[^'"\n]+)['"]/y,
  /(?<keyword>import)\s*['"](?<at>[^'"\n]+)['"]/y,
  /(?<keyword>import|require)\s*\(\s*['"](?<at>[^'"\n]+)['"]/y,
];

function readImports(uncommented: string, code: string): Import[] {
  const imports: Import[] = [];
  for (const { index } of code.matchAll(/(?<![.\w$])(?:import|export|require)\b/g)) {
    for (const pattern of importPatterns) {
      pattern.lastIndex = index;
      const groups = pattern.exec(uncommented)?.groups;
      if (!groups?.at) continue;
      const typeOnly = groups.type !== undefined || namesTypesOnly(groups.names) || isTypeQuery(code, index);
      imports.push({ specifier: groups.at, line: lineAt(code, index), typeOnly });
      break;
    }
  }
  return imports;
}

function namesTypesOnly(names = ''): boolean {
  const inBraces = /^\s*\{(.*)\}\s*$/s.exec(names)?.[1];
  const parts = inBraces?.split(',').filter((part) => part.trim() !== '') ?? [];
  return parts.length > 0 && parts.every((part) => /^\s*type\s/.test(part));
}

function isTypeQuery(code: string, index: number): boolean {
  return /\btypeof\s+$/.test(code.slice(Math.max(0, index - 12), index));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function toModule({ path, text }: Source): Module {
  const { uncommented, code } = blank(text);
  return { path, uncommented, code, imports: readImports(uncommented, code) };
}

function readSources(): Source[] {
  const paths = ['src', 'views', 'migrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  return [...paths, 'build.ts']
    .filter((path) => /\.tsx?$/.test(path) && existsSync(join(root, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The path that a relative specifier means; undefined for packages. */
function resolve(module: Module, { specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(module.path), specifier) : undefined;
}

/** 'src/db/entries.ts' → 'db', 'src/clock.ts' → 'clock'; main.ts and worker.ts are one; undefined outside of src. */
function areaOf(path: string): string | undefined {
  const area = /^src\/([^/.]+)/.exec(path)?.[1];
  return area === 'worker' ? 'main' : area;
}

// ---------------------------------------------------------------------------------------------------------------
// Checks

function checkDirection(modules: readonly Module[]): string[] {
  return modules.flatMap((module) => {
    const from = areaOf(module.path);
    if (from === undefined) return [];
    if (levelOf(from) < 0) return [`${module.path}:1: "${from}" has no level: give it one in architecture.test.ts`];
    return module.imports.flatMap((entry) => {
      const to = resolve(module, entry);
      if (to === undefined || mayImport(from, to)) return [];
      return [`${module.path}:${entry.line}: "${from}" must not import ${to}`];
    });
  });
}

function levelOf(area: string): number {
  return levels.findIndex((level) => level.includes(area));
}

function mayImport(from: string, path: string): boolean {
  const to = areaOf(path);
  if (to !== undefined) return from === to || levelOf(from) < levelOf(to) || (sideways[from]?.includes(to) ?? false);
  const prefixes = Object.keys(outside).filter((prefix) => path.startsWith(prefix));
  const longest = prefixes.sort((one, other) => other.length - one.length)[0];
  return longest !== undefined && (outside[longest]?.includes(from) ?? false);
}

function checkCycles(modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const offences: string[] = [];
  const visit = (module: Module, trail: string[]) => {
    const start = trail.indexOf(module.path);
    if (start >= 0) offences.push(`${module.path}:1: import cycle ${[...trail.slice(start), module.path].join(' > ')}`);
    if (start >= 0 || done.has(module.path)) return;
    for (const entry of module.imports.filter(({ typeOnly }) => !typeOnly)) {
      const next = byPath.get(resolve(module, entry) ?? '');
      if (next) visit(next, [...trail, module.path]);
    }
    done.add(module.path);
  };
  for (const module of modules) visit(module, []);
  return offences;
}

function checkViewImports(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => path.startsWith('views/'))
    .flatMap((module) =>
      module.imports
        .filter((entry) => entry.specifier !== 'hono/jsx' && !resolve(module, entry)?.startsWith('views/'))
        .map((entry) => `${module.path}:${entry.line}: a view must not import ${entry.specifier}`),
    );
}

function checkFileNames(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path }) => {
    const name = basename(path).replace(/(\.d)?\.tsx?$/, '');
    if (/^(utils?|helpers?|common|misc)$/.test(name)) return [`${path}:1: a file is named after what it exports`];
    return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}:1: file names are kebab-case`];
  });
}

type Appearance = { what: string; allowed: (path: string) => boolean; in: 'code' | 'uncommented'; pattern: RegExp };

/** Offences where `pattern` appears in a file that is not allowed to have it. */
function checkAppearance({ what, allowed, in: view, pattern }: Appearance): Rule['check'] {
  return (modules) =>
    modules
      .filter(({ path }) => !allowed(path))
      .flatMap((module) =>
        [...module[view].matchAll(pattern)].map(
          ({ 0: found, index }) => `${module.path}:${lineAt(module[view], index)}: ${what} (${found.trim()})`,
        ),
      );
}

function checkPackages(what: string, pattern: RegExp, allowed: (path: string) => boolean): Rule['check'] {
  return (modules) =>
    modules
      .filter(({ path }) => !allowed(path))
      .flatMap((module) =>
        module.imports
          .filter(({ specifier }) => pattern.test(specifier))
          .map(({ specifier, line }) => `${module.path}:${line}: ${what} (${specifier})`),
      );
}

function both(...checks: Rule['check'][]): Rule['check'] {
  return (modules) => checks.flatMap((check) => check(modules));
}

function isIn(...prefixes: string[]): (path: string) => boolean {
  return (path) => prefixes.some((prefix) => path.startsWith(prefix));
}

const clockPattern =
  /\bDate\.now\b|\bnew Date\b(?!\s*\(\s*[^\s)])|\bperformance\.(?:now|timeOrigin)\b|(?:(?<![.\w$])|\bglobalThis\.)(?:setTimeout|setInterval)\b/g;
const sqlPattern =
  /\bSELECT\s|\bINSERT\s+(?:OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\b(?:CREATE|DROP|ALTER)\s+(?:TABLE|INDEX|UNIQUE|TRIGGER|VIEW|VIRTUAL)\b|\bPRAGMA\s|\bVACUUM\b|\bBEGIN\s+(?:IMMEDIATE|EXCLUSIVE)\b/g;
const runtimePattern =
  /(?<![.\w$])(?:Bun|Deno)\s*(?:\?\.|\.|\[)|\b(?:typeof\s+|globalThis\.)(?:Bun|Deno)\b|\bprocess\.versions\.(?:bun|deno)\b|\bimport\.meta\.(?:dir|path|file)\b/g;

const one = (path: string, text: string): Source[] => [{ path, text }];

const rules: Rule[] = [
  {
    name: 'imports point downwards',
    check: checkDirection,
    refused: [
      one('src/chunks/a.ts', "import { b } from '../scheduler/b.ts';"),
      one('src/chunks/a.ts', "import type { B } from '../scheduler/b.ts';"),
      one('src/chunks/a.ts', "export {\n  b,\n} from '../web/b.ts';"),
      one('src/chunks/a.ts', "const b = await import('../proxy/b.ts');"),
      one('src/bytes/a.ts', "import '../db/b.ts';"),
      one('src/db/a.ts', "import { b } from '../sources/b.ts';"),
      one('src/proxy/a.ts', "import { b } from '../upkeep/b.ts';"),
      one('src/web/a.ts', "import { b } from '../cli/b.ts';"),
      one('src/web/a.ts', "import { b } from '../appliance.ts';"),
      one('src/appliance.ts', "import { b } from './main.ts';"),
      one('src/proxy/a.tsx', "import { HomePage } from '../../views/pages/home.tsx';"),
      one('src/web/a.ts', "import { b } from '../../test/support/b.ts';"),
      one('src/newcomer/a.ts', 'export const a = 1;'),
    ],
    accepted: [
      ...one('src/main.ts', "import { a } from './appliance.ts';"),
      ...one('src/cli/a.ts', "import { a } from '../appliance.ts';\nimport { b } from '../config.ts';"),
      ...one(
        'src/web/a.tsx',
        "import { HomePage } from '../../views/pages/home.tsx';\nimport { b } from '../proxy/b.ts';",
      ),
      ...one(
        'src/scheduler/a.ts',
        "// import { b } from '../web/b.ts';\nconst text = \"import b from '../web/b.ts'\";",
      ),
      ...one('src/chunks/a.ts', "import { b } from './b.ts';\nimport { c } from '../bytes/c.ts';"),
      ...one('src/clock.ts', "import { a } from './assert.ts';"),
    ],
  },
  {
    name: 'value imports have no cycle',
    check: checkCycles,
    refused: [
      [
        { path: 'src/db/a.ts', text: "import { b } from './b.ts';" },
        { path: 'src/db/b.ts', text: "import { type D, c } from './c.ts';" },
        { path: 'src/db/c.ts', text: "export * from './a.ts';" },
      ],
      one('src/db/a.ts', "import { a } from './a.ts';"),
    ],
    accepted: [
      { path: 'src/db/a.ts', text: "import { b } from './b.ts';" },
      { path: 'src/db/b.ts', text: "import type { A } from './a.ts';\nimport { type B, type C } from './a.ts';" },
    ],
  },
  {
    name: 'only src/runtime and build.ts name Bun or Deno',
    check: both(
      checkAppearance({
        what: 'names Bun or Deno',
        allowed: isIn('src/runtime/', 'build.ts'),
        in: 'code',
        pattern: runtimePattern,
      }),
      checkPackages('imports from Bun', /^bun(:|$)/, isIn('src/runtime/', 'build.ts')),
    ),
    refused: [
      one('src/web/a.ts', 'Bun.serve({});'),
      one('src/web/a.ts', `const text = \`a \${Bun.file('b')} c\`;`),
      one('src/web/a.ts', "if (typeof Deno !== 'undefined') b();"),
      one('src/db/a.ts', "import { Database } from 'bun:sqlite';"),
      one('views/a.tsx', "export const A = () => <p>It's {Bun.version}</p>;"),
    ],
    accepted: [
      ...one('src/runtime/a.ts', 'Bun.file(b);'),
      ...one(
        'src/web/a.ts',
        "// Bun.serve cuts\n/* Deno.serve */ const text = 'Bun.serve'; const other = `Bun.serve`;",
      ),
      ...one('src/web/a.ts', 'const slash = /[/"]Bun.x/; // a quote in a regular expression is not a string'),
    ],
  },
  {
    name: 'only src/db and migrations speak SQL',
    check: both(
      checkAppearance({
        what: 'SQL',
        allowed: isIn('src/db/', 'migrations/'),
        in: 'uncommented',
        pattern: sqlPattern,
      }),
      checkAppearance({ what: 'SQL', allowed: isIn('src/db/', 'migrations/'), in: 'code', pattern: /\bsql`/g }),
      checkPackages('database package', /^(drizzle-orm|@libsql\/client|libsql)(\/|$)/, isIn('src/db/', 'migrations/')),
    ),
    refused: [
      one('src/chunks/a.ts', "run('SELECT 1');"),
      one('src/chunks/a.ts', 'run(`\n  INSERT OR IGNORE INTO a VALUES (1)`);'),
      one('src/upkeep/a.ts', "run('PRAGMA wal_checkpoint');"),
      one('src/chunks/a.ts', 'run(sql`x`);'),
      one('src/proxy/a.ts', "import { eq } from 'drizzle-orm';"),
      one('src/proxy/a.ts', "import type { Client } from '@libsql/client/sqlite3';"),
    ],
    accepted: [
      ...one('src/db/a.ts', "import { sql } from 'drizzle-orm';\nrun(sql`SELECT 1`);"),
      ...one('src/proxy/a.ts', "// SELECT 1\nif (method === 'DELETE') update('select a file');"),
    ],
  },
  {
    name: 'only src/runtime, src/config.ts and src/cli read the environment',
    check: both(
      checkAppearance({
        what: 'reads the environment',
        allowed: isIn('src/runtime/', 'src/config.ts', 'src/cli/'),
        in: 'code',
        pattern: /\bprocess\s*\??\.\s*env\b|\benv\b[^}\n]*\}\s*=\s*process\b/g,
      }),
      checkAppearance({
        what: 'reads the environment',
        allowed: isIn('src/runtime/', 'src/config.ts', 'src/cli/'),
        in: 'uncommented',
        pattern: /\benv\b[^}\n]*\}\s*from\s*['"](?:node:)?process['"]/g,
      }),
    ),
    refused: [
      one('src/db/a.ts', 'const home = process.env.HOME;'),
      one('src/db/a.ts', 'const { env } = process;'),
      one('src/db/a.ts', "import { env } from 'node:process';"),
      one('build.ts', 'const home = process.env.HOME;'),
    ],
    accepted: [
      ...one('src/config.ts', 'const home = process.env.HOME;'),
      ...one('src/db/a.ts', "import { env } from './env.ts';\nconst text = 'process.env.HOME', given = options.env;"),
    ],
  },
  {
    name: 'only src/clock.ts and src/runtime know the time',
    check: both(
      checkAppearance({
        what: 'uses the clock: take a Clock',
        allowed: (path) => isIn('src/clock.ts', 'src/runtime/')(path) || path in clockExceptions,
        in: 'code',
        pattern: clockPattern,
      }),
      checkPackages('uses timers: take a Clock', /^(node:)?timers(\/|$)/, isIn('src/clock.ts', 'src/runtime/')),
    ),
    refused: [
      one('src/db/a.ts', 'const now = Date.now();'),
      one('src/db/a.ts', 'const now = new Date();'),
      one('src/db/a.ts', 'const now = new Date;'),
      one('src/db/a.ts', 'const now = performance.now();'),
      one('src/db/a.ts', 'setTimeout(b, 5);'),
      one('src/db/a.ts', 'globalThis.setInterval(b, 5);'),
      one('src/db/a.ts', "import { setTimeout as sleep } from 'node:timers/promises';"),
    ],
    accepted: [
      ...one('src/clock.ts', 'export const nowMs = () => Date.now();'),
      ...one('src/db/a.ts', 'const moment = new Date(atMs); socket.setTimeout(5); clock.setTimer(b);'),
    ],
  },
  {
    name: 'views import views and hono/jsx only',
    check: checkViewImports,
    refused: [
      one('views/parts/a.tsx', "import { b } from '../../src/bytes/b.ts';"),
      one('views/parts/a.tsx', "import type { B } from '../../src/bytes/b.ts';"),
      one('views/parts/a.tsx', "import { raw } from 'hono/html';"),
    ],
    accepted: one('views/parts/a.tsx', "import type { Child } from 'hono/jsx';\nimport { b } from '../b.ts';"),
  },
  {
    name: 'views put no unescaped text on a page',
    check: checkAppearance({
      what: 'unescaped text',
      allowed: (path) => !path.startsWith('views/') && !path.startsWith('src/web/'),
      in: 'code',
      pattern: /(?<![.\w$])raw\(|\bdangerouslySetInnerHTML\b/g,
    }),
    refused: [
      one('views/a.tsx', 'export const A = () => <p>{raw(b)}</p>;'),
      one('views/a.tsx', 'export const A = () => <p dangerouslySetInnerHTML={{ __html: b }} />;'),
    ],
    accepted: one('views/a.tsx', 'export const A = () => <p>{b}</p>;'),
  },
  {
    name: 'there are no default exports',
    check: checkAppearance({
      what: 'default export',
      // A declaration file says what importing an SQL file or an asset gives, and that is a default export.
      allowed: (path) => path.endsWith('.d.ts'),
      in: 'code',
      pattern: /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g,
    }),
    refused: [one('src/db/a.ts', 'export default 1;'), one('src/db/a.ts', 'const a = 1;\nexport { a as default };')],
    accepted: one('src/db/a.ts', "export const a = 'export default';"),
  },
  {
    name: 'files are named after what they hold',
    check: checkFileNames,
    refused: [
      one('src/db/utils.ts', ''),
      one('src/db/misc.tsx', ''),
      one('src/db/chunkStore.ts', ''),
      one('views/parts/Entry.tsx', ''),
    ],
    accepted: [...one('src/db/chunk-store.ts', ''), ...one('migrations/text.d.ts', '')],
  },
];

const modules = readSources().map(toModule);

describe('architecture', () => {
  test('there is something to look at', () => {
    expect(modules.filter(({ path }) => path.startsWith('src/')).length).toBeGreaterThan(10);
    expect(modules.filter(({ path }) => path.startsWith('views/')).length).toBeGreaterThan(10);
    expect(modules.flatMap(({ imports }) => imports).length).toBeGreaterThan(50);
  });

  for (const rule of rules) {
    test(rule.name, () => {
      expect(rule.check(modules).join('\n')).toBe('');
    });
    test(`${rule.name}: the check itself finds what it is for, and only that`, () => {
      for (const sources of rule.refused) {
        expect([sources, rule.check(sources.map(toModule)).length > 0]).toEqual([sources, true]);
      }
      expect(rule.check(rule.accepted.map(toModule))).toEqual([]);
    });
  }

  test('every exception to the clock rule is still needed', () => {
    const used = modules.filter(({ code }) => code.search(clockPattern) >= 0).map(({ path }) => path);
    for (const path of Object.keys(clockExceptions)) expect(used).toContain(path);
  });

  test('every relative import exists', () => {
    const missing = modules.flatMap((module) =>
      module.imports.flatMap((entry) => {
        const path = resolve(module, entry);
        return path === undefined || existsSync(join(root, path)) ? [] : [`${module.path}:${entry.line}: ${path}`];
      }),
    );
    expect(missing).toEqual([]);
  });
});

describe('dependencies', () => {
  test('the README names every dependency', () => {
    const readme = join(root, 'README.md');
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const names = Object.keys({ ...dependencies, ...devDependencies });
    expect(names.length).toBeGreaterThan(5);
    expect(unnamedIn('| `hono` | web |', ['hono', 'ky'])).toEqual(['ky']);
    if (!existsSync(readme)) return; // before the first commit only
    expect(unnamedIn(readFileSync(readme, 'utf8'), names)).toEqual([]);
  });
});

/** The names that are not in the first cell of a table's row, in backticks or as a link. */
function unnamedIn(readme: string, names: readonly string[]): string[] {
  const cells = readme.split('\n').flatMap((line) => /^\|([^|]*)\|/.exec(line)?.[1] ?? []);
  const named = new Set(cells.flatMap((cell) => cell.match(/[@\w][\w./@-]*/g) ?? []));
  return names.filter((name) => !named.has(name));
}
