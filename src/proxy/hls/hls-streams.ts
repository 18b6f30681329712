// HLS qualities while they are played or fetched: their playlists as the source gives them now (or, when it is away, as
// they were kept), where each piece is, and what is fetched ahead of who plays. Ends what nobody plays any more.
import type { ChunkManager } from '../../chunks/chunk-manager.ts';
import { Priority } from '../../chunks/fetch-scheduler.ts';
import { SessionKeeper } from '../../chunks/session-keeper.ts';
import type { UseLog } from '../../chunks/use-log.ts';
import type { Clock } from '../../clock.ts';
import type { EntryTable } from '../../db/entries.ts';
import type { PlaylistTable } from '../../db/playlists.ts';
import { describeError, LarderError } from '../../errors.ts';
import {
  HLS_AHEAD_MS,
  HLS_AHEAD_PIECES,
  HLS_ALL_MAX_LENGTH,
  HLS_ENSURE_MS,
  HLS_IDLE_MS,
  HLS_LIVE_MS,
  HLS_RENEW_MS,
  HLS_STOP_MS,
  HLS_STREAMS_MAX,
} from '../../limits.ts';
import type { Log } from '../../log.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource, ResolveOptions, UpstreamRequest } from '../../sources/media-source.ts';
import type { OriginClient } from '../../sources/origin-client.ts';
import { AheadFetcher } from './ahead-fetcher.ts';
import { addressOfPart, isLiveSignature, parseHlsQuality } from './hls-names.ts';
import { HlsStream, type Loaded } from './hls-stream.ts';
import { fetchPieces } from './piece-fetcher.ts';
import { type PlaylistPart, parseKept, parsePlaylist } from './playlist.ts';
import { fetchPlaylistText } from './playlist-text.ts';

export interface HlsStreamServices {
  readonly manager: Pick<ChunkManager, 'open' | 'files'>;
  readonly entries: Pick<EntryTable, 'ensure'>;
  readonly playlists: Pick<PlaylistTable, 'put' | 'list' | 'isWhole' | 'recordWhole'>;
  readonly uses: Pick<UseLog, 'note' | 'nextMs'>;
  readonly client: Pick<OriginClient, 'follow'>;
  readonly ownPort: () => number;
  /** The address of a playlist, by the words of a stream address. */
  readonly findMedia: (source: MediaSource, mediaKey: string, quality: string) => Promise<MediaAddress>;
  /** A player asked for a piece of this entry. */
  readonly played: (entryId: number, isWhole: boolean) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pieces of which is remembered when their address was told: of a film all, of what never ends some. */
const TOLD_MAX = 20_000;

/** What a player is shown. */
export interface ShownPlaylist extends Loaded {
  readonly whole: MediaAddress;
}

/** Who asks for a piece. */
export interface PieceReader {
  /** Names the player. */
  readonly name: string;
  /** Aborted when it goes before it has the piece. */
  readonly signal: AbortSignal;
}

/** Of what was good for a while. */
export function isExpired(error: unknown): boolean {
  return error instanceof LarderError && [401, 403, 404, 410].includes(error.originStatus ?? 0);
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
    const whole = await this.#wholeOf(source, address.mediaKey, name?.whole ?? address.quality);
    const stream = await this.#streamOf(source, whole);
    const loaded = await this.#load(stream, name?.kind === 'playlist' ? name.name : '');
    return { ...loaded, whole: stream.whole };
  }

  /** Null where the quality is no file of a playlist. @throws LarderError `not-found` */
  find(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> | null {
    if (source.kind === 'http' || parseHlsQuality(quality) === null) return null;
    return this.#find(source, mediaKey, quality);
  }

  async #find(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> {
    const name = parseHlsQuality(quality)!;
    const whole = await this.#wholeOf(source, mediaKey, name.whole);
    if (name.kind === 'playlist') return { ...whole, quality, path: whole.path };
    const stream = await this.#streamOf(source, whole);
    const part = await this.#findPart(stream, name.signature, name.name);
    return addressOfPart(whole, name.signature, part, stream.entryId);
  }

  /** Whether it changes as it is played: nothing of it is kept. */
  isLive(address: MediaAddress): boolean {
    const name = parseHlsQuality(address.quality);
    return name?.kind === 'part' && isLiveSignature(name.signature);
  }

