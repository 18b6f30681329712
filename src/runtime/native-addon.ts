// The libSQL add-on of a compiled binary. Bun would unpack it into the temp folder, which may be missing or mounted
// noexec (facts/packaging.md, finding 4): so it is embedded as a plain file, written to the data folder and loaded
// from there. build.ts makes libsql's `require` look where `prepareNativeAddon` puts it.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { embeddedAddon } from './embedded.ts';

const ADDON = Symbol.for('larder.libsql');

/** Writes the add-on to `dataFolder`/lib unless it is there. Null where nothing is embedded: running from source. */
export function extractNativeAddon(dataFolder: string): string | null {
  if (embeddedAddon === null) return null;
  const { digest, sizeBytes } = embeddedAddon;
  const folder = join(dataFolder, 'lib');
  const file = join(folder, `libsql-${digest.slice(0, 16)}.node`);
  // It was renamed into place whole, under the name of its content: its length tells a damaged copy.
  if (existsSync(file) && statSync(file).size === sizeBytes) return file;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  // In one piece of the right size: putting many together takes as long as unpacking them.
  writeFileSync(temporary, zstdDecompressSync(readFileSync(embeddedAddon.file), { chunkSize: sizeBytes }), {
    mode: 0o600,
  });
  renameSync(temporary, file);
  return file;
}

/** Loads the add-on into this thread. Must run before the first import of the database driver. */
export function prepareNativeAddon(file: string | null): void {
  if (file === null) return;
  const holder: { exports: unknown } = { exports: {} };
  process.dlopen(holder as NodeModule, file);
  (globalThis as Record<symbol, unknown>)[ADDON] = holder.exports;
}
