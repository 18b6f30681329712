// Many viewers on many films for a while, then requests that are cut at once; before and after, when the program is
// idle, what it holds. What it holds more than before, beyond what it keeps on purpose, is a leak. While they watch,
// what it holds and how long first bytes take is written down in windows of time.
import { createRandom, type Random } from '../support/random.ts';
import { checkedGet, type GetResult, Violation } from './checked-get.ts';
import { type Film, filmAt } from './film.ts';
import { FilmOrigin } from './film-origin.ts';
import { type Footprint, type Ports, readFootprint } from './footprint.ts';
import { waitUntilIdle } from './idle.ts';
import { LarderProcess } from './larder-process.ts';
import { type LoadWindow, LoadWindows } from './load-windows.ts';
import { askAtRandom, type Watched, watchAtRandom } from './viewer.ts';

export interface LoadOptions {
  readonly seconds: number;
  /** Into so many parts the time is divided; an even number. */
  readonly windows: number;
  /** Of the cache, as for `--cache-size`. */
  readonly cacheSize: string;
  readonly readers: number;
  /** Each reader waits for up to so long between two films. */
  readonly waitMostMs: number;
  /** Films that are watched at the same time. */
  readonly films: number;
  readonly cuts: number;
  readonly seed: number;
  /** Of the smallest and the largest film. */
  readonly leastBytes: number;
  readonly mostBytes: number;
  readonly quietMs: number;
  readonly quietLimitMs: number;
  /** Empty; the data is made in it. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

/** The program as it is when idle. */
export interface Look {
  readonly when: string;
  readonly footprint: Footprint;
  readonly isIdle: boolean;
}

export interface LoadResult {
  readonly watched: Watched;
  readonly cutRequests: number;
  readonly originRequests: number;
  readonly windows: readonly LoadWindow[];
  /** After the warm-up. */
  readonly warm: Look;
  readonly firstHalf: Look;
  readonly secondHalf: Look;
  readonly afterCuts: Look;
}

/** Each has connections of its own; the last one is slow. */
const SOURCES = ['one', 'two', 'three', 'four', 'slow'] as const;
const SLOW_SOURCE = SOURCES.length - 1;
const FAST_RATES = [8e6, 40e6, Number.POSITIVE_INFINITY];
const SLOW_RATES = [1e6, 3e6];
/** A film leaves the window and a new one comes this often, so that the origin is never out of work. */
const RENEW_EVERY_MS = 1_000;
const TOUCH_BYTES = 64 * 1024;
/** What the program holds is looked at so often in a window. */
const LOOKS_PER_WINDOW = 4;
const CUTS_AT_ONCE = 64;
const CUT_BODY_BYTES = 256 * 1024;
/**
 * A source has three connections: who stands far behind in the queue of the slow one is told so after 38 s
 * (CONTRACT.md, promise 9: within 40 s). Sooner, an error from a healthy origin is a fault.
 */
const GIVES_UP_AFTER_MS = 30_000;

export class LoadRun {
  readonly #options: LoadOptions;
  readonly #origin: FilmOrigin;
  readonly #known = new Map<string, Film>();
  readonly #windows = new LoadWindows();
  #firstFilm = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#origin = new FilmOrigin({ seed: options.seed, findFilm: (path) => this.#known.get(path) ?? null });
  }