  /** Where a piece is now. @throws LarderError `not-found` when the playlist does not have it any more */
  async resolve(source: MediaSource, address: MediaAddress, { isFresh }: ResolveOptions): Promise<UpstreamRequest> {
    const name = parseHlsQuality(address.quality);
    if (name?.kind !== 'part') throw noSuchPiece();
    const stream = await this.#streamOf(source, await this.#wholeOf(source, address.mediaKey, name.whole));
    const { signature, name: partName } = name;
    const key = `${signature}-${partName}`;
    let part = isFresh ? stream.find(signature, partName) : await this.#findPart(stream, signature, partName);
    // Of many that are refused at once only the first one has the playlist asked anew.
    const isOld = isFresh && (stream.told.get(key) ?? stream.round) >= stream.round;
    // What was kept does not say where it is.
    if (isOld || part === null || part.url === '') {
      await this.#renew(stream);
      part = await this.#findPart(stream, signature, partName);
    }
    const { upstream } = stream;
    if (upstream === null || part.url === '') throw noSuchPiece();
    if (stream.told.size >= TOLD_MAX) stream.told.clear();
    stream.told.set(key, stream.round);
    const { baseUrl, local } = upstream;
    return { url: part.url, headers: headersFor(upstream, part.url), baseUrl, local };
  }

  /** A player asked for a piece: those behind it are fetched ahead of it. */
  pieceOpened(source: MediaSource, address: MediaAddress, reader: PieceReader): void {
    const name = parseHlsQuality(address.quality);
    const stream = this.#streams.get(keyOf(source.id, address.mediaKey, name?.whole ?? ''));
    if (name?.kind !== 'part' || stream === undefined) return;
    this.#touch(stream);
    const { uses, played } = this.#services;
    if (stream.entryId !== 0) {
      uses.note(stream.entryId);
      played(stream.entryId, stream.isWhole);
    }
    const playlist = stream.withSignature(name.signature);
    const at = playlist?.places.get(name.name);
    if (playlist === null || playlist.isLive || at === undefined) return;
    const track = `${name.signature} ${reader.name}`;
    const wanted: MediaAddress[] = [];
    let durationMs = 0;
    for (const piece of playlist.pieces.slice(at + 1, at + 1 + HLS_AHEAD_PIECES)) {
      if (durationMs >= HLS_AHEAD_MS) break;
      durationMs += piece.durationMs;
      wanted.push(addressOfPart(stream.whole, playlist.signature, piece, stream.entryId));
    }
    stream.ahead.moveTo(track, address.quality, wanted);
    reader.signal.addEventListener('abort', () => stream.ahead.leave(track, address.quality), { once: true });
  }

