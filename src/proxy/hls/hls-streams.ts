// HLS qualities while they are played or fetched: their playlists as the source gives them now (or, when it is away, as
// they were kept), where each piece is, and what is fetched ahead of who plays. Ends what nobody plays any more.
import type { ChunkManager } from '../../chunks/chunk-manager.ts';
import { Priority } from '../../chunks/fetch-scheduler.ts';
import { SessionKeeper } from '../../chunks/session-keeper.ts';
import type { UseLog } from '../../chunks/use-log.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { EntryTable } from '../../db/entries.ts';
import type { PlaylistTable } from '../../db/playlists.ts';
import { describeError, LarderError } from '../../errors.ts';
import { HLS_AHEAD_MS, HLS_AHEAD_PIECES, HLS_IDLE_MS, HLS_LIVE_MS, HLS_STREAMS_MAX } from '../../limits.ts';
import type { Log } from '../../log.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource, ResolveOptions, UpstreamRequest } from '../../sources/media-source.ts';
import type { OriginClient } from '../../sources/origin-client.ts';
import { addressOfPart, LIVE_SIGNATURE, parseHlsQuality } from './hls-names.ts';
import { fetchPieces } from './piece-fetcher.ts';
import { type Playlist, type PlaylistPart, parsePlaylist, partNames } from './playlist.ts';
import { fetchPlaylistText } from './playlist-text.ts';

export interface HlsStreamServices {
  readonly manager: Pick<ChunkManager, 'open'>;
  readonly entries: Pick<EntryTable, 'ensure'>;
  readonly playlists: Pick<PlaylistTable, 'put' | 'list' | 'isWhole' | 'recordWhole'>;
  readonly uses: Pick<UseLog, 'note' | 'nextMs'>;
  readonly client: Pick<OriginClient, 'follow'>;
  readonly ownPort: () => number;
  /** The address of a playlist, by the words of a stream address. */
  readonly findMedia: (source: MediaSource, mediaKey: string, quality: string) => Promise<MediaAddress>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Loaded {
  readonly playlist: Playlist;
  /** Its addresses are known; else it is what was kept. */
  readonly isFromOrigin: boolean;
  readonly loadedAtMs: number;
}

/** What a player is shown. */
export interface ShownPlaylist extends Loaded {
  readonly whole: MediaAddress;
}

class HlsStream {
  readonly source: MediaSource;
  readonly whole: MediaAddress;
  entryId = 0;
  mediaId = 0;
  /** All of its pieces are here: its source need not be asked for what they are. */
  isWhole = false;
  upstream: UpstreamRequest | null = null;
  readonly playlists = new Map<string, Loaded>();
  readonly loading = new Map<string, Promise<Loaded>>();
  keeper: SessionKeeper | null = null;
  idle: Timer | undefined;
  ahead: { readonly from: string; readonly abort: AbortController } | null = null;

  constructor(source: MediaSource, whole: MediaAddress) {
    this.source = source;
    this.whole = whole;
  }
}

export class HlsStreams {
  readonly #services: HlsStreamServices;
  /** Last used last. */
  readonly #streams = new Map<string, HlsStream>();

  constructor(services: HlsStreamServices) {
    this.#services = services;
  }

  /** Whether the address is that of a playlist which is to be read and written anew. */
  servesPlaylist(source: MediaSource, address: MediaAddress): boolean {
    return source.kind !== 'http' && address.container === 'm3u8';
  }

  /** @throws LarderError why there is no playlist */
  async show(source: MediaSource, address: MediaAddress): Promise<ShownPlaylist> {
    const name = parseHlsQuality(address.quality);
    const stream = await this.#streamOf(
      source,
      await this.#wholeOf(source, address.mediaKey, name?.whole ?? address.quality),
    );
    const loaded = await this.#load(stream, name?.kind === 'playlist' ? name.name : '', false);
    return { ...loaded, whole: stream.whole };
  }

