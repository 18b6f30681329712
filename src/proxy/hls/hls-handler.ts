// Answers the address of a playlist: with addresses of ours in place of the source's. Pieces are answered as any other
// file; those of a live playlist are passed through, and nothing of them is kept.
import type { ServerResponse } from 'node:http';
import { parseRangeHeader } from '../../bytes/range-header.ts';
import { LarderError } from '../../errors.ts';
import { HLS_LIVE_PIECES_MAX } from '../../limits.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource } from '../../sources/media-source.ts';
import type { OriginClient } from '../../sources/origin-client.ts';
import type { OriginHead, OriginRange } from '../../sources/origin-response.ts';
import { contentTypeOf } from '../content-type.ts';
import { writeAndWait } from '../response-body.ts';
import { parseHlsQuality } from './hls-names.ts';
import { type HlsStreams, isExpired, type ShownPlaylist } from './hls-streams.ts';
import { PLAYLIST_TYPE, writePlaylist } from './playlist.ts';

export interface HlsHandlerServices {
  readonly streams: HlsStreams;
  readonly client: Pick<OriginClient, 'open'>;
  readonly ownPort: () => number;
}

/** How the address of a file of ours is written for who asked: below the base path, signed where they need it. */
export type LinkOf = (path: string) => string;

export interface HlsQuestion {
  readonly isHead: boolean;
  /** As it came. */
  readonly range: string | undefined;
  readonly linkOf: LinkOf;
  /** Aborted when who asked went away. */
  readonly signal: AbortSignal;
}

export class HlsHandler {
  readonly #services: HlsHandlerServices;
  #passingCount = 0;

  constructor(services: HlsHandlerServices) {
    this.#services = services;
  }

  /** Whether it is answered here, not as a file. */
  handles(source: MediaSource, address: MediaAddress): boolean {
    const { streams } = this.#services;
    return streams.servesPlaylist(source, address) || streams.isLive(address);
  }

  /** @throws LarderError before anything was sent */
  async handle(
    response: ServerResponse,
    source: MediaSource,
    address: MediaAddress,
    question: HlsQuestion,
  ): Promise<void> {
    const { streams } = this.#services;
    if (streams.isLive(address)) {
      await this.#passThrough(response, source, address, question);
      return;
    }
    const shown = await streams.show(source, address);
    const body = new TextEncoder().encode(
      writePlaylist(shown.playlist.body, partLinks(source, shown, question.linkOf)),
    );
    response.writeHead(200, {
      'Content-Type': PLAYLIST_TYPE,
      'Content-Length': String(body.length),
      // What it says is good for a moment: its pieces are what is kept.
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'X-Cache': shown.playlist.isLive ? 'BYPASS' : shown.isFromOrigin ? 'MISS' : 'HIT',
    });
    response.end(question.isHead ? undefined : body);
  }

  async #passThrough(
    response: ServerResponse,
    source: MediaSource,
    address: MediaAddress,
    { isHead, range, signal }: HlsQuestion,
  ): Promise<void> {
    const headers = {
      // By its name only: nothing that a browser would run (CONTRACT.md, promise 13).
      'Content-Type': contentTypeOf(null, address.container),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Cache': 'BYPASS',
    };
    if (isHead) {
      response.writeHead(200, headers).end();
      return;
    }
    if (this.#passingCount >= HLS_LIVE_PIECES_MAX) {
      throw new LarderError('overloaded', 'too many watch live streams', {
        retry: 'later',
        retryAfterMs: 2_000,
        hint: `the limit is ${HLS_LIVE_PIECES_MAX} at once`,
      });
    }
    const abort = new AbortController();
    const leave = () => abort.abort();
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    this.#passingCount += 1;
    try {
      const asked = rangeOf(range);
      const { head, body } = await this.#open(source, address, asked, abort);
      const isPart = asked !== null && head.bodyBytes !== null && head.bodyBytes !== head.totalBytes;
      response.writeHead(isPart ? 206 : 200, {
        ...headers,
        ...(head.bodyBytes === null ? {} : { 'Content-Length': String(head.bodyBytes) }),
        ...(isPart ? { 'Content-Range': contentRange(head) } : {}),
      });
      const reader = body?.getReader();
      for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
        await writeAndWait(response, part.value);
      }
      response.end();
    } catch (error) {
      if (response.headersSent || error instanceof LarderError) throw error;
      throw new LarderError('origin-failed', 'a piece of a live stream broke off', { retry: 'soon', cause: error });
    } finally {
      this.#passingCount -= 1;
      signal.removeEventListener('abort', leave);
      abort.abort();
    }
  }

  async #open(source: MediaSource, address: MediaAddress, range: OriginRange | null, abort: AbortController) {
    const { streams, client, ownPort } = this.#services;
    const open = async (isFresh: boolean, attempt: AbortController) => {
      const upstream = await streams.resolve(source, address, { isFresh, isBackground: false });
      const request = { ...upstream, ownPort: ownPort(), range, ifRange: null, expectsMedia: true };
      return client.open(request, attempt);
    };
    // A refused attempt is aborted by who made it.
    const first = new AbortController();
    const leave = () => first.abort();
    abort.signal.addEventListener('abort', leave, { once: true });
    try {
      return await open(false, first);
    } catch (error) {
      if (!isExpired(error) || abort.signal.aborted) throw error;
      return open(true, abort);
    }
  }
}

/** Pieces that are parts of one file are asked for by their ranges (RFC 8216 §4.3.2.2). */
function rangeOf(header: string | undefined): OriginRange | null {
  const [spec] = parseRangeHeader(header) ?? [];
  if (spec?.kind !== 'from') return null;
  return { kind: 'from', start: spec.first, end: spec.last === null ? null : spec.last + 1 };
}

function contentRange({ start, bodyBytes, totalBytes }: OriginHead): string {
  return `bytes ${start}-${start + (bodyBytes ?? 0) - 1}/${totalBytes ?? '*'}`;
}

/** Addresses of what a playlist points to, by its name there. */
function partLinks(source: MediaSource, { whole, playlist }: ShownPlaylist, linkOf: LinkOf) {
  const base = `/stream/${encodeURIComponent(source.name)}/${encodeURIComponent(whole.mediaKey)}`;
  return (name: string, container: string) => {
    const isPlaylist = parseHlsQuality(`${whole.quality}~${name}`)?.kind === 'playlist';
    const quality = isPlaylist ? `${whole.quality}~${name}` : `${whole.quality}~${playlist.signature}-${name}`;
    return linkOf(`${base}/${quality}/${name}.${container}`);
  };
}
