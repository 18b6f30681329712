// The library and its entries by the API, over real sockets: lists by key, filters, acts on one and on many.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 3_000_000;
const FILMS = [
  'Alpha (2001).mkv',
  'Beta.mp4',
  'Gamma.mkv',
  'Delta.mkv',
  'Épsilon.mkv',
  'Zeta.1080p.mkv',
  'Zeta.480p.mkv',
];

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({
    files: Object.fromEntries([...FILMS, 'notes.txt'].map((name) => [name, { sizeBytes: SIZE }])),
  });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of FILMS.slice(0, 2)) await play(name);
  for (const name of FILMS.slice(2)) await play(name, 'bytes=0-999999');
  await play('notes.txt');
  // Rows follow the bytes.
  await until(
    async () => (await get('/entries')).items.reduce((sum, entry) => sum + Number(entry.cachedBytes), 0) > 13e6,
  );
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

type Json = Record<string, unknown> & { items: Record<string, unknown>[]; next: string | null };

/** The one place that says who asks. */
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...larder.owner.headers, ...(init.headers as Record<string, string>) };
  return fetch(`http://localhost:${larder.port}/api/v1${path}`, { ...init, headers });
}

async function get(path: string): Promise<Json> {
  const response = await ask(path);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Json;
}

function post(path: string, body?: unknown): Promise<Response> {
  const init: RequestInit = { method: 'POST' };
  if (body !== undefined)
    Object.assign(init, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  return ask(path, init);
}

function play(name: string, range?: string) {
  return rawRequest(larder.port, `/s/films/${encodeURIComponent(name)}`, range === undefined ? {} : { Range: range });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_000; look += 1) if (await condition()) return;
  throw new Error('it never came to that');
}

async function titles(query: string): Promise<unknown[]> {
  return (await get(`/items?${query}`)).items.map((item) => item.title);
}

async function entryOf(name: string): Promise<Record<string, unknown>> {
  const { items } = await get('/entries?limit=200');
  const entry = items.find((one) => one.path === name);
  if (entry === undefined) throw new Error(`${name} has no entry`);
  return entry;
}

async function jobDone(response: Response): Promise<Record<string, unknown>> {
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  let job: Record<string, unknown> = {};
  await until(async () => {
    job = await get(`/jobs/${id}`);
    return job.state === 'done';
  });
  return job;
}

describe('GET /items', () => {
  test('lists, searches, filters and sorts', async () => {
    expect(await titles('')).toEqual(['Alpha', 'Beta', 'Delta', 'Épsilon', 'Gamma', 'Zeta']);
    expect(await titles('q=eps')).toEqual(['Épsilon']);
    expect(await titles('q=2001')).toEqual(['Alpha']);
    expect(await titles('availability=whole')).toEqual(['Alpha', 'Beta']);
    expect(await titles('availability=partly&sort=title&q=a')).toEqual([]);
    expect(await titles('type=file')).toEqual(['notes']);
    expect(await titles('source=elsewhere')).toEqual([]);
    expect(await titles('unreachable=true')).toEqual([]);
    expect(await titles('parent=1')).toEqual([]);
    expect(await titles('sort=added&limit=2')).toEqual(['Zeta', 'Épsilon']);
  });

  test('gives each item once, page by page, and an item says what the contract promises', async () => {
    const seen: unknown[] = [];
    for (let cursor = ''; ; ) {
      const page = await get(`/items?limit=2${cursor}`);
      seen.push(...page.items.map((item) => item.title));
      if (page.next === null) break;
      cursor = `&cursor=${page.next}`;
    }
    expect(seen).toEqual(['Alpha', 'Beta', 'Delta', 'Épsilon', 'Gamma', 'Zeta']);
    const [zeta] = (await get('/items?q=zeta')).items;
    expect(zeta).toMatchObject({
      type: 'video',
      title: 'Zeta',
      source: 'films',
      parentId: null,
      availability: 'partly',
    });
    const qualities = zeta!.qualities as Record<string, unknown>[];
    expect(qualities.map((quality) => quality.quality).sort()).toEqual(['1080p', '480p']);
    expect(qualities[0]).toMatchObject({
      size: SIZE,
      seekable: true,
      complete: false,
      subtitles: [],
      container: 'mkv',
    });
    const stream = await fetch(qualities[0]!.streamUrl as string, { headers: { Range: 'bytes=0-9' } });
    expect(stream.status).toBe(206);
    expect((await get(`/items/${zeta!.id}`)).title).toBe('Zeta');
  });

  test('answers 304 to who has it already, and says what is wrong with a bad question', async () => {
    const first = await ask('/items?q=alpha');
    const again = await ask('/items?q=alpha', { headers: { 'If-None-Match': first.headers.get('etag')! } });
    expect(again.status).toBe(304);
    for (const bad of [
      'sort=size2',
      'limit=0',
      'limit=x',
      'cursor=abc',
      'type=film',
      'pinned=maybe',
      `q=${'x'.repeat(2_000)}`,
    ]) {
      const response = await ask(`/items?${bad}`);
      expect([bad, response.status >= 400 && response.status < 500]).toEqual([bad, true]);
      expect(response.headers.get('content-type')).toStartWith('application/problem+json');
    }
    for (const path of ['/items/999999', '/entries/999999', '/jobs/none']) expect((await ask(path)).status).toBe(404);
    for (const path of ['/items/x', '/items/0', '/entries/-1', '/entries/1e99'])
      expect((await ask(path)).status).toBe(422);
  });
});