  /** Null where the quality is no file of a playlist. @throws LarderError `not-found` */
  find(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> | null {
    const name = parseHlsQuality(quality);
    if (name === null || source.kind === 'http') return null;
    return this.#find(source, mediaKey, quality);
  }

  async #find(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> {
    const name = parseHlsQuality(quality)!;
    const whole = await this.#wholeOf(source, mediaKey, name.whole);
    if (name.kind === 'playlist') return { ...whole, quality, path: whole.path };
    const stream = await this.#streamOf(source, whole);
    const found = await this.#findPart(stream, name.signature, name.name, false);
    return addressOfPart(whole, name.signature, found.part);
  }

  /** Whether it changes as it is played: nothing of it is kept. */
  isLive(address: MediaAddress): boolean {
    const name = parseHlsQuality(address.quality);
    return name?.kind === 'part' && name.signature === LIVE_SIGNATURE;
  }

  /** Where a piece is now. @throws LarderError `not-found` when the playlist does not have it any more */
  async resolve(source: MediaSource, address: MediaAddress, { isFresh }: ResolveOptions): Promise<UpstreamRequest> {
    const name = parseHlsQuality(address.quality);
    if (name?.kind !== 'part') throw noSuchPiece();
    const stream = await this.#streamOf(source, await this.#wholeOf(source, address.mediaKey, name.whole));
    let found = await this.#findPart(stream, name.signature, name.name, isFresh);
    // What was kept does not say where it is.
    if (found.part.url === '') found = await this.#findPart(stream, name.signature, name.name, true);
    const { upstream } = stream;
    if (upstream === null || found.part.url === '') throw noSuchPiece();
    const isSameHost = new URL(found.part.url).host === new URL(upstream.url).host;
    const { baseUrl, local } = upstream;
    return { url: found.part.url, headers: isSameHost ? upstream.headers : {}, baseUrl, local };
  }

  /** A player asked for a piece: those behind it are fetched ahead of it. */
  pieceOpened(source: MediaSource, address: MediaAddress): void {
    const name = parseHlsQuality(address.quality);
    const stream = this.#streams.get(keyOf(source.id, address.mediaKey, name?.whole ?? ''));
    if (name?.kind !== 'part' || stream === undefined) return;
    this.#touch(stream);
    if (stream.entryId !== 0) this.#services.uses.note(stream.entryId);
    const loaded = [...stream.playlists.values()].find(({ playlist }) => playlist.signature === name.signature);
    if (loaded === undefined || loaded.playlist.isLive) return;
    const at = loaded.playlist.pieces.findIndex((piece) => piece.name === name.name);
    if (at >= 0) this.#fetchAhead(stream, loaded.playlist, at);
  }

