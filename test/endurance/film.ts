// Films of the endurance runs: everything about one is a function of a seed, its path and its version, so that whoever
// holds a response can tell from its ETag alone what every byte of it has to be.
import { createRandom } from '../support/random.ts';

/** How the origin gives it: from any offset; from the start only; from the start only and without saying how long. */
export type FilmKind = 'seekable' | 'sequential' | 'endless';

export interface Film {
  /** Below the origin's root, without a leading slash; needs no percent-encoding. */
  readonly path: string;
  readonly kind: FilmKind;
  /** Of the first version. */
  readonly firstBytes: number;
  readonly latencyMs: number;
  /** Of one connection. */
  readonly bytesPerSecond: number;
}

export interface FilmVersion {
  readonly seed: number;
  readonly sizeBytes: number;
}

export const MIB: number = 1024 * 1024;
/** Each version is so much longer than the one before: their lengths never agree by chance. */
const VERSION_GROWTH_BYTES = 4_321;

/** FNV-1a */
export function hashOf(text: string, seed: number): number {
  let value = seed ^ 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

export function versionOf(film: Film, seed: number, version: number): FilmVersion {
  return {
    seed: hashOf(`${film.path}\n${version}`, seed),
    sizeBytes: film.firstBytes + (version - 1) * VERSION_GROWTH_BYTES,
  };
}

export function etagOf(film: Film, seed: number, version: number): string {
  return `"${version}-${hashOf(film.path, seed).toString(36)}"`;
}

/** Which version of `film` the tag names; null when it is none of this film's tags. */
export function versionOfEtag(film: Film, seed: number, etag: string): number | null {
  const version = Number(/^"(\d+)-/.exec(etag)?.[1] ?? Number.NaN);
  return version >= 1 && etagOf(film, seed, version) === etag ? version : null;
}

export interface FilmBounds {
  readonly leastBytes: number;
  readonly mostBytes: number;
  /** Among so many films one is sequential and one endless; 0 for none. */
  readonly oddOneIn: number;
  /** Rates to choose from. */
  readonly bytesPerSecond: readonly number[];
  readonly latencyMostMs: number;
}

/** The film at `path`: chosen by the seed, the same each time it is asked for. */
export function filmAt(path: string, seed: number, bounds: FilmBounds): Film {
  const random = createRandom(hashOf(path, seed));
  const lot = bounds.oddOneIn === 0 ? -1 : random.between(0, bounds.oddOneIn - 1);
  return {
    path,
    kind: lot === 0 ? 'sequential' : lot === 1 ? 'endless' : 'seekable',
    firstBytes: random.between(bounds.leastBytes, bounds.mostBytes),
    latencyMs: random.between(0, bounds.latencyMostMs),
    bytesPerSecond: random.pick(bounds.bytesPerSecond),
  };
}
