// GET and HEAD of a stream address that names a folder: a page with links for browsers and for players that read such
// pages (Kodi), or JSON for who asks for it. Who may play what is in it may look at it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LarderError } from '../errors.ts';
import type { FolderContent, FolderListings } from '../library/folder-listings.ts';
import { sendError } from '../proxy/error-response.ts';
import { isHttpSource } from '../sources/http-kind.ts';
import { decodePath } from '../sources/media-address.ts';
import type { MediaSource } from '../sources/media-source.ts';

export interface FolderHandlerServices {
  readonly folders: Pick<FolderListings, 'list'>;
  readonly findSource: (name: string) => MediaSource | undefined;
  readonly basePath: string;
  readonly version: string;
}

export interface FolderTarget {
  readonly sourceName: string;
  /** As it stood in the request line; ends in a slash, or is empty. */
  readonly rawPath: string;
  readonly query: string;
}

const HEADERS = {
  'Cache-Control': 'no-cache',
  Vary: 'Accept',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

export class FolderHandler {
  readonly #services: FolderHandlerServices;

  constructor(services: FolderHandlerServices) {
    this.#services = services;
  }

  async handle(request: IncomingMessage, response: ServerResponse, target: FolderTarget): Promise<void> {
    const isHead = request.method === 'HEAD';
    if (request.method !== 'GET' && !isHead) {
      response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0', ...HEADERS }).end();
      return;
    }
    try {
      const { contentType, text } = await this.#answer(request, target);
      const body = new TextEncoder().encode(text);
      response.writeHead(200, { ...HEADERS, 'Content-Type': contentType, 'Content-Length': String(body.length) });
      if (isHead) response.end();
      else response.end(body);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendError(response, error, !isHead);
    }
  }

  async #answer(request: IncomingMessage, target: FolderTarget): Promise<{ contentType: string; text: string }> {
    const { findSource, folders } = this.#services;
    const source = findSource(target.sourceName);
    if (source === undefined) {
      throw new LarderError('unknown-source', `there is no source named ${JSON.stringify(target.sourceName)}`, {
        hint: 'sources are added on the page of sources, or declared with --source NAME=URL',
      });
    }
    if (!isHttpSource(source)) {
      throw new LarderError('bad-address', `${source.name} is a catalogue, which has no folders`, {
        hint: 'the library lists what is in it, and each film has its addresses on its page',
      });
    }
    const raw = target.rawPath.replace(/\/$/, '');
    const folder = raw === '' ? '' : decodePath(raw);
    const content = await folders.list(source, folder);
    // A token that came with the address goes with the links; a player has no other way to send it.
    const token = new URLSearchParams(target.query).get('token');
    const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
    if (wantsJson(request.headers.accept)) {
      return { contentType: 'application/json; charset=utf-8', text: JSON.stringify(jsonOf(content, query)) };
    }
    const { renderFolder } = await import('./folder-page.tsx');
    const { basePath, version } = this.#services;
    const text = renderFolder({ basePath, assetVersion: version, source: source.name, folder, query, ...content });
    return { contentType: 'text/html; charset=utf-8', text };
  }
}

function jsonOf({ entries }: FolderContent, query: string) {
  return {
    items: entries.map(({ name, isFolder, sizeBytes, modifiedAtMs }) => ({
      name,
      type: isFolder ? 'folder' : 'file',
      size: sizeBytes,
      modifiedAt: modifiedAtMs,
      url: `${encodeURIComponent(name)}${isFolder ? '/' : ''}${query}`,
    })),
    next: null,
  };
}

/** Whoever names JSON and does not rather have a page. */
function wantsJson(accept: string | undefined): boolean {
  const weightOf = (type: string) => {
    const entry = (accept ?? '').split(',').find((part) => part.trim().toLowerCase().startsWith(type));
    return entry === undefined ? 0 : Number(/;\s*q=([\d.]+)/.exec(entry)?.[1] ?? 1);
  };
  return weightOf('application/json') > weightOf('text/html');
}