  /**
   * Has all of it fetched.
   * @throws LarderError `conflict` for what has no end, `stopped`, or why a piece does not come
   */
  async fetchAll(source: MediaSource, whole: MediaAddress, priority: Priority, signal: AbortSignal): Promise<void> {
    const stream = await this.#streamOf(source, whole);
    const pieces: MediaAddress[] = [];
    for (const { playlist } of await this.#loadAll(stream)) {
      if (playlist.isLive) {
        throw new LarderError('conflict', 'a live stream has no end that could be fetched', {
          hint: 'play it instead',
        });
      }
      pieces.push(...playlist.parts.filter(isPiece).map((part) => addressOfPart(whole, playlist.signature, part)));
    }
    await fetchPieces(pieces, { manager: this.#services.manager, source, priority }, signal);
    await this.#services.playlists.recordWhole(stream.entryId);
    stream.isWhole = true;
  }

  stop(): void {
    for (const stream of [...this.#streams.values()]) this.#close(stream);
  }

  /** The source was removed. */
  forgetSource(sourceId: number): void {
    for (const stream of [...this.#streams.values()]) if (stream.source.id === sourceId) this.#close(stream);
  }

  async #wholeOf(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> {
    const known = this.#streams.get(keyOf(source.id, mediaKey, quality));
    if (known !== undefined) return known.whole;
    const whole = await this.#services.findMedia(source, mediaKey, quality);
    if (whole.container !== 'm3u8') throw noSuchPiece();
    return whole;
  }

  async #streamOf(source: MediaSource, whole: MediaAddress): Promise<HlsStream> {
    const key = keyOf(source.id, whole.mediaKey, whole.quality);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new HlsStream(source, whole);
      const [oldest] = this.#streams.values();
      if (this.#streams.size >= HLS_STREAMS_MAX && oldest !== undefined) this.#close(oldest);
    }
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    this.#touch(stream);
    if (stream.entryId === 0) {
      const { entries, uses } = this.#services;
      const ids = await entries.ensure({ ...whole, sourceId: source.id }, uses.nextMs());
      stream.entryId = ids.entryId;
      stream.mediaId = ids.mediaId;
      stream.isWhole = await this.#services.playlists.isWhole(ids.entryId);
    }
    return stream;
  }

  #touch(stream: HlsStream): void {
    stream.idle?.cancel();
    stream.idle = this.#services.clock.after(HLS_IDLE_MS, () => this.#close(stream));
  }

  #close(stream: HlsStream): void {
    this.#streams.delete(keyOf(stream.source.id, stream.whole.mediaKey, stream.whole.quality));
    stream.idle?.cancel();
    stream.ahead?.abort.abort();
    void stream.keeper?.stop();
    stream.keeper = null;
  }

  /** @param name - empty for the first playlist */
  async #load(stream: HlsStream, name: string, isFresh: boolean): Promise<Loaded> {
    const known = stream.playlists.get(name);
    const ageMs = known === undefined ? 0 : this.#services.clock.monotonicMs() - known.loadedAtMs;
    if (known !== undefined && !isFresh && (!known.playlist.isLive || ageMs < HLS_LIVE_MS)) return known;
    const running = stream.loading.get(name);
    if (running !== undefined) return running;
    const loading = this.#loadNow(stream, name, isFresh).finally(() => stream.loading.delete(name));
    stream.loading.set(name, loading);
    return loading;
  }

  async #loadNow(stream: HlsStream, name: string, isFresh: boolean): Promise<Loaded> {
    const kept = stream.isWhole && !isFresh ? await this.#findKept(stream, name) : null;
    const loaded = kept ?? (await this.#askOrRemember(stream, name, isFresh));
    stream.playlists.set(name, loaded);
    return loaded;
  }

  async #askOrRemember(stream: HlsStream, name: string, isFresh: boolean): Promise<Loaded> {
    try {
      return await this.#ask(stream, name, isFresh);
    } catch (error) {
      if (!(error instanceof LarderError) || isFresh) throw error;
      const kept = await this.#findKept(stream, name);
      if (kept === null) throw error;
      this.#services.log.debug('a playlist is shown as it was kept', { reason: error.message });
      return kept;
    }
  }

  async #ask(stream: HlsStream, name: string, isFresh: boolean): Promise<Loaded> {
    const { clock } = this.#services;
    let url: string;
    if (name === '') {
      url = (await this.#resolveWhole(stream, isFresh)).url;
    } else {
      const first = await this.#load(stream, '', isFresh);
      const part = first.playlist.parts.find((candidate) => candidate.name === name);
      if (part === undefined || part.url === '') throw noSuchPiece();
      url = part.url;
    }
    const { upstream } = stream;
    if (upstream === null) throw noSuchPiece();
    try {
      const isSameHost = new URL(url).host === new URL(upstream.url).host;
      const headers = isSameHost ? upstream.headers : {};
      const { client, ownPort } = this.#services;
      const answer = await fetchPlaylistText({ ...upstream, url, headers }, { client, ownPort: ownPort(), clock });
      const playlist = parsePlaylist(answer.text, answer.url);
      if (!playlist.isLive) await this.#keep(stream, name, playlist);
      return { playlist, isFromOrigin: true, loadedAtMs: clock.monotonicMs() };
    } catch (error) {
      // An address that was good for a while.
      const isExpired = error instanceof LarderError && [401, 403, 404, 410].includes(error.originStatus ?? 0);
      if (!isExpired || isFresh) throw error;
      if (name !== '') await this.#load(stream, '', true);
      return this.#ask(stream, name, name === '');
    }
  }