  /**
   * Has all of it fetched.
   * @throws LarderError `conflict` for what has no end, `stopped`, or why a piece does not come
   */
  async fetchAll(source: MediaSource, whole: MediaAddress, priority: Priority, signal: AbortSignal): Promise<void> {
    const parts = { manager: this.#services.manager, source, priority };
    let pieces = await this.#listPieces(await this.#streamOf(source, whole), signal);
    try {
      await fetchPieces(pieces, parts, signal);
    } catch (error) {
      // While they were fetched the playlist was asked anew, and is cut otherwise now.
      const isGone = error instanceof LarderError && error.code === 'not-found';
      const before = pieces[0]?.quality;
      if (!isGone || signal.aborted) throw error;
      pieces = await this.#listPieces(await this.#streamOf(source, whole), signal);
      if (pieces[0]?.quality === before) throw error;
      await fetchPieces(pieces, parts, signal);
    }
    const stream = await this.#streamOf(source, whole);
    stream.isWhole = await this.#services.playlists.recordWhole(stream.entryId);
    if (!stream.isWhole) {
      throw new LarderError('storage', 'not all pieces could be kept', {
        retry: 'later',
        hint: 'look under Storage whether there is room',
      });
    }
  }

  /** Resolves when servers were told that nothing is wanted any more, or have not heard of it in a second. */
  async stop(): Promise<void> {
    const told = Promise.all([...this.#streams.values()].map((stream) => this.#close(stream)));
    const late = Promise.withResolvers<void>();
    const timer = this.#services.clock.after(HLS_STOP_MS, late.resolve);
    await Promise.race([told, late.promise]);
    timer.cancel();
  }

  /** The source was removed. */
  forgetSource(sourceId: number): void {
    for (const stream of [...this.#streams.values()]) if (stream.source.id === sourceId) void this.#close(stream);
  }

  async #listPieces(stream: HlsStream, signal: AbortSignal): Promise<MediaAddress[]> {
    const pieces: MediaAddress[] = [];
    for (const { playlist } of await this.#loadAll(stream)) {
      if (signal.aborted) throw new LarderError('stopped', 'nobody wants it any more');
      if (playlist.isLive) {
        throw new LarderError('conflict', 'a live stream has no end that could be fetched', {
          hint: 'play it instead',
        });
      }
      for (const part of playlist.parts.values()) {
        pieces.push(addressOfPart(stream.whole, playlist.signature, part, stream.entryId));
      }
    }
    return pieces;
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
    const known = this.#streams.get(key);
    const stream = known ?? this.#create(source, whole);
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    this.#touch(stream);
    // Its rows may have been evicted since: those of who plays are there, and are not the first to go.
    const isDue = this.#services.clock.monotonicMs() - stream.ensuredAtMs > HLS_ENSURE_MS;
    if (stream.ready === null && isDue) {
      stream.ready = this.#ensure(stream).finally(() => {
        stream.ready = null;
      });
    }
    await stream.ready;
    return stream;
  }

  #create(source: MediaSource, whole: MediaAddress): HlsStream {
    const { manager, log } = this.#services;
    if (this.#streams.size >= HLS_STREAMS_MAX) {
      const all = [...this.#streams.values()];
      const oldest = all.find((stream) => !this.#isBusy(stream)) ?? all[0];
      if (oldest !== undefined) void this.#close(oldest);
    }
    return new HlsStream(source, whole, new AheadFetcher({ manager, source, priority: Priority.high }, log));
  }

  async #ensure(stream: HlsStream): Promise<void> {
    const { entries, uses, playlists, clock, log } = this.#services;
    try {
      const ids = await entries.ensure({ ...stream.whole, sourceId: stream.source.id }, uses.nextMs());
      stream.entryId = ids.entryId;
      stream.mediaId = ids.mediaId;
      stream.isWhole = await playlists.isWhole(ids.entryId);
    } catch (error) {
      // Where the database takes nothing it plays all the same.
      log.debug('a playlist could not be noted', { error: describeError(error) });
    }
    stream.ensuredAtMs = clock.monotonicMs();
  }

  #touch(stream: HlsStream): void {
    stream.idle?.cancel();
    if (stream.isClosed) return;
    stream.idle = this.#services.clock.after(HLS_IDLE_MS, () => {
      // A piece may take long to come.
      if (this.#isBusy(stream)) this.#touch(stream);
      else void this.#close(stream);
    });
  }

