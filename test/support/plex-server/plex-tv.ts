// A small plex.tv in this process: codes to sign in with, and the servers of one account.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlexTv extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** What `resources` answers, for the token of the account. */
  resources: unknown;
  /** In place of every answer. */
  brokenAnswer: string | null;
  /** The owner confirms the code. */
  confirm(id: string, token: string): void;
  /** A code is good for a while: afterwards there is none. */
  expire(id: string): void;
  close(): Promise<void>;
}

export async function startPlexTv(accountToken: string): Promise<PlexTv> {
  const pins = new Map<string, { id: number; code: string; authToken: string | null }>();
  const requests: PlexTv['requests'] = [];
  let lastId = 500;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://plex.tv');
    requests.push({ method: request.method ?? '', path: url.pathname + url.search, headers: request.headers });
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      return response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (plexTv.brokenAnswer !== null) return send(200, plexTv.brokenAnswer);
    if (request.headers['x-plex-client-identifier'] === undefined) {
      return send(400, { errors: [{ code: 1000, message: 'X-Plex-Client-Identifier is missing' }] });
    }
    if (url.pathname === '/api/v2/pins' && request.method === 'POST') {
      const id = ++lastId;
      // A strong code is longer and is confirmed on a page; one of four letters is typed at plex.tv/link.
      const code = url.searchParams.get('strong') === 'true' ? `strong-code-of-${id}` : 'AB12';
      pins.set(String(id), { id, code, authToken: null });
      return send(201, { id, code, expiresIn: 1_800, authToken: null });
    }
    const pin = /^\/api\/v2\/pins\/(\d+)$/.exec(url.pathname)?.[1];
    if (pin !== undefined) {
      const found = pins.get(pin);
      return found === undefined
        ? send(404, { errors: [{ code: 1020, message: 'Code not found or expired' }] })
        : send(200, found);
    }
    if (url.pathname === '/api/v2/resources') {
      if (request.headers['x-plex-token'] !== accountToken) return send(401, { errors: [{ code: 1001 }] });
      return send(200, plexTv.resources);
    }
    return send(404, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const plexTv: PlexTv = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    resources: [],
    brokenAnswer: null,
    confirm(id, token) {
      const pin = pins.get(id);
      if (pin !== undefined) pin.authToken = token;
    },
    expire: (id) => void pins.delete(id),
    close,
    [Symbol.asyncDispose]: close,
  };
  return plexTv;
}
