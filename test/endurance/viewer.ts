// A viewer who never stops: opens, seeks, reads pieces, leaves in the middle, opens the next film.
import type { Random } from '../support/random.ts';
import { checkedGet, type GetOptions, type GetResult, Violation } from './checked-get.ts';
import { type Film, MIB } from './film.ts';

export interface ViewerOptions {
  readonly port: number;
  readonly sourceOf: (film: Film) => string;
  readonly seed: number;
  readonly random: Random;
  readonly pickFilm: () => Film;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Whether an error or a cut response is no fault of Larder's. */
  readonly isExcused: (film: Film, result: GetResult) => boolean;
  /** Told of each answer. */
  readonly onResult?: (film: Film, result: GetResult) => void;
  /** Rests now and then, as players with full buffers do. */
  readonly pauses?: boolean;
  /** Between two answers it waits for up to so long. */
  readonly waitMostMs?: number;
}

export interface Watched {
  requests: number;
  bytes: number;
  /** Answers that were no film and excused. */
  refusals: number;
}

/** Steps of a body between which a viewer may rest. */
const REST_EVERY_BYTES = 256 * 1024;

/** What to ask for next: a seek, a piece, the rest of it, or all. */
export function askAtRandom(film: Film, random: Random): Pick<GetOptions, 'range' | 'leaveAfter'> {
  const start = random.between(0, film.firstBytes - 1);
  const leave = random.chance(0.5) ? { leaveAfter: random.between(1, 4 * MIB) } : {};
  switch (random.between(0, 3)) {
    case 0:
      return leave;
    case 1:
      return { range: { start, end: null }, ...leave };
    case 2:
      return { range: { start, end: start + random.between(1, 64 * 1024) } };
    default:
      return { range: { start, end: start + random.between(1, 4 * MIB) }, ...leave };
  }
}

function restAtRandom(random: Random): (receivedBytes: number) => number {
  let restAt = REST_EVERY_BYTES;
  return (receivedBytes) => {
    if (receivedBytes < restAt) return 0;
    restAt = receivedBytes + REST_EVERY_BYTES;
    return random.chance(0.5) ? random.between(1, 200) : 0;
  };
}

/** @throws Violation */
export async function watchAtRandom(options: ViewerOptions): Promise<Watched> {
  const { port, sourceOf, seed, random, signal } = options;
  const watched: Watched = { requests: 0, bytes: 0, refusals: 0 };
  while (!signal.aborted) {
    const film = options.pickFilm();
    const ask = askAtRandom(film, random);
    const rest = options.pauses && random.chance(0.3) ? { pauseMs: restAtRandom(random) } : {};
    const result = await checkedGet({ port, source: sourceOf(film), seed, film, signal, ...ask, ...rest });
    watched.requests += 1;
    watched.bytes += result.bodyBytes;
    options.onResult?.(film, result);
    if (signal.aborted) break;
    if (result.ending === 'refused') throw new Violation(`${film.path}: the connection was refused`);
    if (!isFulfilled(result)) {
      if (!options.isExcused(film, result)) {
        throw new Violation(`${film.path} ${JSON.stringify(ask)} got ${JSON.stringify(result)} from a healthy origin`);
      }
      watched.refusals += 1;
    }
    if (options.waitMostMs) await waitUnlessOver(random.between(0, options.waitMostMs), signal);
  }
  return watched;
}

function waitUnlessOver(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, delayMs);
    function end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
    signal.addEventListener('abort', end);
  });
}

function isFulfilled(result: GetResult): boolean {
  return (result.status === 200 || result.status === 206) && result.ending !== 'cut';
}