  /** Whether some of its pieces are being read or fetched. */
  #isBusy({ source, whole }: HlsStream): boolean {
    for (const { identity, isUsed } of this.#services.manager.files()) {
      const { address, sourceId } = identity;
      const isPiece = sourceId === source.id && address.mediaKey === whole.mediaKey;
      if (isPiece && isUsed && address.partOf?.quality === whole.quality) return true;
    }
    return false;
  }

  async #close(stream: HlsStream): Promise<void> {
    const key = keyOf(stream.source.id, stream.whole.mediaKey, stream.whole.quality);
    if (this.#streams.get(key) === stream) this.#streams.delete(key);
    stream.isClosed = true;
    stream.idle?.cancel();
    stream.ahead.stop();
    const { keeper } = stream;
    stream.keeper = null;
    await keeper?.stop();
  }

  /** @param name - empty for the first playlist */
  async #load(stream: HlsStream, name: string): Promise<Loaded> {
    if (stream.renewing !== null) await stream.renewing.catch(() => undefined);
    const known = stream.playlists.get(name);
    const ageMs = known === undefined ? 0 : this.#services.clock.monotonicMs() - known.loadedAtMs;
    if (known !== undefined && (!known.playlist.isLive || ageMs < HLS_LIVE_MS)) return known;
    let loading = stream.loading.get(name);
    if (loading === undefined) {
      loading = this.#loadNow(stream, name).finally(() => {
        stream.loading.delete(name);
        this.#makeRoom(stream);
      });
      stream.loading.set(name, loading);
    }
    return loading;
  }

  /** What is longest ago goes first, and never what is asked for or played. */
  #makeRoom(used: HlsStream): void {
    const all = [...this.#streams.values()];
    let length = all.reduce((sum, stream) => sum + stream.length, 0);
    for (const stream of all) {
      if (length <= HLS_ALL_MAX_LENGTH) return;
      if (stream === used || this.#isBusy(stream)) continue;
      length -= stream.length;
      void this.#close(stream);
    }
  }

  async #loadNow(stream: HlsStream, name: string): Promise<Loaded> {
    const kept = stream.isWhole ? await this.#findKept(stream, name) : null;
    if (kept !== null) return stream.note(name, kept);
    try {
      return await this.#askUntilGood(stream, name);
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      const remembered = await this.#findKept(stream, name);
      if (remembered === null) throw error;
      this.#services.log.debug('a playlist is shown as it was kept', { reason: error.message });
      return stream.note(name, remembered);
    }
  }

  async #askUntilGood(stream: HlsStream, name: string): Promise<Loaded> {
    const { round } = stream;
    try {
      const loaded = await this.#ask(stream, name);
      // Addresses of another round are not good any more.
      const newer = stream.round === round ? undefined : stream.playlists.get(name);
      return newer ?? stream.note(name, loaded);
    } catch (error) {
      if (!isExpired(error)) throw error;
      if (stream.round === round) await this.#renew(stream);
      return stream.playlists.get(name) ?? stream.note(name, await this.#ask(stream, name));
    }
  }

  async #ask(stream: HlsStream, name: string): Promise<Omit<Loaded, 'earlier'>> {
    const { client, ownPort, clock } = this.#services;
    const first = name === '' ? null : await this.#load(stream, '');
    const part = first?.playlist.parts.get(name);
    if (first !== null && (part === undefined || part.url === '')) throw noSuchPiece();
    const upstream = stream.upstream ?? (await this.#resolveWhole(stream, false));
    const url = part?.url ?? upstream.url;
    const question = { ...upstream, url, headers: headersFor(upstream, url) };
    const answer = await fetchPlaylistText(question, { client, ownPort: ownPort(), clock });
    const playlist = parsePlaylist(answer.text, answer.url, { name, identity: part?.identity });
    stream.refuseBeyondBound(name, playlist);
    const loaded = { playlist, isFromOrigin: true, loadedAtMs: clock.monotonicMs() };
    if (!playlist.isLive) await this.#keep(stream, name, loaded);
    return loaded;
  }

  /** Asks for all addresses anew, once for all that find the old ones refused. */
  #renew(stream: HlsStream): Promise<void> {
    stream.renewing ??= this.#renewNow(stream).finally(() => {
      stream.renewing = null;
    });
    return stream.renewing;
  }

  async #renewNow(stream: HlsStream): Promise<void> {
    const { clock } = this.#services;
    // What is refused that soon again is refused for another reason.
    if (clock.monotonicMs() - stream.renewedAtMs < HLS_RENEW_MS) {
      if (stream.renewError !== null) throw stream.renewError;
      return;
    }
    stream.renewedAtMs = clock.monotonicMs();
    stream.renewError = null;
    try {
      await this.#askForAll(stream);
    } catch (error) {
      stream.renewError = error;
      throw error;
    }
  }

  async #askForAll(stream: HlsStream): Promise<void> {
    const { clock } = this.#services;
    const names = [...stream.playlists.keys()].filter((name) => name !== '');
    const upstream = await this.#resolveWhole(stream, true);
    const { client, ownPort } = this.#services;
    const parts = { client, ownPort: ownPort(), clock };
    const answer = await fetchPlaylistText(upstream, parts);
    const first = parsePlaylist(answer.text, answer.url);
    const fresh = new Map<string, Omit<Loaded, 'earlier'>>();
    fresh.set('', { playlist: first, isFromOrigin: true, loadedAtMs: clock.monotonicMs() });
    for (const name of names) {
      const part = first.parts.get(name);
      if (part === undefined) continue;
      const { url, identity } = part;
      const text = await fetchPlaylistText({ ...upstream, url, headers: headersFor(upstream, url) }, parts);
      const playlist = parsePlaylist(text.text, text.url, { name, identity });
      fresh.set(name, { playlist, isFromOrigin: true, loadedAtMs: clock.monotonicMs() });
    }
    stream.round += 1;
    for (const name of names) if (!fresh.has(name)) stream.playlists.delete(name);
    for (const [name, loaded] of fresh) {
      stream.note(name, loaded);
      if (!loaded.playlist.isLive) await this.#keep(stream, name, loaded);
    }
  }

  #resolveWhole(stream: HlsStream, isFresh: boolean): Promise<UpstreamRequest> {
    if (isFresh) return this.#resolveNow(stream, true);
    stream.resolving ??= this.#resolveNow(stream, false).finally(() => {
      stream.resolving = null;
    });
    return stream.resolving;
  }

  async #resolveNow(stream: HlsStream, isFresh: boolean): Promise<UpstreamRequest> {
    const { client, clock, ownPort } = this.#services;
    const upstream = await stream.source.resolve(stream.whole, { isFresh, isBackground: false });
    void stream.keeper?.stop();
    stream.upstream = upstream;
    const request = { ...upstream, ownPort: ownPort(), range: null, ifRange: null, expectsMedia: false };
    const keeper = upstream.session === undefined ? null : new SessionKeeper(request, { client, clock });
    stream.keeper = stream.isClosed ? null : keeper;
    // Nobody would end it later.
    if (stream.isClosed) void keeper?.stop();
    else keeper?.start();
    return upstream;
  }

  async #keep(stream: HlsStream, name: string, { playlist }: Omit<Loaded, 'earlier'>): Promise<void> {
    const { playlists, clock, log } = this.#services;
    const { mediaId, whole } = stream;
    const { kind, body, signature, parts } = playlist;
    const pieceCount = kind === 'master' ? 0 : parts.size;
    const row = { mediaId, quality: whole.quality, name, kind, body, signature, pieceCount, fetchedAt: clock.nowMs() };
    // Where the database takes nothing it plays all the same.
    await playlists.put(row, kind === 'master' ? [...parts.keys()] : []).catch((error: unknown) => {
      log.debug('a playlist could not be kept', { error: describeError(error) });
    });
  }

  async #findKept(stream: HlsStream, name: string): Promise<Omit<Loaded, 'earlier'> | null> {
    const { playlists, clock } = this.#services;
    const { source, whole } = stream;
    const rows = await playlists.list(source.id, whole.mediaKey, whole.quality);
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined) return null;
    return { playlist: parseKept(row), isFromOrigin: false, loadedAtMs: clock.monotonicMs() };
  }

  /** The media playlists of it. */
  async #loadAll(stream: HlsStream): Promise<Loaded[]> {
    const first = await this.#load(stream, '');
    if (first.playlist.kind === 'media') return [first];
    const loaded: Loaded[] = [];
    for (const name of first.playlist.parts.keys()) {
      if (name.startsWith('m')) loaded.push(await this.#load(stream, name));
    }
    return loaded;
  }

  async #findPart(stream: HlsStream, signature: string, name: string): Promise<PlaylistPart> {
    const known = stream.find(signature, name);
    if (known !== null) return known;
    await this.#loadAll(stream);
    const found = stream.find(signature, name);
    if (found === null) throw noSuchPiece();
    return found;
  }
}

/** Credentials belong to the server that they were given for. */
function headersFor(upstream: UpstreamRequest, url: string): UpstreamRequest['headers'] {
  return new URL(url).origin === new URL(upstream.url).origin ? upstream.headers : {};
}

function keyOf(sourceId: number, mediaKey: string, quality: string): string {
  return JSON.stringify([sourceId, mediaKey, quality]);
}

function noSuchPiece(): LarderError {
  return new LarderError('not-found', 'the playlist has no such piece (any more)', {
    hint: 'start the film again: its playlist is made anew then',
  });
}
