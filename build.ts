// Compiles the one executable: worker, migrations, views, assets, sample films and the libSQL add-on of the target are
// inside, and nothing beside it is needed.
//
//   build.ts [--target linux-x64|linux-arm64|linux-x64-musl|linux-arm64-musl] [--outfile FILE] [--if-stale]
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, zstdCompressSync } from 'node:zlib';
import type { BunPlugin } from 'bun';
import packageJson from './package.json' with { type: 'json' };
import { collectLicences } from './src/runtime/licences.ts';

const root = import.meta.dir;

/** The path of a program's loader stands within its first page. */
const ELF_START_BYTES = 4_096;

interface Target {
  readonly bun: `bun-linux-${'x64' | 'arm64'}${'' | '-musl'}`;
  /** Packages of the npm registry that hold what is put into the binary. */
  readonly bunPackage: string;
  readonly addonPackage: string;
}

const targets: Readonly<Record<string, Target>> = {
  'linux-x64': { bun: 'bun-linux-x64', bunPackage: '@oven/bun-linux-x64', addonPackage: '@libsql/linux-x64-gnu' },
  'linux-arm64': {
    bun: 'bun-linux-arm64',
    bunPackage: '@oven/bun-linux-aarch64',
    addonPackage: '@libsql/linux-arm64-gnu',
  },
  'linux-x64-musl': {
    bun: 'bun-linux-x64-musl',
    bunPackage: '@oven/bun-linux-x64-musl',
    addonPackage: '@libsql/linux-x64-musl',
  },
  'linux-arm64-musl': {
    bun: 'bun-linux-arm64-musl',
    bunPackage: '@oven/bun-linux-aarch64-musl',
    addonPackage: '@libsql/linux-arm64-musl',
  },
};

/** Whether the Bun that runs this is linked with musl: its loader alone may lie on a glibc machine, too. */
function isMusl(): boolean {
  const start = Buffer.alloc(ELF_START_BYTES);
  const file = openSync(process.execPath, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.includes('/ld-musl-');
}

function hostTarget(): string {
  return `linux-${process.arch}${isMusl() ? '-musl' : ''}`;
}

function lockedPackage(name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity?: string } | undefined>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (entry?.integrity === undefined) throw new Error(`${name} is not in package-lock.json: run "npm install"`);
  return { version: entry.version, integrity: entry.integrity };
}

