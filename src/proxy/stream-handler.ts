// GET and HEAD of a stream address. Writes straight to the response of node:http: `Bun.serve` and web streams lose
// Content-Length or cut slow readers (facts/runtime.md §1).
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ByteRange } from '../bytes/byte-range.ts';
import { parseRangeHeader, type RangeSpec } from '../bytes/range-header.ts';
import type { CachedFile } from '../chunks/cached-file.ts';
import type { ChunkManager, OpenOptions } from '../chunks/chunk-manager.ts';
import type { Reader, ReaderLabel } from '../chunks/reader.ts';
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import { READERS_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import { isHttpSource } from '../sources/http-kind.ts';
import { decodePath, describePath, type MediaAddress } from '../sources/media-address.ts';
import type { MediaSource } from '../sources/media-source.ts';
import type { BufferPool } from './buffer-pool.ts';
import { cutResponse } from './cut-response.ts';
import { sendError } from './error-response.ts';
import type { HlsHandler, LinkOf } from './hls/hls-handler.ts';
import type { PieceReader } from './hls/hls-streams.ts';
import { layOutMultipart } from './multipart.ts';
import { PlayerGone } from './player-gone.ts';
import { evaluatePreconditions, rangeApplies } from './preconditions.ts';
import type { Arrival, OpenResponse, Readers } from './readers.ts';
import { BodyWriter } from './response-body.ts';
import {
  commonHeaders,
  contentRangeHeader,
  type HeaderRecord,
  representationHeaders,
  type Selection,
  selectRanges,
  validatorsOf,
} from './response-head.ts';
import { ResponseWriter } from './response-writer.ts';

export interface StreamServices {
  readonly manager: ChunkManager;
  readonly findSource: (name: string) => MediaSource | undefined;
  /** @throws LarderError when the source has no such item in this quality */
  readonly findMedia: (source: MediaSource, mediaKey: string, quality: string) => Promise<MediaAddress>;
  /** Which quality to give where that is left to Larder. @throws LarderError when there is none */
  readonly chooseQuality: (source: MediaSource, mediaKey: string, hints: AutoHints) => Promise<ChosenQuality>;
  readonly readers: Pick<Readers, 'arrived' | 'opened'>;
  /** Playlists, and what of them is not kept. */
  readonly hls: Pick<HlsHandler, 'handles' | 'handle'>;
  /** A piece of a playlist is being played. */
  readonly pieceOpened: (source: MediaSource, address: MediaAddress, reader: PieceReader) => void;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomId: () => string;
}

/** A request that is answered with bytes. */
interface Visit {
  readonly source: string;
  readonly label: ReaderLabel;
  /** Monotonic time at which it came. */
  readonly requestedAtMs: number;
  /** Undefined for a HEAD. */
  readonly arrival: Arrival | undefined;
}

export interface StreamTarget {
  readonly sourceName: string;
  /** Below the source, as it stood in the request line: not decoded, not normalised. */
  readonly rawPath: string;
  /** `path`: a file below a base URL. `media`: MEDIA/QUALITY/FILENAME of a catalogue. */
  readonly kind: 'path' | 'media';
  /** Who asks, where a trusted proxy says that it is not its peer. */
  readonly clientAddress?: string;
  /** How addresses in what is answered are written for who asks. */
  readonly linkOf: LinkOf;
  /** Lines that a film has at most for who asks, as they prefer and as their address says; null for no limit. */
  readonly preferredHeight: () => Promise<number | null>;
  readonly askedHeight: number | null;
}

export interface AutoHints {
  readonly player: string;
  readonly asked: number | null;
  readonly preferred: number | null;
  readonly device: number | null;
}

export interface ChosenQuality {
  readonly quality: string;
  readonly reason: string;
}

/** In place of the name of a quality. */
const AUTO = 'auto';
/** Save-Data asks for less of everything. */
const SAVING_HEIGHT = 480;

/** A file that changes under a client that has heard nothing yet is opened anew, this often. */
const REOPENS_MAX = 2;

/** Paths of which is remembered what they name: a player asks for one of them again and again. */
const DESCRIBED_MAX = 200;

const WHOLE_OF_UNKNOWN: ByteRange = { start: 0, end: Number.MAX_SAFE_INTEGER };

export class StreamHandler {
  readonly #services: StreamServices;
  /** Responses that are open, by the source they are of. */
  readonly #bySource = new Map<ServerResponse, number>();
  /** What paths name, as they stood in the request line. */
  readonly #described = new Map<string, MediaAddress>();
  readonly #monotonicMs: () => number;
  #openCount = 0;
  #onEnded: (() => void) | undefined;

  constructor(services: StreamServices) {
    this.#services = services;
    this.#monotonicMs = () => services.clock.monotonicMs();
  }

  get openCount(): number {
    return this.#openCount;
  }

  /** The source was removed: who still reads of it is cut. */
  cutSource(sourceId: number): void {
    for (const [response, id] of [...this.#bySource]) if (id === sourceId) cutResponse(response);
  }

  /** Resolves when no stream is open any more, or after that time. */
  ended(withinMs: number): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#services.clock.after(withinMs, resolve);
      this.#onEnded = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async handle(request: IncomingMessage, response: ServerResponse, target: StreamTarget): Promise<void> {
    const gone = new PlayerGone(response);
    const requestedAtMs = this.#monotonicMs();
    this.#openCount += 1;
    try {
      if (this.#openCount > READERS_MAX) {
        throw new LarderError('overloaded', 'too many streams are open', { hint: `the limit is ${READERS_MAX}` });
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response
          .writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0', 'X-Content-Type-Options': 'nosniff' })
          .end();
        return;
      }
      const source = this.#services.findSource(target.sourceName);
      if (source === undefined) {
        throw new LarderError('unknown-source', `there is no source named ${JSON.stringify(target.sourceName)}`, {
          hint: 'sources are added on the page of sources, or declared with --source NAME=URL',
        });
      }
      this.#bySource.set(response, source.id);
      const label = {
        address: target.clientAddress ?? request.socket.remoteAddress ?? 'unknown',
        player: request.headers['user-agent'] ?? 'unknown',
      };
      const located = this.#locate(source, target, request, response, label);
      const address = located instanceof Promise ? await located : located;
      const { hls, pieceOpened } = this.#services;
      if (hls.handles(source, address)) {
        const { linkOf } = target;
        const asked = { isHead: request.method === 'HEAD', range: request.headers.range, linkOf, signal: gone.signal };
        await hls.handle(response, source, address, asked);
        return;
      }
      const responding = this.#respond(request, response, source, address, label, gone, requestedAtMs);
      // Behind it: what is waited for comes before what will be.
      if (address.partOf !== undefined && request.method === 'GET') {
        pieceOpened(source, address, { name: `${label.address} ${label.player}`, signal: gone.signal });
      }
      await responding;
    } catch (error) {
      if (error instanceof LarderError && error.code === 'is-folder' && !response.headersSent) {
        const [path, query] = (request.url ?? '').split(/\?(.*)/s, 2);
        response
          .writeHead(301, {
            Location: `${path}/${query ? `?${query}` : ''}`,
            'Content-Length': '0',
            'Cache-Control': 'no-cache',
          })
          .end();
      } else this.#fail(request, response, error);
    } finally {
      this.#bySource.delete(response);
      this.#openCount -= 1;
      if (this.#openCount === 0) this.#onEnded?.();
      gone.release();
    }
  }

  /** A path says by itself what it names. */
  #locate(
    source: MediaSource,
    target: StreamTarget,
    request: IncomingMessage,
    response: ServerResponse,
    label: ReaderLabel,
  ): MediaAddress | Promise<MediaAddress> {
    const { kind, rawPath } = target;
    if (kind === 'media') return this.#findMedia(source, target, request, response, label);
    if (isHttpSource(source)) return this.#describe(rawPath);
    throw new LarderError('bad-address', `${source.name} is a catalogue, which has no paths`, {
      hint: 'its files are at /stream/SOURCE/MEDIA/QUALITY/NAME: copy the address from the page of the film',
    });
  }

  #describe(rawPath: string): MediaAddress {
    const known = this.#described.get(rawPath);
    if (known !== undefined) return known;
    const address = describePath(decodePath(rawPath));
    if (this.#described.size >= DESCRIBED_MAX) this.#described.clear();
    this.#described.set(rawPath, address);
    return address;
  }

  async #findMedia(
    source: MediaSource,
    { rawPath, askedHeight, preferredHeight }: StreamTarget,
    request: IncomingMessage,
    response: ServerResponse,
    label: ReaderLabel,
  ): Promise<MediaAddress> {
    const { mediaKey, quality } = decodeMedia(rawPath);
    const { findMedia, chooseQuality } = this.#services;
    if (quality !== AUTO) return findMedia(source, mediaKey, quality);
    const chosen = await chooseQuality(source, mediaKey, {
      player: `${label.address} ${label.player}`,
      asked: askedHeight,
      preferred: await preferredHeight(),
      device: deviceHeight(request.headers),
    });
    response.setHeader('X-Larder-Quality', chosen.quality);
    response.setHeader('X-Larder-Quality-Reason', chosen.reason);
    return findMedia(source, mediaKey, chosen.quality);
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent) {
      // A short body must never pass for a whole one (CONTRACT.md, promise 9).
      response.destroy();
    } else if (!response.destroyed) {
      sendError(response, error, request.method !== 'HEAD');
    }
    if (!(error instanceof LarderError)) {
      this.#services.log.error('a stream failed', {
        error: String(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    } else if (error.code !== 'stopped') {
      this.#services.log.debug('a stream ended early', { code: error.code, reason: error.message });
    }
  }

  async #respond(
    request: IncomingMessage,
    response: ServerResponse,
    source: MediaSource,
    address: MediaAddress,
    label: ReaderLabel,
    gone: PlayerGone,
    requestedAtMs: number,
  ): Promise<void> {
    const isHead = request.method === 'HEAD';
    // RFC 9110 §14.2: Range is defined for GET only.
    const specs = isHead ? null : parseRangeHeader(request.headers.range);
    for (let attempt = 0; ; attempt++) {
      const visit = { source: source.name, label, requestedAtMs };
      let arrival: Arrival | undefined;
      try {
        let file = this.#services.manager.openAtOnce(source, address, { spec: specs?.[0] ?? null, probe: isHead });
        if (file === null) {
          if (!isHead) arrival = this.#services.readers.arrived({ ...visit, address, response });
          const options = { probe: isHead, askedAtMs: requestedAtMs, signal: gone.signal };
          file = await this.#open(source, address, specs, options);
        }
        // Who has gone says so no second time: a reader of theirs would wait for its bytes all the same.
        if (response.destroyed) return;
        await this.#respondWith(file, request, response, specs, { ...visit, arrival });
        return;
      } catch (error) {
        const changed = error instanceof LarderError && error.code === 'origin-changed';
        if (!changed || response.headersSent || attempt >= REOPENS_MAX) throw error;
      } finally {
        arrival?.end();
      }
    }
  }

  async #open(
    source: MediaSource,
    address: MediaAddress,
    specs: readonly RangeSpec[] | null,
    options: Pick<OpenOptions, 'probe' | 'askedAtMs' | 'signal'>,
  ): Promise<CachedFile> {
    const { manager } = this.#services;
    try {
      return await manager.open(source, address, { ...options, spec: specs?.[0] ?? null });
    } catch (error) {
      // A range past the end of a file of which nothing is known: what the file is says its start.
      if (!(error instanceof LarderError) || error.code !== 'out-of-range') throw error;
      return await manager.open(source, address, { ...options, spec: null, probe: true });
    }
  }

  /** Undefined when it was answered at once. */
  #respondWith(
    file: CachedFile,
    request: IncomingMessage,
    response: ServerResponse,
    specs: readonly RangeSpec[] | null,
    visit: Visit,
  ): Promise<void> | undefined {
    const validators = validatorsOf(file);
    const { headers } = request;
    const result = evaluatePreconditions(
      {
        ifMatch: headers['if-match'],
        ifNoneMatch: headers['if-none-match'],
        ifModifiedSince: headers['if-modified-since'],
        ifUnmodifiedSince: headers['if-unmodified-since'],
        ifRange: undefined,
      },
      validators,
    );
    if (result !== 'proceed') {
      const status = result === 'failed' ? 412 : 304;
      // A 304 has no body of its own to give a length of (RFC 9110 §15.4.5).
      response
        .writeHead(status, { ...commonHeaders(file), ...(status === 412 ? { 'Content-Length': '0' } : {}) })
        .end();
      return undefined;
    }
    const applies = rangeApplies(headers['if-range'] as string | undefined, validators);
    const selection = selectRanges(applies ? specs : null, file.totalBytes);
    if (selection.kind === 'unsatisfiable') {
      response
        .writeHead(416, {
          ...commonHeaders(file),
          'Content-Range': `bytes */${file.totalBytes}`,
          'Content-Length': '0',
        })
        .end();
      return undefined;
    }
    if (request.method === 'HEAD') {
      this.#sendHead(file, response, visit.requestedAtMs);
      return undefined;
    }
    if (selection.kind === 'several') return this.#sendSeveral(file, response, selection.ranges, visit);
    return this.#sendOne(file, response, selection, visit);
  }

  #sendHead(file: CachedFile, response: ServerResponse, startedAtMs: number): void {
    const headers: HeaderRecord = { ...representationHeaders(file) };
    if (file.totalBytes !== null) headers['Content-Length'] = String(file.totalBytes);
    const end = file.totalBytes ?? Number.MAX_SAFE_INTEGER;
    const status = file.isComplete ? 'HIT' : file.available.countWithin(0, end) > 0 ? 'PARTIAL' : 'MISS';
    this.#addTiming(headers, status, startedAtMs);
    response.writeHead(200, headers).end();
  }

  async #sendOne(
    file: CachedFile,
    response: ServerResponse,
    selection: Extract<Selection, { kind: 'whole' | 'single' }>,
    visit: Visit,
  ): Promise<void> {
    const { source, label, requestedAtMs } = visit;
    const whole = file.totalBytes === null ? WHOLE_OF_UNKNOWN : { start: 0, end: file.totalBytes };
    const range = selection.kind === 'whole' ? whole : selection.range;
    const reader = file.openReader(range, selection.kind === 'single' && selection.bounded, label, requestedAtMs);
    const open = this.#services.readers.opened({ source, requestedAtMs, file, reader, response }, visit.arrival);
    const writer = new ResponseWriter(response);
    writer.onGone = () => reader.close();
    const body = this.#bodyOf(reader, writer);
    try {
      const waiting = body.prepare();
      if (waiting !== null) await waiting;
      const headers: HeaderRecord = { ...representationHeaders(file) };
      this.#addTiming(headers, reader.cacheStatus, requestedAtMs);
      if (selection.kind === 'single') headers['Content-Range'] = contentRangeHeader(range, file);
      if (file.totalBytes !== null)
        headers['Content-Length'] = String(Math.min(range.end, file.totalBytes) - range.start);
      open.answered();
      response.writeHead(selection.kind === 'single' ? 206 : 200, headers);
      await body.send(true);
      if (!response.writableEnded) await this.#finish(response);
      open.end();
    } catch (error) {
      open.end(error);
      throw error;
    } finally {
      writer.release();
      body.release();
      reader.close();
    }
  }

  async #sendSeveral(
    file: CachedFile,
    response: ServerResponse,
    ranges: readonly ByteRange[],
    visit: Visit,
  ): Promise<void> {
    const headers: HeaderRecord = { ...representationHeaders(file) };
    const layout = layOutMultipart(ranges, file.totalBytes!, headers['Content-Type']!, this.#services.randomId());
    let open: OpenResponse | undefined;
    const writer = new ResponseWriter(response);
    try {
      for (const [index, range] of ranges.entries()) {
        const reader = file.openReader(range, true, visit.label, index === 0 ? visit.requestedAtMs : undefined);
        if (open === undefined)
          open = this.#services.readers.opened({ ...visit, file, reader, response }, visit.arrival);
        else open.continueWith(reader);
        writer.onGone = () => reader.close();
        const body = this.#bodyOf(reader, writer);
        try {
          await body.prepare();
          if (index === 0) {
            open.answered();
            this.#addTiming(headers, reader.cacheStatus, visit.requestedAtMs);
            response.writeHead(206, {
              ...headers,
              'Content-Type': layout.contentType,
              'Content-Length': String(layout.contentLength),
            });
          }
          await writer.write(layout.partHeads[index]!);
          await body.send(false);
        } finally {
          body.release();
          reader.close();
        }
      }
      await writer.write(layout.tail);
      await this.#finish(response);
      open?.end();
    } catch (error) {
      open?.end(error);
      throw error;
    } finally {
      writer.release();
    }
  }

  #bodyOf(reader: Reader, writer: ResponseWriter): BodyWriter {
    return new BodyWriter({ writer, reader, pool: this.#services.pool, monotonicMs: this.#monotonicMs });
  }

  #finish(response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      if (response.destroyed || response.writableEnded) resolve();
      else response.end(() => resolve());
    });
  }

  #addTiming(headers: HeaderRecord, cacheStatus: string, startedAtMs: number): void {
    const waitedMs = this.#services.clock.monotonicMs() - startedAtMs;
    headers['X-Cache'] = cacheStatus;
    headers['Server-Timing'] = `cache;desc=${cacheStatus}, firstbyte;dur=${waitedMs.toFixed(1)}`;
  }
}

/** The file's name is cosmetic (CONTRACT.md, Addresses): for players that look at the end of an address. */
function decodeMedia(rawPath: string): { mediaKey: string; quality: string } {
  const [media = '', quality = ''] = rawPath.split('/');
  try {
    const mediaKey = decodeURIComponent(media);
    if (mediaKey !== '' && quality !== '') return { mediaKey, quality: decodeURIComponent(quality) };
  } catch {
    // As any other address that is none.
  }
  throw new LarderError('bad-address', 'this is no address of a film', {
    hint: 'it is /stream/SOURCE/MEDIA/QUALITY/NAME, percent-encoded: copy it from the page of the film',
  });
}

/** What a browser says of the screen that it plays on, and whether it is to spare the line (W3C client hints). */
function deviceHeight(headers: IncomingHttpHeaders): number | null {
  if (headers['save-data'] === 'on') return SAVING_HEIGHT;
  const lines = Number(headers['sec-ch-viewport-height'] ?? Number.NaN);
  const ratio = Number(headers['sec-ch-dpr'] ?? 1);
  return lines > 0 && ratio > 0 ? Math.max(SAVING_HEIGHT, Math.round(lines * ratio)) : null;
}
