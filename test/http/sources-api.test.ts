// Sources by the API while Larder runs: added, changed and removed under players, with secrets that never come out.

import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const FILE_BYTES = 3_000_000;
const SECRET = 'hunter2secret';

let origin: TestOrigin;
let larder: RunningLarder;

beforeEach(async () => {
  origin = await startOrigin({
    files: { 'film.mkv': { sizeBytes: FILE_BYTES }, 'other.mkv': { sizeBytes: FILE_BYTES } },
  });
  larder = await startLarder();
});
afterEach(async () => {
  await origin.stop();
  await larder[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at, not used
  readonly body: any;
}

/** The one place that says who asks. */
async function api(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`http://localhost:${larder.port}/api/v1${path}`, {
    method,
    headers: {
      ...larder.owner.headers,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_000; look++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not become so');
}

function chunkFiles(): string[] {
  const files = readdirSync(join(larder.dataFolder, 'chunks'), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile() && !entry.name.endsWith('.json')).map((entry) => entry.name);
}

async function play(path: string): Promise<void> {
  const response = await rawRequest(larder.port, path);
  expect([path, response.status, response.isWhole]).toEqual([path, 200, true]);
  origin.assertBody(path.split('/').at(-1)!, response.body);
}

describe('/api/v1/sources', () => {
  test('POST adds a source that plays at once and after a restart; GET tells all but its secrets', async () => {
    const credentials = { username: 'me', password: SECRET };
    const added = await api('POST', '/sources', { name: 'films', url: origin.url, credentials });
    expect(added.status).toBe(201);
    expect(added.headers.get('location')).toBe('/api/v1/sources/films');
    expect(added.body).toMatchObject({
      name: 'films',
      kind: 'http',
      url: origin.url,
      credentials: 'password',
      options: { local: true },
      lockedBy: null,
      state: 'untried',
      lastTest: null,
    });
    await play('/s/films/film.mkv');
    expect(origin.requests.at(-1)!.headers.authorization).toBe(`Basic ${btoa(`me:${SECRET}`)}`);
    await until(async () => (await api('GET', '/sources/films')).body.holdings.cachedBytes === FILE_BYTES);
    const one = await api('GET', '/sources/films');
    expect(one.body).toMatchObject({
      state: 'well',
      holdings: { items: 1, entries: 1, pinned: 0, cachedBytes: FILE_BYTES },
    });
    expect((await api('GET', '/sources/films', undefined, { 'If-None-Match': one.headers.get('etag')! })).status).toBe(
      304,
    );
    await larder.restart();
    await play('/s/films/other.mkv');
    const list = await api('GET', '/sources');
    expect(list.body.items.map(({ name }: { name: string }) => name)).toEqual(['films']);
    expect(list.body.next).toBeNull();
  });

  test('the list is paged by name', async () => {
    for (const name of ['c', 'a', 'b']) await api('POST', '/sources', { name, url: origin.url });
    const first = await api('GET', '/sources?limit=2');
    expect([first.body.items.map(({ name }: { name: string }) => name), first.body.next]).toEqual([['a', 'b'], 'b']);
    const second = await api('GET', `/sources?limit=2&cursor=${first.body.next}`);
    expect([second.body.items.map(({ name }: { name: string }) => name), second.body.next]).toEqual([['c'], null]);
  });

  for (const [what, body, status] of [
    ['no name', { url: 'http://h/' }, 422],
    ['no address', { name: 'a' }, 422],
    ['a name that is no name', { name: 'a/b', url: 'http://h/' }, 422],
    ['a name that is Larder’s own', { name: 'new', url: 'http://h/' }, 422],
    ['another scheme', { name: 'a', url: 'file:///etc/passwd' }, 422],
    ['a kind that there is not', { name: 'a', url: 'http://h/', kind: 'ftp' }, 422],
    ['an unknown key', { name: 'a', url: 'http://h/', id: 5 }, 422],
    ['credentials of two kinds', { name: 'a', url: 'http://h/', credentials: { token: SECRET, username: 'x' } }, 422],
    ['a header of ours', { name: 'a', url: 'http://h/', credentials: { headers: { Host: SECRET } } }, 422],
    ['a name that is taken', { name: 'films', url: 'http://h/' }, 409],
  ] as const) {
    test(`invariant 10: POST answers ${status} with what is wrong, and changes nothing, when it is given ${what}`, async () => {
      await api('POST', '/sources', { name: 'films', url: origin.url });
      const answer = await api('POST', '/sources', body);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
      expect(JSON.stringify(answer.body)).not.toContain(SECRET);
      expect((await api('GET', '/sources')).body.items.length).toBe(1);
    });
  }

  test('PATCH to another address keeps what is cached, and what is missing comes from there', async () => {
    await using other = await startOrigin({ files: { 'film.mkv': { sizeBytes: FILE_BYTES } } });
    await api('POST', '/sources', { name: 'films', url: origin.url });
    const part = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=0-999999' });
    expect(part.status).toBe(206);
    await until(async () => (await api('GET', '/sources/films')).body.holdings.cachedBytes >= 1_000_000);
    const asked = origin.requests.length;
    const changed = await api('PATCH', '/sources/films', { url: other.url });
    expect([changed.status, changed.body.url]).toEqual([200, other.url]);
    const whole = await rawRequest(larder.port, '/s/films/film.mkv');
    other.assertBody('film.mkv', whole.body);
    expect(origin.requests.length).toBe(asked);
    expect(other.bytesSent('film.mkv')).toBeLessThan(FILE_BYTES - 900_000);
  });

  test('PATCH with another password is used by the next request, and none is sent to another host', async () => {
    await api('POST', '/sources', { name: 'films', url: origin.url, credentials: { token: 'old' } });
    await api('PATCH', '/sources/films', { credentials: { token: 'new' } });
    await play('/s/films/film.mkv');
    expect(origin.requests.at(-1)!.headers.authorization).toBe('Bearer new');
    const refused = await api('PATCH', '/sources/films', { url: 'http://127.0.0.1:9/' });
    expect([refused.status, refused.body.code]).toEqual([422, 'invalid']);
    const tested = await api('POST', '/sources/films/test', { url: 'http://127.0.0.1:9/' });
    expect(tested.status).toBe(422);
  });

  test('a local address is refused where the source may not reach it', async () => {
    await api('POST', '/sources', { name: 'films', url: origin.url, options: { local: false } });
    const response = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(response.status).toBe(502);
    expect(Buffer.from(response.body).toString()).toContain('may not reach private networks');
    expect(origin.requests).toEqual([]);
    await api('PATCH', '/sources/films', { options: { local: true } });
    await play('/s/films/film.mkv');
  });

  test('a declared source says by what, and is not removed', async () => {
    await larder.restart(['--source', `films=${origin.url}`]);
    expect((await api('GET', '/sources/films')).body.lockedBy).toBe('--source');
    const answer = await api('DELETE', '/sources/films');
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    expect((await api('DELETE', '/sources/nobody')).status).toBe(404);
  });
});

describe('DELETE /api/v1/sources/{name}', () => {
  test('cuts who plays, whatever the player takes, frees the name, and takes files and rows', async () => {
    await api('POST', '/sources', { name: 'films', url: origin.url });
    await play('/s/films/other.mkv');
    origin.behave('film.mkv', { stallAfterBytes: 1_000_000 });
    using waiting = await RawConnection.open(larder.port);
    waiting.send('GET', '/s/films/film.mkv');
    const head = await waiting.readHead();
    expect(head.status).toBe(200);
    await waiting.readBytes(1_000_000);
    const removed = await api('DELETE', '/sources/films');
    expect(removed.status).toBe(202);
    expect(removed.body).toMatchObject({ name: 'films', entries: 2 });
    // Cut, not ended: a short body must not pass for a whole one.
    expect((await waiting.readBytes(FILE_BYTES)).length).toBeLessThan(FILE_BYTES - 1_000_000);
    expect((await rawRequest(larder.port, '/s/films/other.mkv')).status).toBe(404);
    await origin.until(() => origin.openCount('film.mkv') === 0);
    await until(() => chunkFiles().length === 0);

    origin.behave('film.mkv', null);
    expect((await api('POST', '/sources', { name: 'films', url: origin.url })).status).toBe(201);
    const response = await rawRequest(larder.port, '/s/films/other.mkv');
    expect([response.status, response.header('x-cache')]).toEqual([200, 'MISS']);
    await until(() => larder.log.some((line) => line.includes('a source is gone with all that was kept of it')));
    await larder.stop();
    using database = new Database(join(larder.dataFolder, 'larder.db'));
    expect(database.query('SELECT name FROM sources').all()).toEqual([{ name: 'films' }]);
    expect(database.query('SELECT count(*) AS count FROM media_items').get()).toEqual({ count: 1 });
  });

  test('what a kill cut off is gone on with at the next start', async () => {
    await api('POST', '/sources', { name: 'films', url: origin.url });
    for (const name of ['film.mkv', 'other.mkv']) await play(`/s/films/${name}`);
    await until(async () => (await api('GET', '/sources/films')).body.holdings.cachedBytes === 2 * FILE_BYTES);
    await larder.stop();
    {
      // As a kill right behind the row leaves it.
      using database = new Database(join(larder.dataFolder, 'larder.db'));
      database.run("UPDATE sources SET name = 'films (removed 1)', removed_at = 5 WHERE id = 1");
    }
    expect(chunkFiles().length).toBe(2);
    await larder.restart();
    await until(() => chunkFiles().length === 0);
    await until(() => larder.log.some((line) => line.includes('a source is gone')));
    expect((await api('GET', '/sources')).body.items).toEqual([]);
    await larder.stop();
    using database = new Database(join(larder.dataFolder, 'larder.db'));
    expect(database.query('SELECT count(*) AS count FROM sources').get()).toEqual({ count: 0 });
  });
});

describe('POST /api/v1/sources/test and /api/v1/sources/{name}/test', () => {
  test('says every step of settings that are not saved, and keeps them when they are', async () => {
    const settings = { url: origin.url, credentials: { token: SECRET } };
    const tested = await api('POST', '/sources/test', { ...settings, file: 'film.mkv' });
    expect([tested.status, tested.body.ok, tested.body.file]).toEqual([200, true, 'film.mkv']);
    expect(tested.body.steps.map(({ step }: { step: string }) => step)).toEqual([
      'name',
      'connect',
      'tls',
      'sign-in',
      'ranges',
      'length',
      'speed',
      'clock',
    ]);
    expect((await api('GET', '/sources')).body.items).toEqual([]);
    const added = await api('POST', '/sources', { name: 'films', ...settings });
    expect(added.body.lastTest).toEqual(tested.body);
    // It answered: nothing else has to be played for that to be known.
    expect(added.body.state).toBe('well');
  });

  test('a failed test is kept with what was saved in spite of it, until it is changed', async () => {
    const settings = { url: 'http://127.0.0.1:9/' };
    expect((await api('POST', '/sources/test', settings)).body.ok).toBe(false);
    const added = await api('POST', '/sources', { name: 'films', ...settings });
    expect(added.body).toMatchObject({ state: 'failing', lastTest: { ok: false } });
    expect(added.body.lastError).toContain('nothing listens');
    const changed = await api('PATCH', '/sources/films', { url: origin.url });
    expect(changed.body).toMatchObject({ state: 'untried', lastTest: null, lastError: null });
    const tested = await api('POST', '/sources/films/test');
    expect(tested.status).toBe(200);
    expect((await api('GET', '/sources/films')).body.lastTest).toEqual(tested.body);
  });

  test('never reaches Larder itself, and says what is wrong with a file that is none', async () => {
    const own = await api('POST', '/sources/test', { url: `http://127.0.0.1:${larder.port}/` });
    expect(own.body.steps[0]).toMatchObject({ ok: false, detail: expect.stringContaining('it is Larder itself') });
    expect((await api('POST', '/sources/test', { url: origin.url, file: '../x' })).status).toBe(422);
  });
});

test('secrets of sources stand in no answer, page, event, label, log line or row', async () => {
  const credentials = { headers: { 'X-Api-Key': SECRET } };
  const answers = [
    await api('POST', '/sources', { name: 'films', url: origin.url, credentials }),
    await api('POST', '/sources/films/test', { file: 'film.mkv' }),
    await api('PATCH', '/sources/films', { credentials: { username: SECRET, password: `${SECRET}2` } }),
  ];
  origin.behave('film.mkv', { status: 401, times: 1 });
  answers.push(await api('POST', '/sources/films/test', { file: 'film.mkv' }));
  await play('/s/films/film.mkv');
  answers.push(await api('GET', '/sources'), await api('GET', '/sources/films'));
  for (const path of ['/', '/sources', '/sources/films']) {
    const response = await rawRequest(larder.port, path, { ...larder.owner.headers, Host: 'localhost' });
    answers.push({ status: response.status, headers: new Headers(), body: Buffer.from(response.body).toString() });
  }
  await larder.stop();
  expect(answers.every(({ status }) => status < 300)).toBe(true);
  expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain(SECRET);
  expect(larder.log.join('\n')).not.toContain(SECRET);
  const files = readdirSync(larder.dataFolder, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    expect([file.name, readFileSync(join(file.parentPath, file.name)).includes(SECRET)]).toEqual([file.name, false]);
  }
});
