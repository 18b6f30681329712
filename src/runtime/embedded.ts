// Files that the compiled binary carries inside. This module is what runs from source (Bun or Deno), where they lie
// beside it; build.ts replaces it by one that imports them, under the same names.
import { fileURLToPath } from 'node:url';
import { collectLicences, type Licence } from './licences.ts';

export interface EmbeddedAddon {
  /** Compressed with Zstandard. */
  readonly file: string;
  /** Of the add-on itself. */
  readonly sizeBytes: number;
  /** SHA-256 of the add-on as hex, computed when the binary was built. */
  readonly digest: string;
}

/** The libSQL add-on inside the binary; null from source, where the driver finds its own package. */
export const embeddedAddon: EmbeddedAddon | null = null as EmbeddedAddon | null;

const library = new URL('../../test/fixtures/sample-library/', import.meta.url);

/** Folder or address of each film of the demo's sample library, by name. */
export const sampleFilms: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'Harbour Lights (2019).mp4',
    'Winter Signal (2021).mkv',
    'Night Train (2023).1080p.mp4',
    'Night Train (2023).480p.mp4',
  ].map((name) => [name, fileURLToPath(new URL(encodeURIComponent(name), library))]),
);

export const buildVersion: string = '0.1.0-dev';
export const buildTarget: string = `${process.platform}-${process.arch}`;

/** Commit that the binary was built from, with `+` behind it where files had been changed; null from source. */
export const buildCommit: string | null = null as string | null;

/** Of everything inside the program. */
export function licences(): readonly Licence[] {
  return collectLicences(fileURLToPath(new URL('../../', import.meta.url)), process.versions.bun ?? 'not inside');
}
