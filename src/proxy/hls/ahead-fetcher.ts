// Fetches what comes next for who plays a playlist, one piece after the other. Where a player moves on, what is under way
// for it goes on as well; where it jumps or leaves, that is given up.
import { describeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import { fetchPiece, type PieceFetcherParts } from './piece-fetcher.ts';

/** One player in one playlist: sound and picture are two. */
interface Track {
  /** Quality of the piece that is played. */
  at: string;
  waiting: readonly MediaAddress[];
  /** Quality of the one that was begun last. */
  running: string | null;
}

interface Running {
  readonly quality: string;
  readonly abort: AbortController;
}

/** Players go without a word, and may call themselves otherwise with each request. */
const TRACKS_MAX = 32;

export class AheadFetcher {
  readonly #parts: PieceFetcherParts;
  readonly #log: Log;
  /** By name; whose turn is longest ago comes first. */
  readonly #tracks = new Map<string, Track>();
  /** One for all: connections to a source are few, and who waits for a piece would take that of this one. */
  #running: Running | null = null;

  constructor(parts: PieceFetcherParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
  }

  /** @param wanted - what follows, in the order of playing */
  moveTo(name: string, at: string, wanted: readonly MediaAddress[]): void {
    this.#tracks.set(name, { at, waiting: wanted, running: null });
    const [oldest] = this.#tracks.keys();
    if (this.#tracks.size > TRACKS_MAX && oldest !== undefined) this.#tracks.delete(oldest);
    this.#look();
  }

  /** The player went while it was given the piece `at`, and has not asked for another one since. */
  leave(name: string, at: string): void {
    if (this.#tracks.get(name)?.at !== at) return;
    this.#tracks.delete(name);
    this.#look();
  }

  stop(): void {
    this.#tracks.clear();
    this.#look();
  }

  #look(): void {
    const running = this.#running;
    if (running !== null && !this.#isWanted(running.quality)) running.abort.abort();
    if (running !== null) return;
    for (const [name, track] of this.#tracks) {
      const [next, ...rest] = track.waiting;
      if (next === undefined) continue;
      track.waiting = rest;
      track.running = next.quality;
      this.#tracks.delete(name);
      this.#tracks.set(name, track);
      this.#run(track, next);
      return;
    }
  }

  #isWanted(quality: string): boolean {
    for (const { at, waiting, running } of this.#tracks.values()) {
      if (at === quality || running === quality || waiting.some((address) => address.quality === quality)) return true;
    }
    return false;
  }

  #run(track: Track, address: MediaAddress): void {
    const abort = new AbortController();
    this.#running = { quality: address.quality, abort };
    fetchPiece(address, this.#parts, abort.signal)
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        this.#log.debug('a piece could not be fetched ahead', { error: describeError(error) });
        // Those behind it would fail as well, one after the other.
        track.waiting = [];
      })
      .finally(() => {
        this.#running = null;
        this.#look();
      });
  }
}