  /** @throws Violation when anything that came was wrong */
  async run(): Promise<LoadResult> {
    using origin = this.#origin;
    const sources = SOURCES.flatMap((name) => ['--source', `${name}=${origin.url}`]);
    const { folder, cacheSize } = this.#options;
    await using larder = new LarderProcess(`${folder}/data`, ['--cache-size', cacheSize, ...sources]);
    const ports = { own: await larder.listening(), origin: origin.port };
    await this.#warmUp(ports.own);
    const warm = await this.#look('warm', larder, ports);
    const watched: Watched = { requests: 0, bytes: 0, refusals: 0 };
    await this.#load(larder, ports, watched);
    const firstHalf = await this.#look('first half', larder, ports);
    await this.#load(larder, ports, watched);
    const secondHalf = await this.#look('second half', larder, ports);
    const cutRequests = await this.#cut(ports.own);
    const afterCuts = await this.#look('after cuts', larder, ports);
    await larder.terminate();
    const looks = { warm, firstHalf, secondHalf, afterCuts };
    return { watched, cutRequests, originRequests: origin.jobs.length, windows: this.#windows.windows, ...looks };
  }

  /** Every film once, all at the same time: whatever is made when first needed is there afterwards. */
  async #warmUp(port: number): Promise<void> {
    const { films, seed } = this.#options;
    await Promise.all(
      Array.from({ length: films }, (_, index) => {
        const film = this.#film(index);
        const range = { start: 0, end: TOUCH_BYTES };
        return checkedGet({ port, source: this.#sourceOf(film), film, seed, range });
      }),
    );
  }

  /** Half of the time, and half of the windows. */
  async #load(larder: LarderProcess, ports: Ports, sum: Watched): Promise<void> {
    const { readers, seconds, seed, windows, waitMostMs } = this.#options;
    const over = new AbortController();
    let looksLeft = (LOOKS_PER_WINDOW * windows) / 2;
    const look = setInterval(
      () => {
        this.#windows.addLook(readFootprint(larder.pid, ports));
        looksLeft -= 1;
        if (looksLeft % LOOKS_PER_WINDOW === 0) this.#windows.close();
        if (looksLeft === 0) over.abort();
      },
      (seconds * 1_000) / windows / LOOKS_PER_WINDOW,
    );
    const renew = setInterval(() => {
      this.#firstFilm += 1;
    }, RENEW_EVERY_MS);
    try {
      const all = Array.from({ length: readers }, (_, index) => {
        const random = createRandom(seed * 1_000_003 + this.#firstFilm * readers + index);
        return watchAtRandom({
          port: ports.own,
          sourceOf: (film) => this.#sourceOf(film),
          seed,
          random,
          pickFilm: () => this.#pickFilm(random),
          signal: over.signal,
          isExcused: (_film, result) => gaveUp(result),
          // Who waits for the slow source waits for its line.
          onResult: (film, result) => this.#windows.addRequest(result, !isSlow(film)),
          pauses: true,
          waitMostMs,
        });
      });
      for (const watched of await Promise.all(all)) {
        sum.requests += watched.requests;
        sum.bytes += watched.bytes;
        sum.refusals += watched.refusals;
      }
    } finally {
      over.abort();
      clearInterval(look);
      clearInterval(renew);
    }
  }

  async #cut(port: number): Promise<number> {
    const { cuts, seed } = this.#options;
    let left = cuts;
    const cutOn = async (random: Random) => {
      while (left-- > 0) {
        const film = this.#pickFilm(random);
        const { range } = askAtRandom(film, random);
        const leaveAfter = random.pick([0, 'head', random.between(1, CUT_BODY_BYTES)] as const);
        const asked = { ...(range === undefined ? {} : { range }), leaveAfter };
        await checkedGet({ port, source: this.#sourceOf(film), film, seed, ...asked });
        if (left % 100 === 0) this.#firstFilm += 1;
      }
    };
    const all = Array.from({ length: CUTS_AT_ONCE }, (_, index) => cutOn(createRandom(seed * 7_919 + index)));
    await Promise.all(all);
    return cuts;
  }

  async #look(when: string, larder: LarderProcess, ports: Ports): Promise<Look> {
    const { quietMs, quietLimitMs, report } = this.#options;
    const isBusy = () => this.#origin.openConnections > 0;
    const startedAtMs = performance.now();
    const isIdle = await waitUntilIdle(larder.pid, { quietMs, limitMs: quietLimitMs, isBusy });
    const [mistake] = this.#origin.mistakes;
    if (mistake !== undefined) throw new Violation(mistake);
    const footprint = readFootprint(larder.pid, ports);
    const waited = `${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`;
    report(
      `${when}: ${isIdle ? 'idle' : 'NOT IDLE'} after ${waited}, ${this.#origin.openConnections} origin connections`,
    );
    return { when, footprint, isIdle };
  }

  #pickFilm(random: Random): Film {
    return this.#film(this.#firstFilm + random.between(0, this.#options.films - 1));
  }

  #film(index: number): Film {
    const path = `film-${index}.mkv`;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const { leastBytes, mostBytes, seed } = this.#options;
    const isOfSlowSource = sourceIndexOf(path) === SLOW_SOURCE;
    const film = filmAt(path, seed, {
      leastBytes,
      mostBytes,
      // Far into a film without ranges one waits until its line has brought all before: minutes, where it is shared.
      oddOneIn: isOfSlowSource ? 0 : 12,
      bytesPerSecond: isOfSlowSource ? SLOW_RATES : FAST_RATES,
      latencyMostMs: isOfSlowSource ? 150 : 40,
    });
    this.#known.set(path, film);
    return film;
  }

  #sourceOf(film: Film): string {
    return SOURCES[sourceIndexOf(film.path)]!;
  }
}

function sourceIndexOf(path: string): number {
  return Number(/\d+/.exec(path)?.[0] ?? 0) % SOURCES.length;
}

function isSlow(film: Film): boolean {
  return sourceIndexOf(film.path) === SLOW_SOURCE;
}

function gaveUp({ status, ending, headMs, silentMs }: GetResult): boolean {
  if (status === 503 || status === 504) return (headMs ?? 0) >= GIVES_UP_AFTER_MS;
  return ending === 'cut' && silentMs >= GIVES_UP_AFTER_MS;
}
