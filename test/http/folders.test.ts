// Stream addresses of folders: pages with links that lead on, for browsers, for Kodi's patterns, for programs, and for
// another Larder.
import { afterEach, describe, expect, test } from 'bun:test';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isInstalled, LONG_NAME, makeTree, sampleTree, startListingServer } from '../support/listing-servers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

async function larderOf(url: string, args: readonly string[] = []): Promise<RunningLarder> {
  const larder = await startLarder({ args: ['--source', `films=${url}`, ...args] });
  cleanUps.push(() => larder[Symbol.asyncDispose]());
  return larder;
}

async function nginxOf(tree: Readonly<Record<string, number>>) {
  const folder = await temporaryFolder();
  cleanUps.push(() => folder[Symbol.asyncDispose]());
  const root = join(folder.path, 'root');
  await makeTree(root, tree, new Date(Date.UTC(2025, 2, 4, 5, 6, 0)));
  const server = await startListingServer('nginx, HTML', root);
  cleanUps.push(() => server.stop());
  return server;
}

interface Listed {
  readonly items: readonly {
    name: string;
    type: string;
    size: number | null;
    modifiedAt: number | null;
    url: string;
  }[];
}

const json = { headers: { Accept: 'application/json' } };

describe.skipIf(!isInstalled('nginx, HTML'))('a stream address that names a folder', () => {
  test('answers a page whose links lead to files and folders', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url);
    const address = `http://127.0.0.1:${larder.port}/s/films/`;
    const response = await fetch(address);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await response.text();
    expect(response.headers.get('content-length')).toBe(String(new TextEncoder().encode(text).length));
    expect(text).toContain('<title>Index of /films/</title>');
    const links = [...text.matchAll(/<td class="n"><a href="([^"]+)">/g)].map((match) => match[1]!);
    expect(links).toHaveLength(7);
    for (const link of links) {
      const found = await fetch(new URL(link, address));
      expect([link, found.status]).toEqual([link, 200]);
      await found.arrayBuffer();
    }
    const head = await fetch(address, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, response.headers.get('content-length')]);
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
  });

  test('is read by the patterns of Kodi', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url);
    const text = await (await fetch(`http://127.0.0.1:${larder.port}/s/films/`)).text();
    // As in its HTTPDirectory.cpp: line by line, the name shown is the name the link leads to.
    const found = text.split('\n').flatMap((line) => {
      const match = /<a href="(.*)">(.*)<\/a>/i.exec(line);
      if (match === null) return [];
      const plain = (html: string) =>
        html
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&');
      const shown = plain(match[2]!).replace(/\/$/, '');
      const link = plain(decodeURIComponent(match[1]!)).replace(/\/$/, '');
      if (shown !== link) return [];
      const date = /<td class="m">([0-9]{4})-([A-Z]{3})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})<\/td>/i.exec(line);
      const size = /> *([0-9.]+)(B|K|M|G| )<\/td>/i.exec(line);
      return [[shown, date?.slice(1, 7).join(' '), size?.slice(1).join('')]];
    });
    expect(found).toContainEqual(['Film (2019).mkv', '2025 Mar 04 05 06 00', '1.2M']);
    expect(found).toContainEqual(['100% real #1?.mp4', '2025 Mar 04 05 06 00', '5B']);
    expect(found).toContainEqual([LONG_NAME, '2025 Mar 04 05 06 00', '2.0K']);
    expect(found.map(([name]) => name)).toContain(`a'b"c<d>`);
    expect(found).toHaveLength(7);
  });

  test('answers JSON to who asks for it', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url);
    const address = `http://127.0.0.1:${larder.port}/s/films/Films%20%26%20more/`;
    const response = await fetch(address, json);
    expect(response.headers.get('content-type')).toContain('application/json');
    const { items } = (await response.json()) as Listed;
    expect(items).toEqual([
      expect.objectContaining({ name: 'Ünïcode [720p]', type: 'folder', size: null }),
      {
        name: 'S01:E02; x=1 &amp; y+z.mkv',
        type: 'file',
        size: 20,
        modifiedAt: Date.UTC(2025, 2, 4, 5, 6),
        url: 'S01%3AE02%3B%20x%3D1%20%26amp%3B%20y%2Bz.mkv',
      },
    ]);
    const browser = await fetch(address, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(browser.headers.get('content-type')).toContain('text/html');
  });

  test('leads to the address with the slash', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url);
    for (const [path, location] of [
      ['/s/films', '/s/films/'],
      ['/s/films/empty', '/s/films/empty/'],
      ['/s/films/Films%20%26%20more?x=1', '/s/films/Films%20%26%20more/?x=1'],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${larder.port}${path}`, { redirect: 'manual' });
      expect([path, response.status, response.headers.get('location')]).toEqual([path, 301, location]);
    }
  });

  test('says what is wrong with an address', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url);
    for (const [path, status] of [
      ['/s/films/nowhere/', 404],
      ['/s/nobody/', 404],
      ['/s/films/%2e%2e%2f/', 400],
      ['/s/films/a//b/', 400],
      ['/s/films/%ff/', 400],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${larder.port}${path}`);
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get('content-type')).toContain('text/plain');
    }
  });

  test('tells what is known when the source does not answer', async () => {
    const server = await nginxOf(sampleTree);
    const larder = await larderOf(server.url);
    const address = `http://127.0.0.1:${larder.port}/s/films/`;
    await (await fetch(`${address}Film%20(2019).mkv`)).arrayBuffer();
    await (
      await fetch(`${address}Films%20%26%20more/%C3%9Cn%C3%AFcode%20%5B720p%5D/%E6%97%A5%E6%9C%AC%201.mp3`)
    ).arrayBuffer();
    await server.stop();
    const { items } = (await (await fetch(address, json)).json()) as Listed;
    expect(items.map(({ name, type }) => [name, type])).toEqual([
      ['Films & more', 'folder'],
      ['Film (2019).mkv', 'file'],
    ]);
    const below = (await (await fetch(`${address}Films%20%26%20more/`, json)).json()) as Listed;
    expect(below.items.map(({ name }) => name)).toEqual(['Ünïcode [720p]']);
    expect(await (await fetch(address)).text()).toContain('does not list this folder now');
    expect((await fetch(`${address}empty/`)).status).toBe(502);
  });

  test('needs what streams need', async () => {
    const larder = await larderOf((await nginxOf(sampleTree)).url, ['--stream-access', 'locked']);
    const address = `http://127.0.0.1:${larder.port}/s/films/`;
    expect((await fetch(address)).status).toBe(401);
    const made = await fetch(`http://localhost:${larder.port}/api/v1/tokens`, {
      method: 'POST',
      headers: { ...larder.owner.headers, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'tv', scope: 'stream' }),
    });
    if (made.status === 404) return; // tokens by the API come with the pages of users
    const { token } = (await made.json()) as { token: string };
    const { items } = (await (await fetch(`${address}?token=${token}`, json)).json()) as Listed;
    const file = items.find(({ name }) => name === 'Film (2019).mkv')!;
    expect((await fetch(new URL(file.url, address))).status).toBe(200);
  });

  test('is a source for another Larder', async () => {
    const first = await larderOf((await nginxOf(sampleTree)).url);
    const second = await startLarder({ args: ['--source', `films=http://127.0.0.1:${first.port}/s/films/`] });
    cleanUps.push(() => second[Symbol.asyncDispose]());
    const address = `http://127.0.0.1:${second.port}/s/films/`;
    const { items } = (await (await fetch(address, json)).json()) as Listed;
    expect(items).toHaveLength(7);
    expect(items).toContainEqual(expect.objectContaining({ name: 'Film (2019).mkv', size: 1_234_567 }));
    const file = await fetch(`${address}Film%20(2019).mkv`);
    expect((await file.arrayBuffer()).byteLength).toBe(1_234_567);
  });
});

test('a folder of a source that lists nothing tells of what was played from it', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/series/e1.mkv') {
      response.writeHead(200, { 'Content-Length': '5', 'Accept-Ranges': 'bytes', ETag: '"1"' }).end('bytes');
    } else response.writeHead(403).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => server.close());
  const larder = await larderOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const address = `http://127.0.0.1:${larder.port}/s/films/`;
  expect((await fetch(address)).status).toBe(502);
  await (await fetch(`${address}series/e1.mkv`)).arrayBuffer();
  const { items } = (await (await fetch(address, json)).json()) as Listed;
  expect(items.map(({ name, type }) => [name, type])).toEqual([['series', 'folder']]);
});
