// What is known of one HLS quality while it is played or fetched: its playlists, where they came from, and the
// conversion that is kept alive for it.
import type { SessionKeeper } from '../../chunks/session-keeper.ts';
import type { Timer } from '../../clock.ts';
import { LarderError } from '../../errors.ts';
import { HLS_STREAM_MAX_LENGTH } from '../../limits.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource, UpstreamRequest } from '../../sources/media-source.ts';
import type { AheadFetcher } from './ahead-fetcher.ts';
import type { Playlist, PlaylistPart } from './playlist.ts';

export interface Loaded {
  readonly playlist: Playlist;
  /** Its addresses are known; else it is what was kept. */
  readonly isFromOrigin: boolean;
  readonly loadedAtMs: number;
  /** Of one that moves on: what has just left it, which players may still be about to ask for. */
  readonly earlier: ReadonlyMap<string, PlaylistPart>;
}

/** A window of ten minutes in pieces of six seconds. */
const EARLIER_MAX = 100;

export class HlsStream {
  readonly source: MediaSource;
  readonly whole: MediaAddress;
  readonly ahead: AheadFetcher;
  /** Set once its rows are there. */
  ready: Promise<void> | null = null;
  entryId = 0;
  mediaId = 0;
  ensuredAtMs = Number.NEGATIVE_INFINITY;
  /** All of its pieces are here: its source need not be asked for what they are. */
  isWhole = false;
  upstream: UpstreamRequest | null = null;
  resolving: Promise<UpstreamRequest> | null = null;
  /** By name; empty for the first one. */
  readonly playlists = new Map<string, Loaded>();
  readonly #lengths = new WeakMap<Playlist, number>();
  readonly loading = new Map<string, Promise<Loaded>>();
  /** Counts how often its addresses were asked anew. */
  round = 0;
  renewedAtMs = Number.NEGATIVE_INFINITY;
  renewing: Promise<void> | null = null;
  /** Why they could not be had the last time. */
  renewError: unknown = null;
  /** In which round the address of a piece was last told. */
  readonly told = new Map<string, number>();
  keeper: SessionKeeper | null = null;
  idle: Timer | undefined;
  isClosed = false;

  constructor(source: MediaSource, whole: MediaAddress, ahead: AheadFetcher) {
    this.source = source;
    this.whole = whole;
    this.ahead = ahead;
  }

  /** Characters of all of its playlists. */
  get length(): number {
    let length = 0;
    for (const { playlist } of this.playlists.values()) length += this.#lengths.get(playlist) ?? 0;
    return length;
  }

  /** @throws LarderError `origin-lied` when there is no end to its playlists */
  refuseBeyondBound(name: string, playlist: Playlist): void {
    const before = this.playlists.get(name);
    const length = this.#lengths.get(playlist) ?? lengthOf(playlist);
    this.#lengths.set(playlist, length);
    const replaced = before === undefined ? 0 : (this.#lengths.get(before.playlist) ?? 0);
    if (this.length - replaced + length > HLS_STREAM_MAX_LENGTH) {
      throw new LarderError('origin-lied', 'the playlists of it are longer than those of any film');
    }
  }

  /** @throws LarderError as `refuseBeyondBound` */
  note(name: string, loaded: Omit<Loaded, 'earlier'>): Loaded {
    this.refuseBeyondBound(name, loaded.playlist);
    const noted = { ...loaded, earlier: earlierOf(this.playlists.get(name), loaded.playlist) };
    this.playlists.set(name, noted);
    return noted;
  }

  find(signature: string, name: string): PlaylistPart | null {
    for (const { playlist, earlier } of this.playlists.values()) {
      if (playlist.signature !== signature) continue;
      const part = playlist.parts.get(name) ?? earlier.get(name);
      if (part !== undefined) return part;
    }
    return null;
  }

  /** The playlist whose pieces have this signature. */
  withSignature(signature: string): Playlist | null {
    for (const { playlist } of this.playlists.values()) if (playlist.signature === signature) return playlist;
    return null;
  }
}

function lengthOf({ body, parts }: Playlist): number {
  let length = body.length;
  for (const { url } of parts.values()) length += url.length;
  return length;
}

function earlierOf(before: Loaded | undefined, now: Playlist): ReadonlyMap<string, PlaylistPart> {
  if (before === undefined || !now.isLive || !before.playlist.isLive) return new Map();
  const gone = [...before.earlier, ...before.playlist.parts].filter(([name]) => !now.parts.has(name));
  return new Map(gone.slice(-EARLIER_MAX));
}
