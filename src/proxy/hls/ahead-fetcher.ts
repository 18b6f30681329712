// Fetches what comes next for who plays a playlist. Where a player moves on, what is under way for it goes on as well;
// where it jumps or leaves, the rest is given up.
import { describeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import { fetchPiece, PIECES_AT_ONCE, type PieceFetcherParts } from './piece-fetcher.ts';

/** One player in one playlist: sound and picture are two. */
interface Track {
  /** Quality of the piece that is played. */
  at: string;
  waiting: readonly MediaAddress[];
  readonly running: Map<string, AbortController>;
}

export class AheadFetcher {
  readonly #parts: PieceFetcherParts;
  readonly #log: Log;
  readonly #tracks = new Map<string, Track>();

  constructor(parts: PieceFetcherParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
  }

  /** @param wanted - what follows, in the order of playing */
  moveTo(name: string, at: string, wanted: readonly MediaAddress[]): void {
    const track = this.#tracks.get(name) ?? { at, waiting: [], running: new Map<string, AbortController>() };
    this.#tracks.set(name, track);
    const stays = new Set([at, ...wanted.map(({ quality }) => quality)]);
    for (const [quality, abort] of track.running) if (!stays.has(quality)) abort.abort();
    track.at = at;
    track.waiting = wanted;
    this.#pump(name, track);
  }

  /** The player went while it was given the piece `at`, and has not asked for another one since. */
  leave(name: string, at: string): void {
    const track = this.#tracks.get(name);
    if (track?.at === at) this.#end(name, track);
  }

  stop(): void {
    for (const [name, track] of this.#tracks) this.#end(name, track);
  }

  #end(name: string, track: Track): void {
    track.waiting = [];
    for (const abort of track.running.values()) abort.abort();
    this.#tracks.delete(name);
  }

  #pump(name: string, track: Track): void {
    while (track.running.size < PIECES_AT_ONCE) {
      const [next, ...rest] = track.waiting;
      if (next === undefined) break;
      track.waiting = rest;
      if (!track.running.has(next.quality)) this.#run(name, track, next);
    }
    if (track.running.size === 0 && this.#tracks.get(name) === track) this.#tracks.delete(name);
  }

  #run(name: string, track: Track, address: MediaAddress): void {
    const abort = new AbortController();
    track.running.set(address.quality, abort);
    fetchPiece(address, this.#parts, abort.signal)
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        this.#log.debug('a piece could not be fetched ahead', { error: describeError(error) });
        // Those behind it would fail as well, one after the other.
        track.waiting = [];
      })
      .finally(() => {
        track.running.delete(address.quality);
        this.#pump(name, track);
      });
  }
}
