// Answers the address of a playlist: with addresses of ours in place of the source's. Pieces are answered as any other
// file; those of a live playlist are passed through, and nothing of them is kept.
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import { LarderError } from '../../errors.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource } from '../../sources/media-source.ts';
import type { OriginClient } from '../../sources/origin-client.ts';
import { contentTypeOf } from '../content-type.ts';
import { writeAndWait } from '../response-body.ts';
import { parseHlsQuality } from './hls-names.ts';
import type { HlsStreams, ShownPlaylist } from './hls-streams.ts';
import { PLAYLIST_TYPE, writePlaylist } from './playlist.ts';

export interface HlsHandlerServices {
  readonly streams: HlsStreams;
  readonly client: Pick<OriginClient, 'open'>;
  readonly ownPort: () => number;
  readonly clock: Clock;
}

/** How the address of a file of ours is written for who asked: below the base path, signed where they need it. */
export type LinkOf = (path: string) => string;

export class HlsHandler {
  readonly #services: HlsHandlerServices;

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
    { isHead, linkOf, signal }: { readonly isHead: boolean; readonly linkOf: LinkOf; readonly signal: AbortSignal },
  ): Promise<void> {
    const { streams } = this.#services;
    if (streams.isLive(address)) {
      await this.#passThrough(response, source, address, isHead, signal);
      return;
    }
    const shown = await streams.show(source, address);
    const body = new TextEncoder().encode(writePlaylist(shown.playlist.body, partLinks(source, shown, linkOf)));
    response.writeHead(200, {
      'Content-Type': PLAYLIST_TYPE,
      'Content-Length': String(body.length),
      // What it says is good for a moment: its pieces are what is kept.
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'X-Cache': shown.playlist.isLive ? 'BYPASS' : shown.isFromOrigin ? 'MISS' : 'HIT',
    });
    response.end(isHead ? undefined : body);
  }

  async #passThrough(
    response: ServerResponse,
    source: MediaSource,
    address: MediaAddress,
    isHead: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { streams, client, ownPort } = this.#services;
    const upstream = await streams.resolve(source, address, { isFresh: false, isBackground: false });
    const abort = new AbortController();
    const leave = () => abort.abort();
    signal.addEventListener('abort', leave, { once: true });
    try {
      const request = { ...upstream, ownPort: ownPort(), range: null, ifRange: null, expectsMedia: true };
      const { head, body } = await client.open(request, abort);
      response.writeHead(200, {
        // By its name only: nothing that a browser would run (CONTRACT.md, promise 13).
        'Content-Type': contentTypeOf(null, address.container),
        ...(head.bodyBytes === null ? {} : { 'Content-Length': String(head.bodyBytes) }),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'X-Cache': 'BYPASS',
      });
      if (!isHead && body !== null) {
        const reader = body.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          await writeAndWait(response, part.value);
        }
      }
      response.end();
    } catch (error) {
      if (response.headersSent || error instanceof LarderError) throw error;
      throw new LarderError('origin-failed', 'a piece of a live stream broke off', { retry: 'soon', cause: error });
    } finally {
      signal.removeEventListener('abort', leave);
      abort.abort();
    }
  }
}

/** Addresses of what a playlist points to, by its name there. */
function partLinks(source: MediaSource, { whole, playlist }: ShownPlaylist, linkOf: LinkOf): (name: string) => string {
  const base = `/stream/${encodeURIComponent(source.name)}/${encodeURIComponent(whole.mediaKey)}`;
  const extensions = new Map(playlist.parts.map(({ name, url }) => [name, extensionOf(url)]));
  return (name) => {
    const isPlaylist = parseHlsQuality(`${whole.quality}~${name}`)?.kind === 'playlist';
    const quality = isPlaylist ? `${whole.quality}~${name}` : `${whole.quality}~${playlist.signature}-${name}`;
    const extension = isPlaylist ? 'm3u8' : (extensions.get(name) ?? 'ts');
    return linkOf(`${base}/${quality}/${name}.${extension}`);
  };
}

function extensionOf(url: string): string | undefined {
  return /\.([a-z0-9]{1,5})$/i.exec(URL.canParse(url) ? new URL(url).pathname : '')?.[1]?.toLowerCase();
}