/** The folder of a package of the lock file: installed, or, when it is for another platform, fetched and checked. */
function packageFolder(name: string): string {
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const { version, integrity } = lockedPackage(name);
  const cached = join(root, 'node_modules', '.cache', 'larder', `${name.replaceAll('/', '-')}-${version}`);
  if (existsSync(cached)) return join(cached, 'package');
  console.log(`fetching ${name}@${version} for the target`);
  mkdirSync(dirname(cached), { recursive: true });
  const folder = mkdtempSync(`${cached}-`);
  try {
    const packed = Bun.spawnSync(['npm', 'pack', '--silent', '--pack-destination', folder, `${name}@${version}`], {
      cwd: root,
    });
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    if (!packed.success || archive === undefined) {
      throw new Error(`npm pack ${name}@${version} failed: ${packed.stderr.toString().trim()}`);
    }
    const digest = createHash('sha512')
      .update(readFileSync(join(folder, archive)))
      .digest('base64');
    if (`sha512-${digest}` !== integrity) throw new Error(`${name}@${version} is not what package-lock.json names`);
    const unpacked = Bun.spawnSync(['tar', '-xzf', join(folder, archive), '-C', folder]);
    if (!unpacked.success) throw new Error(`tar failed: ${unpacked.stderr.toString().trim()}`);
    rmSync(join(folder, archive));
    renameSync(folder, cached);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return join(cached, 'package');
}

/** Replaces exactly one place, or fails: a new version of a package may have moved what is patched. */
function replaceOnce(text: string, pattern: RegExp, replacement: string, what: string): string {
  const found = text.match(new RegExp(pattern.source, `${pattern.flags}g`))?.length ?? 0;
  if (found !== 1) throw new Error(`cannot patch ${what}: its pattern was found ${found} times`);
  return text.replace(pattern, () => replacement);
}

/** Null where git or its folder is not there, as in an unpacked archive. */
function findCommit(): string | null {
  const git = (...args: string[]) => {
    const result = Bun.spawnSync(['git', ...args], { cwd: root, stderr: 'ignore' });
    return result.success ? result.stdout.toString().trim() : null;
  };
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return commit === null ? null : `${commit}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return null; // there is no git
  }
}

/** What src/runtime/embedded.ts is in the binary: the same names, with the files inside. */
function embeddedModule(addonFile: string, target: string): string {
  const folder = join(root, 'test/fixtures/sample-library');
  const films = readdirSync(folder).sort();
  const imports = films.map(
    (name, index) => `import film${index} from ${JSON.stringify(join(folder, name))} with { type: 'file' };`,
  );
  const addon = readFileSync(addonFile);
  const digest = createHash('sha256').update(addon).digest('hex');
  // Compressed: reading it from the binary would otherwise keep ten megabytes of it in memory. Zstandard is unpacked in
  // half of the time that gzip takes, before the first start can listen; above level 9 it takes longer again.
  const compressed = join(mkdtempSync(join(tmpdir(), 'larder-build-')), 'libsql.node.zst');
  const params = { [constants.ZSTD_c_compressionLevel]: 9 };
  writeFileSync(compressed, zstdCompressSync(addon, { params }));
  return `import addonFile from ${JSON.stringify(compressed)} with { type: 'file' };
${imports.join('\n')}
export const embeddedAddon = { file: addonFile, sizeBytes: ${addon.length}, digest: '${digest}' };
export const sampleFilms = { ${films.map((name, index) => `${JSON.stringify(name)}: film${index}`).join(', ')} };
export const buildVersion = ${JSON.stringify(packageJson.version)};
export const buildTarget = ${JSON.stringify(target)};
export const buildCommit = ${JSON.stringify(findCommit())};
const allLicences = ${JSON.stringify(collectLicences(root, Bun.version))};
export function licences() { return allLicences; }`;
}

function embedding(addonFile: string, target: string): BunPlugin {
  return {
    name: 'larder-embedding',
    setup(builder) {
      builder.onLoad({ filter: /\/src\/runtime\/embedded\.ts$/ }, () => ({
        contents: embeddedModule(addonFile, target),
        loader: 'js',
      }));
      // libsql asks for its add-on by a computed name; ours was loaded by src/runtime/native-addon.ts before.
      builder.onLoad({ filter: /\/node_modules\/libsql\/index\.js$/ }, (file) => {
        let text = readFileSync(file.path, 'utf8');
        text = replaceOnce(
          text,
          /const \{ load, currentTarget \} = require\("@neon-rs\/load"\);\n/,
          '',
          'libsql (loader)',
        );
        text = replaceOnce(
          text,
          /const \{ familySync, GLIBC, MUSL \} = require\("detect-libc"\);\n/,
          '',
          'libsql (libc)',
        );
        text = replaceOnce(
          text,
          /function requireNative\(\) \{[\s\S]*?\n\}\n/,
          'function requireNative() { return globalThis[Symbol.for("larder.libsql")]; }\n',
          'libsql (requireNative)',
        );
        return { contents: text, loader: 'js' };
      });
    },
  };
}

function newestChange(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

function isStale(outfile: string): boolean {
  if (!existsSync(outfile)) return true;
  const inputs = [
    'src',
    'views',
    'migrations',
    'build.ts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'test/fixtures/sample-library',
  ];
  return inputs.some((input) => newestChange(join(root, input)) > statSync(outfile).mtimeMs);
}

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: hostTarget() },
    outfile: { type: 'string' },
    'if-stale': { type: 'boolean', default: false },
  },
});
const target = targets[values.target];
if (target === undefined) {
  console.error(`no target ${values.target}: use one of ${Object.keys(targets).join(', ')}`);
  process.exit(2);
}
const isHost = values.target === hostTarget();
const outfile = values.outfile ?? join(root, 'dist', isHost ? 'larder' : `larder-${values.target}`);
if (values['if-stale'] && !isStale(outfile)) process.exit(0);

mkdirSync(dirname(outfile), { recursive: true });
// Beside its place, then renamed: a binary that runs may not be written to.
const temporary = `${outfile}.new`;
const addonFile = join(packageFolder(target.addonPackage), 'index.node');
const result = await Bun.build({
  entrypoints: [join(root, 'src/main.ts'), join(root, 'src/worker.ts')],
  minify: true,
  // A start runs what was compiled here instead of parsing the program: half of its time. Only as `esm`: as CommonJS a
  // worker's address would be that of its source (oven-sh/bun#40903).
  bytecode: true,
  format: 'esm',
  // What is imported when it is asked for stays beside what is needed to listen, so that a start does not parse it.
  splitting: true,
  plugins: [embedding(addonFile, values.target)],
  compile: {
    target: target.bun,
    // From the registry by the lock file, so that the build fetches nothing by itself.
    executablePath: join(packageFolder(target.bunPackage), 'bin', 'bun'),
    outfile: temporary,
    // A .env or bunfig.toml in the working directory must not run code in us (facts/packaging.md, finding 5).
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
});
if (!result.success) {
  for (const line of result.logs) console.error(line);
  process.exit(1);
}
renameSync(temporary, outfile);
console.log(`${outfile} (${values.target}, ${(statSync(outfile).size / 1e6).toFixed(0)} MB)`);