  async #resolveWhole(stream: HlsStream, isFresh: boolean): Promise<UpstreamRequest> {
    const { client, clock, ownPort } = this.#services;
    const upstream = await stream.source.resolve(stream.whole, { isFresh, isBackground: false });
    void stream.keeper?.stop();
    stream.upstream = upstream;
    const request = { ...upstream, ownPort: ownPort(), range: null, ifRange: null, expectsMedia: false };
    stream.keeper = upstream.session === undefined ? null : new SessionKeeper(request, { client, clock });
    stream.keeper?.start();
    return upstream;
  }

  async #keep(stream: HlsStream, name: string, { kind, body, signature, parts }: Playlist): Promise<void> {
    const { playlists, clock, log } = this.#services;
    const { mediaId, whole } = stream;
    const pieceCount = kind === 'master' ? 0 : parts.length;
    const row = { mediaId, quality: whole.quality, name, kind, body, signature, pieceCount, fetchedAt: clock.nowMs() };
    // Where the database takes nothing it plays all the same.
    await playlists.put(row).catch((error: unknown) => {
      log.debug('a playlist could not be kept', { error: describeError(error) });
    });
  }

  async #findKept(stream: HlsStream, name: string): Promise<Loaded | null> {
    const { playlists, clock } = this.#services;
    const { source, whole } = stream;
    const rows = await playlists.list(source.id, whole.mediaKey, whole.quality);
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined) return null;
    const { kind, body, signature } = row;
    const parts = partNames(body).map((part) => ({ name: part, url: '' }));
    const pieces = parts.filter(isPiece).map((part) => ({ ...part, durationMs: 0 }));
    const playlist: Playlist = { kind, isLive: false, body, parts, pieces, signature };
    return { playlist, isFromOrigin: false, loadedAtMs: clock.monotonicMs() };
  }

  /** The media playlists of it. */
  async #loadAll(stream: HlsStream, isFresh = false): Promise<Loaded[]> {
    const first = await this.#load(stream, '', isFresh);
    if (first.playlist.kind === 'media') return [first];
    const loaded: Loaded[] = [];
    for (const { name } of first.playlist.parts) {
      if (name.startsWith('m')) loaded.push(await this.#load(stream, name, false));
    }
    return loaded;
  }

  async #findPart(
    stream: HlsStream,
    signature: string,
    name: string,
    isFresh: boolean,
  ): Promise<{ readonly part: PlaylistPart; readonly playlist: Playlist }> {
    if (!isFresh) {
      const known = findIn([...stream.playlists.values()], signature, name);
      if (known !== null) return known;
    }
    if (isFresh) for (const key of [...stream.playlists.keys()]) if (key !== '') stream.playlists.delete(key);
    const found = findIn(await this.#loadAll(stream, isFresh), signature, name);
    if (found === null) throw noSuchPiece();
    return found;
  }

  #fetchAhead(stream: HlsStream, playlist: Playlist, at: number): void {
    const { manager, log } = this.#services;
    const from = `${playlist.signature}-${at}`;
    if (stream.ahead?.from === from) return;
    stream.ahead?.abort.abort();
    const wanted: MediaAddress[] = [];
    let durationMs = 0;
    for (const piece of playlist.pieces.slice(at + 1, at + 1 + HLS_AHEAD_PIECES)) {
      if (durationMs >= HLS_AHEAD_MS) break;
      durationMs += piece.durationMs;
      wanted.push(addressOfPart(stream.whole, playlist.signature, piece));
    }
    const abort = new AbortController();
    stream.ahead = { from, abort };
    fetchPieces(wanted, { manager, source: stream.source, priority: Priority.high }, abort.signal).catch(
      (error: unknown) => {
        if (!abort.signal.aborted) log.debug('a piece could not be fetched ahead', { error: describeError(error) });
      },
    );
  }
}

function findIn(
  loaded: readonly Loaded[],
  signature: string,
  name: string,
): { readonly part: PlaylistPart; readonly playlist: Playlist } | null {
  for (const { playlist } of loaded) {
    const part =
      playlist.signature === signature ? playlist.parts.find((candidate) => candidate.name === name) : undefined;
    if (part !== undefined) return { part, playlist };
  }
  return null;
}

/** Not a playlist, which is kept elsewhere. */
function isPiece({ name }: PlaylistPart): boolean {
  return !name.startsWith('m');
}

function keyOf(sourceId: number, mediaKey: string, quality: string): string {
  return JSON.stringify([sourceId, mediaKey, quality]);
}

function noSuchPiece(): LarderError {
  return new LarderError('not-found', 'the playlist has no such piece (any more)', {
    hint: 'start the film again: its playlist is made anew then',
  });
}