describe('entries', () => {
  test('an entry says what is kept of it', async () => {
    const entry = await entryOf('Gamma.mkv');
    expect(entry).toMatchObject({ source: 'films', quality: 'original', size: SIZE, complete: false, pinned: false });
    expect(entry.ranges).toEqual([[0, entry.cachedBytes]]);
    expect(typeof entry.lastUsedAt).toBe('number');
    expect(entry.etag).toStartWith('"');
  });

  test('is pinned and unpinned, fetched whole, verified and checked with its origin', async () => {
    const { id } = await entryOf('Gamma.mkv');
    expect(await (await post(`/entries/${id}/pin`)).json()).toMatchObject({ pinned: true });
    expect(await titles('pinned=true')).toEqual(['Gamma']);
    expect(await (await post(`/entries/${id}/unpin`)).json()).toMatchObject({ pinned: false });
    expect((await post(`/entries/${id}/fetch`)).status).toBe(200);
    await until(async () => (await get(`/entries/${id}`)).complete === true);
    const job = await jobDone(await post(`/entries/${id}/verify`));
    expect(job).toMatchObject({ action: 'verify', bytesDone: SIZE, damagedBytes: 0, failureCount: 0 });
    expect(await (await post(`/entries/${id}/recheck`)).json()).toMatchObject({ verdict: 'same' });
    expect((await post('/entries/999999/pin')).status).toBe(404);
  });

  test('what is dropped is hidden and can be restored; playing it restores it, too', async () => {
    const { id, cachedBytes } = await entryOf('Delta.mkv');
    const dropped = (await (await post(`/entries/${id}/drop`)).json()) as Json;
    expect(typeof dropped.removedAt).toBe('number');
    expect((await get('/entries?limit=200')).items.map((entry) => entry.path)).not.toContain('Delta.mkv');
    expect((await get('/items?q=delta')).items[0]).toMatchObject({ availability: 'none', cachedBytes: 0 });
    const asked = origin.requests.length;
    expect(await (await post(`/entries/${id}/restore`)).json()).toMatchObject({ removedAt: null, cachedBytes });
    await post(`/entries/${id}/drop`);
    const response = await play('Delta.mkv', 'bytes=0-99');
    expect(response.header('x-cache')).toBe('HIT');
    await until(async () => (await get(`/entries/${id}`)).removedAt === null);
    expect(origin.requests.length).toBe(asked);
  });

  test('what was dropped stays so over a restart', async () => {
    const { id } = await entryOf('Delta.mkv');
    await post(`/entries/${id}/drop`);
    await larder.restart();
    expect((await get(`/entries/${id}`)).removedAt).not.toBeNull();
    expect((await post(`/entries/${id}/restore`)).status).toBe(200);
    expect(await titles('q=delta&availability=partly')).toEqual(['Delta']);
  });

  test('what is deleted is gone at once, with its file; deleting twice is as good as once', async () => {
    const { id } = await entryOf('Beta.mp4');
    const folder = join(larder.dataFolder, 'chunks', 'films');
    expect(readdirSync(folder).some((name) => name.startsWith('Beta'))).toBe(true);
    expect((await ask(`/entries/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(`/entries/${id}`)).status).toBe(404);
    expect(existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('Beta'))).toBe(false);
    expect((await ask(`/entries/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await play('Beta.mp4', 'bytes=0-9')).header('x-cache')).toBe('MISS');
  });

  test('what is read is not dropped and not deleted', async () => {
    origin.behave('Alpha (2001).mkv', {});
    const entry = await entryOf('Épsilon.mkv');
    origin.behave('Épsilon.mkv', { bytesPerSecond: 100_000 });
    const leaving = new AbortController();
    const reading = await fetch(entry.streamUrl as string, { signal: leaving.signal });
    for (const answer of [
      await post(`/entries/${entry.id}/drop`),
      await ask(`/entries/${entry.id}`, { method: 'DELETE' }),
    ]) {
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({ code: 'conflict', detail: 'Épsilon.mkv is being read' });
    }
    leaving.abort();
    await reading.body?.cancel().catch(() => undefined);
  });
});

describe('POST /entries/bulk', () => {
  test('acts on everything that a filter shows, and tells what it came to', async () => {
    const job = await jobDone(await post('/entries/bulk', { action: 'pin', filter: { q: 'zeta' } }));
    expect(job).toMatchObject({ action: 'pin', items: 1, itemsDone: 1, entriesDone: 2, failureCount: 0 });
    expect(await titles('pinned=true')).toEqual(['Zeta']);
    await jobDone(await post('/entries/bulk', { action: 'unpin', filter: { pinned: true } }));
    expect(await titles('pinned=true')).toEqual([]);
  });

  test('drops by item ids, and names what could not be done', async () => {
    const { items } = await get('/items?q=zeta');
    const gone = 999_999;
    const ids = [items[0]!.id as number];
    const job = await jobDone(await post('/entries/bulk', { action: 'drop', items: [...ids, gone] }));
    expect(job).toMatchObject({ entriesDone: 2, failureCount: 0 });
    expect(Number(job.bytesDone)).toBeGreaterThan(0);
    const back = await jobDone(await post('/entries/bulk', { action: 'restore', items: ids }));
    expect(back).toMatchObject({ entriesDone: 2 });
    const failing = await jobDone(await post('/entries/bulk', { action: 'pin', entries: [gone, gone + 1] }));
    expect(failing).toMatchObject({ failureCount: 2, entriesDone: 0 });
    expect(failing.failures).toContainEqual({
      entryId: gone,
      itemId: 0,
      title: 'an entry',
      detail: 'that entry is not there any more',
      hint: null,
    });
  });

  test('fetches what was never opened: its item is there, its entry is made', async () => {
    const { id } = await entryOf('Beta.mp4');
    await ask(`/entries/${id}`, { method: 'DELETE' });
    const { items } = await get('/items?q=beta');
    expect(items[0]).toMatchObject({ availability: 'none' });
    await jobDone(await post('/entries/bulk', { action: 'fetch', items: [items[0]!.id] }));
    await until(async () => (await get('/items?q=beta')).items[0]!.availability === 'whole');
  });

  test('refuses what says nothing, or too much', async () => {
    for (const body of [
      { action: 'pin' },
      { action: 'pin', items: [1], entries: [1] },
      { action: 'burn', items: [1] },
      { action: 'pin', items: [] },
      { action: 'pin', items: ['1'] },
      { action: 'pin', filter: { title: 'x' } },
    ]) {
      const response = await post('/entries/bulk', body);
      expect([JSON.stringify(body), response.status >= 400 && response.status < 500]).toEqual([
        JSON.stringify(body),
        true,
      ]);
    }
    expect((await post('/entries/bulk', { action: 'pin', filter: { q: 'nothing has this' } })).status).toBe(404);
  });
});

test('POST /entries/bulk refuses to fetch what the cache could never hold, as the page does', async () => {
  await using origin = await startOrigin({ files: { 'Large.mkv': { sizeBytes: 3_000_000 } } });
  await using small = await startLarder({ args: ['--source', `films=${origin.url}`, '--cache-size', '1MB'] });
  await rawRequest(small.port, '/s/films/Large.mkv', { Range: 'bytes=0-99' });
  const response = await fetch(`http://127.0.0.1:${small.port}/api/v1/entries/bulk`, {
    method: 'POST',
    headers: { ...small.owner.headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ action: 'fetch', filter: { q: 'large' } }),
  });
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
    409,
    expect.stringContaining('more than the cache holds'),
  ]);
});
