// A source is gone through by the API while Larder runs: by what real servers list, and by what bad ones do.
import { afterEach, describe, expect, test } from 'bun:test';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isInstalled, makeLoop, makeTree, sampleTree, startListingServer } from '../support/listing-servers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

interface Sync {
  readonly state: 'idle' | 'running' | 'failed';
  readonly seen: number;
  readonly total: number | null;
  readonly added: number;
  readonly changed: number;
  readonly missing: number;
  readonly skipped: number;
  readonly error: { code: string; message: string; hint: string | null } | null;
}

/** The one place that says who asks. */
async function ask<Body>(larder: RunningLarder, method: string, path: string): Promise<{ status: number; body: Body }> {
  const response = await fetch(`http://localhost:${larder.port}/api/v1${path}`, {
    method,
    headers: larder.owner.headers,
  });
  return { status: response.status, body: (await response.json()) as Body };
}

async function ended(larder: RunningLarder): Promise<Sync> {
  for (;;) {
    const { body } = await ask<Sync>(larder, 'GET', '/sources/films/sync');
    if (body.state !== 'running') return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function sync(larder: RunningLarder): Promise<Sync> {
  const { status } = await ask<Sync>(larder, 'POST', '/sources/films/sync');
  expect(status).toBe(202);
  return ended(larder);
}

async function larderOf(url: string, args: readonly string[] = []): Promise<RunningLarder> {
  const larder = await startLarder({ args: ['--source', `films=${url}`, ...args] });
  cleanUps.push(() => larder[Symbol.asyncDispose]());
  return larder;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const page = (links: readonly string[]) =>
  `<html><head><title>Index of /</title></head><body><pre><a href="../">../</a>\n${links.map((link) => `<a href="${link}">${link}</a> 20-Nov-2026 17:45 100`).join('\n')}\n</pre></body></html>`;

function html(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'Content-Type': 'text/html' }).end(text);
}

describe('the sync of a source', () => {
  for (const name of ['nginx, HTML', 'Caddy', 'Apache, WebDAV', 'rclone, WebDAV']) {
    test.skipIf(!isInstalled(name))(
      `finds what ${name} lists, and what has changed there`,
      async () => {
        await using folder = await temporaryFolder();
        const root = join(folder.path, 'root');
        await makeTree(root, sampleTree, new Date(Date.UTC(2025, 2, 4)));
        if (name === 'nginx, HTML' || name === 'Caddy') await makeLoop(root, 'loop');
        await using server = await startListingServer(name, root);
        const larder = await larderOf(server.url);
        const films = 6;
        expect(await sync(larder)).toMatchObject({
          state: 'idle',
          seen: films,
          total: films,
          added: films,
          missing: 0,
        });
        const { body } = await ask<{ items: { title: string; year: number | null }[] }>(
          larder,
          'GET',
          '/items?limit=50',
        );
        expect(body.items).toHaveLength(films);
        expect(body.items).toContainEqual(expect.objectContaining({ title: 'Film', year: 2019 }));

        await makeTree(root, { 'new/Film (2020).mkv': 7, 'Film (2019).mkv': 99 }, new Date(Date.UTC(2025, 5, 5)));
        await rm(join(root, '100% real #1?.mp4'));
        await rm(join(root, 'Films & more'), { recursive: true });
        expect(await sync(larder)).toMatchObject({ seen: 4, added: 1, changed: 1, missing: 3 });

        await server.stop();
        const failed = await sync(larder);
        expect(failed).toMatchObject({ state: 'failed', missing: 3, error: { code: 'origin-failed' } });
        const after = await ask<{ items: unknown[] }>(larder, 'GET', '/items?limit=50');
        expect(after.body.items).toHaveLength(films + 1);
        // A source that is down is tried for some seconds.
      },
      30_000,
    );
  }

  test('knows a file that was played as the one that is listed', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/') html(response, page(['Film%20(2019).1080p.mkv', 'Film%20(2019).720p.mkv']));
      else response.writeHead(200, { 'Content-Length': '5', 'Accept-Ranges': 'bytes', ETag: '"1"' }).end('bytes');
    });
    const larder = await larderOf(url);
    await (await fetch(`http://localhost:${larder.port}/s/films/Film%20(2019).720p.mkv`)).arrayBuffer();
    expect(await sync(larder)).toMatchObject({ seen: 2, added: 1 });
    const { body } = await ask<{ items: { qualities: unknown[] }[] }>(larder, 'GET', '/items');
    expect(body.items).toHaveLength(1);
    expect(body.items[0]!.qualities).toHaveLength(2);
  });

  const refusals: [string, Answer, string, string][] = [
    ['there is nothing at the address', (_, response) => response.writeHead(404).end(), 'not-found', '404'],
    ['the password is wrong', (_, response) => response.writeHead(401).end(), 'origin-refused', '401'],
    [
      'a page that lists nothing comes in place of a listing',
      (_, response) => html(response, '<h1>Welcome</h1><p>Nothing <a href="https://example.org/">here</a>.'),
      'no-listing',
      'lists nothing',
    ],
    [
      'a sign-in page comes in place of a listing',
      (_, response) => html(response, '<form action="/login"><input type="password"></form>'),
      'origin-refused',
      'sign-in page',
    ],
    [
      'JSON comes that is no list of files',
      (_, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"error":"x"}'),
      'no-listing',
      'no list of files',
    ],
    [
      'JSON is cut off',
      (_, response) =>
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('[{"name":"a.mkv","type":"file"}'),
      'no-listing',
      'cut off',
    ],
    [
      'a multistatus is cut off',
      (_, response) =>
        response.writeHead(207, { 'Content-Type': 'text/xml' }).end('<multistatus xmlns="DAV:"><response>'),
      'no-listing',
      'cut off',
    ],
    [
      'a film comes in place of a listing',
      (_, response) => response.writeHead(200, { 'Content-Type': 'video/mp4' }).end('film'),
      'no-listing',
      'a file in place of a listing',
    ],
    [
      'it redirects for ever',
      (request, response) => response.writeHead(302, { Location: `${request.url}x/` }).end(),
      'origin-failed',
      'redirected more than',
    ],
  ];
  for (const [what, answer, code, words] of refusals) {
    test(`says why it is of no use when ${what}`, async () => {
      const larder = await larderOf(await serve(answer));
      const result = await sync(larder);
      expect(result).toMatchObject({ state: 'failed', seen: 0, error: { code } });
      expect(result.error!.message).toContain(words);
    });
  }

  test('reads HTML that says it is JSON, and passes over names that no address can hold', async () => {
    const url = await serve((_, response) =>
      response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(
          page([
            'a.mkv',
            'b%2fc.mkv',
            '%ff.mkv',
            '..%2f..%2fetc.mkv',
            'd%00.mkv',
            '/elsewhere/e.mkv',
            'http://x/f.mkv',
          ]),
        ),
    );
    const larder = await larderOf(url);
    expect(await sync(larder)).toMatchObject({ state: 'idle', seen: 1 });
  });

  test('gives up on a listing without an end', async () => {
    let sent = 0;
    const url = await serve((request, response) => {
      if (request.method !== 'GET') {
        response.writeHead(405).end();
        return;
      }
      response.writeHead(200, { 'Content-Type': 'text/html' });
      const more = () => {
        while (!response.destroyed) {
          sent += 500;
          const links = Array.from({ length: 500 }, (_, index) => `${'x'.repeat(500)}${sent + index}.txt`);
          if (!response.write(links.map((link) => `<a href="${link}">x</a>\n`).join(''))) break;
        }
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const larder = await larderOf(url);
    expect(await sync(larder)).toMatchObject({ state: 'failed', error: { code: 'no-listing' } });
  }, 60_000);

  test('ends in a tree without an end, and in one that leads back to itself', async () => {
    let count = 0;
    const url = await serve((request, response) => {
      if (request.url!.startsWith('/circle/')) html(response, page(['again/', 'film.mkv']));
      else if (request.url === '/') html(response, page(['endless/', 'circle/']));
      else {
        count += 1;
        html(response, page([`${count}/`]));
      }
    });
    const larder = await larderOf(url);
    const result = await sync(larder);
    expect(result).toMatchObject({ state: 'idle', seen: 1 });
    expect(result.skipped).toBeGreaterThan(0);
  });

  test('is ended by hand, and begins anew when it is asked for', async () => {
    let isHeld = true;
    let held: (() => void) | undefined;
    let arrived: (() => void) | undefined;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const url = await serve((request, response) => {
      if (request.url === '/') html(response, page(['one/', 'two/', 'film.mkv']));
      else if (request.url === '/two/' && isHeld) {
        held = () => html(response, page(['c.mkv']));
        arrived?.();
      } else html(response, page(['b.mkv']));
    });
    const larder = await larderOf(url);
    await ask(larder, 'POST', '/sources/films/sync');
    await arrival;
    expect((await ask<Sync>(larder, 'DELETE', '/sources/films/sync')).body).toMatchObject({ state: 'idle' });
    expect(held).toBeDefined();
    await ask(larder, 'POST', '/sources/films/sync');
    isHeld = false;
    expect(await ended(larder)).toMatchObject({ seen: 3 });
    const { body } = await ask<{ items: unknown[] }>(larder, 'GET', '/items');
    expect(body.items).toHaveLength(3);
  });

  test('is refused for a source that there is not', async () => {
    const larder = await larderOf(await serve((_, response) => html(response, page([]))));
    expect((await ask<{ detail: string }>(larder, 'POST', '/sources/nobody/sync')).status).toBe(404);
    expect((await ask<{ detail: string }>(larder, 'GET', '/sources/nobody/sync')).status).toBe(404);
    const anonymous = await fetch(`http://localhost:${larder.port}/api/v1/sources/films/sync`, { method: 'POST' });
    expect(anonymous.status).toBe(401);
  });

  test('sends credentials to the source alone, and shows them to nobody', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      html(response, page(['film.mkv']));
    });
    const url = await serve((_, response) => response.writeHead(302, { Location: other }).end());
    const larder = await larderOf(url.replace('http://', 'http://user:hunter2secret@'));
    expect(await sync(larder)).toMatchObject({ state: 'idle', seen: 1 });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((header) => header === undefined)).toBe(true);
    expect(larder.log.join('\n')).not.toContain('hunter2secret');
  });
});
