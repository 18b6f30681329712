// Dashboard, activity, storage and events over real sockets: pages, actions, and the API behind them.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { signedIn } from '../support/owner.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 6_000_000;
const VLC = 'VLC/3.0.20 LibVLC/3.0.20';

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({ files: { 'Some Film (2020).mkv': { sizeBytes: SIZE } } });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

/** The one place that signs in. */
function ownerHeaders(on: RunningLarder = larder): Readonly<Record<string, string>> {
  return on.owner.headers;
}

async function page(path = '/', on = larder): Promise<string> {
  const response = await rawRequest(on.port, path, ownerHeaders(on));
  return Buffer.from(response.body).toString();
}

async function textOf(path = '/', on = larder): Promise<string> {
  return (await page(path, on)).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
}

/** A wait is called one from half a second on. */
const LOOK_FOR_MS = 4_000;

/** Looks at the page until it says so. */
async function until(says: RegExp, path = '/', on = larder): Promise<string> {
  for (const endsAtMs = performance.now() + LOOK_FOR_MS; performance.now() < endsAtMs; ) {
    const text = await textOf(path, on);
    if (says.test(text)) return text;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`the page never said ${says}: ${await textOf(path, on)}`);
}

async function api(path: string, init: RequestInit = {}, on = larder) {
  const headers = { ...ownerHeaders(on), ...(init.body === undefined ? {} : { 'Content-Type': 'application/json' }) };
  const response = await fetch(`http://localhost:${on.port}/api/v1${path}`, {
    ...init,
    headers: { ...headers, ...init.headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

function post(path: string, body = '', headers: Record<string, string> = {}, on = larder) {
  return fetch(`http://localhost:${on.port}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...ownerHeaders(on), 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });
}

/** As htmx asks from that page. */
function inPlace(path: string, port = larder.port): Record<string, string> {
  return { 'HX-Request': 'true', 'HX-Current-URL': `http://localhost:${port}${path}` };
}

async function holdReader(name: string): Promise<RawConnection> {
  origin.addFile(name, { sizeBytes: SIZE });
  origin.behave(name, { stallAfterBytes: 500_000 });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', `/s/films/${encodeURIComponent(name)}`, { 'User-Agent': VLC });
  await connection.readHead();
  await connection.readBytes(500_000);
  return connection;
}

describe('activity', () => {
  test('a reader is shown with its player, what it waits for, and can be stopped; it is among the ended then', async () => {
    using connection = await holdReader('Held (2021).mkv');
    const text = await until(/Waiting for bytes from films/, '/activity');
    expect(text).toContain('Held (2021)');
    expect(text).toContain('VLC 3.0.20 at 127.0.0.1');
    expect(await until(/1 reader/)).toContain('one waits for bytes from films');
    const { body } = await api('/readers');
    expect(body.next).toBeNull();
    expect(body.items).toHaveLength(1);
    expect(body.items[0]).toMatchObject({
      title: 'Held (2021)',
      player: 'VLC 3.0.20',
      servedBytes: 500_000,
      size: SIZE,
      waiting: { kind: 'bytes', source: 'films', attempt: 1 },
    });
    const stopped = await post(`/activity/${body.items[0].id}/stop`, '', inPlace('/activity'));
    expect(await stopped.text()).toContain('Held (2021) was stopped at 127.0.0.1.');
    expect((await connection.readBytes(1)).length).toBe(0);
    expect(await until(/Stopped here/, '/activity')).toContain('Nobody is playing anything');
    const again = await post(`/activity/${body.items[0].id}/stop`, '', inPlace('/activity'));
    expect(await again.text()).toContain('That reader is not there any more.');
    const ended = await api('/readers/ended?limit=1');
    expect(ended.body.items[0]).toMatchObject({ title: 'Held (2021)', outcome: 'stopped', servedBytes: 500_000 });
  });

  test('the API stops a reader, and says so when there is none', async () => {
    using connection = await holdReader('Held too.mkv');
    const { body } = await api('/readers');
    expect((await api(`/readers/${body.items[0].id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await connection.readBytes(1)).length).toBe(0);
    const gone = await api(`/readers/${body.items[0].id}`, { method: 'DELETE' });
    expect([gone.status, gone.body.code]).toEqual([404, 'missing']);
  });

  test('who ended is kept over a restart, page by page', async () => {
    for (const name of ['One.mkv', 'Two.mkv', 'Three.mkv']) {
      origin.addFile(name, { sizeBytes: 1000 });
      await rawRequest(larder.port, `/s/films/${name}`);
    }
    await larder.restart();
    const first = await api('/readers/ended?limit=2');
    expect(first.body.items.map((item: { title: string }) => item.title)).toEqual(['Three', 'Two']);
    expect(first.body.items[0]).toMatchObject({ outcome: 'finished', servedBytes: 1000, requests: 1 });
    const second = await api(`/readers/ended?limit=1&cursor=${first.body.next}`);
    expect(second.body.items[0].title).toBe('One');
    expect(await textOf('/activity')).toContain('Served to the end');
  });
});

describe('dashboard', () => {
  test('says what flowed, on the page and to the API, also after a restart', async () => {
    await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv');
    await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv');
    await larder.restart();
    expect(await textOf()).toMatch(/6\.\d+ MB of 1\d\.\d MB came from the disk in the last 24 hours/);
    expect(await textOf('/?range=quarter')).toContain('in the last 90 days');
    expect(await textOf('/?range=nonsense')).toContain('in the last 24 hours');
    for (const range of ['hour', 'day', 'week', 'quarter']) {
      const { body } = await api(`/history?range=${range}`);
      expect(body.points.length).toBeLessThanOrEqual(120);
      const served = body.points.reduce((sum: number, point: { servedBytes: number }) => sum + point.servedBytes, 0);
      expect(served).toBeGreaterThanOrEqual(2 * SIZE);
    }
    expect((await api('/history?range=century')).status).toBe(422);
    const { body } = await api('/status');
    expect(body).toMatchObject({ version: 'test', well: true, readers: { open: 0 }, alerts: [] });
    expect(body.hitRatio).toBeGreaterThan(0.4);
    expect(body.space.usedBytes).toBeGreaterThanOrEqual(SIZE);
  });

  test('a source that does not answer is named in the headline, at the source, and among what needs a look', async () => {
    origin.addFile('Down.mkv', { sizeBytes: 1000 });
    await origin.goDown();
    try {
      await rawRequest(larder.port, '/s/films/Down.mkv');
      const text = await textOf();
      expect(text).toMatch(
        /films does not answer since \d\d:\d\d UTC \(less than a minute\) ?; what is cached plays on/,
      );
      expect(text).toMatch(/Failing does not answer since \d\d:\d\d UTC/);
      expect(text).toContain('Meanwhile what is cached plays on');
      const { body } = await api('/status');
      expect(body.well).toBe(false);
      expect(body.alerts[0]).toMatchObject({ kind: 'source-failing', subject: 'films' });
    } finally {
      await origin.comeBack();
    }
    await rawRequest(larder.port, '/s/films/Down.mkv');
    const well = await until(/All is well/);
    expect(well).not.toContain('does not answer since');
    // Both stand among the latest events, once each.
    expect(well.match(/films does not answer: /g)).toHaveLength(1);
    expect(well).toContain('films answers again');
  });

  test('what went to make room is told, and that nothing can be cached as long as everything is pinned', async () => {
    await using small = await startLarder({ args: ['--source', `films=${origin.url}`, '--cache-size', '8MB'] });
    const { port } = small;
    for (const name of ['First.mkv', 'Second.mkv', 'Third.mkv']) origin.addFile(name, { sizeBytes: SIZE });
    await rawRequest(port, '/s/films/First.mkv');
    // What is in use goes for nobody: its last rows may still be on their way when its player has it all.
    for (;;) {
      const { usedBytes, inUseBytes } = (await api('/storage', {}, small)).body;
      if (usedBytes === SIZE && inUseBytes === 0) break;
    }
    await rawRequest(port, '/s/films/Second.mkv');
    expect(await until(/Made room films\/First\.mkv/, '/', small)).toContain('All is well');
    const { body } = await api('/storage', {}, small);
    expect(body.nextToGo[0]).toMatchObject({ title: 'Second', bytes: SIZE });
    await post(`/entries/${body.nextToGo[0].entryId}/pin`, '', inPlace('/library', port), small);
    origin.behave('Third.mkv', { stallAfterBytes: 3_000_000 });
    using reader = await RawConnection.open(port);
    reader.send('GET', '/s/films/Third.mkv');
    await reader.readHead();
    await reader.readBytes(2_900_000);
    const sentence = 'Nothing can be cached: the cache is at its size, and everything in it is in use or pinned';
    const trouble = await until(new RegExp(`${sentence}; streams go on uncached`), '/', small);
    expect(trouble.match(new RegExp(sentence, 'g'))).toHaveLength(2); // the headline, and the region of space
    expect(trouble).toContain('Unpin something, or give the cache more with --cache-size.');
    await until(/No room disk/, '/', small);
    expect((await api('/storage', {}, small)).body.trouble).toMatchObject({ kind: 'full' });
  }, 20_000);

  test('a live stream begins with the whole state and tells of a new reader', async () => {
    using connection = await RawConnection.open(larder.port);
    connection.send('GET', '/live?at=%2F', { Accept: 'text/event-stream', ...ownerHeaders() });
    await connection.readHead();
    let text = '';
    const readUntil = async (pattern: RegExp) => {
      while (!pattern.test(text)) {
        const bytes = await connection.readBytes(1);
        if (bytes.length === 0) throw new Error(`the stream ended before ${pattern}`);
        text += Buffer.from(bytes).toString('latin1');
      }
    };
    await readUntil(/hx-target="#headline"[\s\S]*hx-target="#traffic"[\s\S]*hx-target="#events"/);
    text = '';
    using _reader = await holdReader('Live.mkv');
    await readUntil(/1 reader/);
  }, 20_000);
});

describe('a viewer', () => {
  test('sees how it is, and nobody’s names, addresses, storage or events', async () => {
    const viewer = await signedIn(larder.dataFolder, 'viewer');
    const get = async (path: string) => {
      const response = await rawRequest(larder.port, path, viewer.headers);
      return { status: response.status, text: Buffer.from(response.body).toString() };
    };
    const home = await get('/');
    expect(home.status).toBe(200);
    expect(home.text).toContain('id="answers"');
    for (const id of ['readers', 'alerts', 'sources', 'events']) expect(home.text).not.toContain(`id="${id}"`);
    expect(home.text).not.toContain('href="/storage"');
    for (const path of [
      '/activity',
      '/storage',
      '/events',
      '/log',
      '/api/v1/readers',
      '/api/v1/events/log',
      '/api/v1/storage',
    ]) {
      expect([path, (await get(path)).status]).toEqual([path, 403]);
    }
    expect((await get('/api/v1/status')).status).toBe(200);
    expect((await get('/api/v1/history')).status).toBe(200);
  });
});

describe('storage', () => {
  async function startSmall(args: readonly string[] = []) {
    const small = await startLarder({ args: ['--source', `films=${origin.url}`, ...args] });
    for (const name of ['Alpha.mkv', 'Beta.mkv']) {
      origin.addFile(name, { sizeBytes: SIZE });
      await rawRequest(small.port, `/s/films/${name}`);
    }
    // Played before it is recorded: what is kept follows.
    const kept = async () => (await api('/storage', {}, small)).body;
    for (let state = await kept(); state.usedBytes < 2 * SIZE || state.inUseBytes > 0; ) state = await kept();
    return small;
  }

  test('a preview names what would go and changes nothing; saving does what it said, and survives a restart', async () => {
    await using small = await startSmall();
    const text = await textOf('/storage?cacheSize=7MB', small);
    expect(text).toContain('The cache may take 7.00 MB');
    expect(text).toContain('6.00 MB would go at once.');
    expect(text).toContain('Save and remove 6.00 MB (1 entry)');
    const preview = await api('/storage/preview', { method: 'POST', body: '{"cacheSize":"7MB"}' }, small);
    expect(preview.body.goes).toMatchObject({ count: 1, bytes: SIZE });
    expect(preview.body.goes.items[0].title).toBe('Alpha');
    expect((await api('/storage', {}, small)).body).toMatchObject({
      usedBytes: 2 * SIZE,
      cacheSize: { value: 'auto' },
    });

    const saved = await post('/storage', 'cacheSize=7MB', {}, small);
    expect(saved.status).toBe(303);
    expect(await textOf(saved.headers.get('location')!, small)).toContain('Done: The cache may take 7.00 MB, and');
    expect((await api('/storage', {}, small)).body).toMatchObject({ usedBytes: SIZE, capBytes: 7_000_000 });
    await small.restart();
    const after = await api('/storage', {}, small);
    expect(after.body).toMatchObject({ capBytes: 7_000_000, cacheSize: { value: '7MB', lockedBy: null } });
    expect(after.body.nextToGo.map((entry: { title: string }) => entry.title)).toEqual(['Beta']);
    expect(await textOf('/events', small)).toContain('Cache size was changed from auto to 7MB');
  }, 20_000);

  test('what cannot be read is refused, names the setting, and changes nothing', async () => {
    const wrong = await api('/storage', { method: 'PATCH', body: '{"keepFree":"lots"}' });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    expect(wrong.status).toBeLessThan(500);
    expect(wrong.body.detail).toContain('Keep free');
    expect((await api('/storage', { method: 'PATCH', body: '{"cap":"1GB"}' })).status).toBe(422);
    expect((await api('/storage/preview', { method: 'POST', body: '{' })).status).toBe(400);
    expect(await textOf('/storage?keepFree=lots')).toContain('is neither a size nor a share of the disk');
    const posted = await post('/storage', 'keepFree=lots', inPlace('/storage'));
    expect(await posted.text()).toContain('is neither a size nor a share of the disk');
    expect((await api('/storage')).body.keepFree.value).toBe('auto');
  });

  test('what is fixed outside is shown as locked, and stays', async () => {
    await using small = await startSmall(['--cache-size', '50MB']);
    expect(await textOf('/storage', small)).toContain('Set by --cache-size: change it there.');
    const refused = await api('/storage', { method: 'PATCH', body: '{"cacheSize":"7MB"}' }, small);
    expect(refused.body.detail).toContain('is fixed by --cache-size');
    expect((await api('/storage', {}, small)).body.capBytes).toBe(50_000_000);
    const freed = await api('/storage', { method: 'PATCH', body: '{"keepFree":"1GB"}' }, small);
    expect(freed.body.floorBytes).toBe(1_000_000_000);
  }, 20_000);

  test('an answer that has not changed is not sent again', async () => {
    const first = await api('/storage?limit=0');
    const again = await api('/storage?limit=0', { headers: { 'If-None-Match': first.headers.get('etag')! } });
    // Another program may have written to the disk meanwhile.
    expect([200, 304]).toContain(again.status);
  });
});

describe('events', () => {
  test('are filtered by kind, subject, severity and words, in the address and in the API, page by page', async () => {
    await using small = await startLarder({ args: ['--source', `films=${origin.url}`] });
    for (const size of ['11MB', '12MB', '13MB']) {
      await api('/storage', { method: 'PATCH', body: JSON.stringify({ cacheSize: size }) }, small);
    }
    const all = await api('/events/log?limit=2', {}, small);
    expect(all.body.items.map((event: { text: string }) => event.text)).toEqual([
      'Cache size was changed from 12MB to 13MB.',
      'Cache size was changed from 11MB to 12MB.',
    ]);
    const next = await api(`/events/log?limit=2&cursor=${all.body.next}`, {}, small);
    expect(next.body.items[0].text).toBe('Cache size was changed from auto to 11MB.');
    expect((await api('/events/log?q=13mb', {}, small)).body.items).toHaveLength(1);
    expect((await api('/events/log?severity=error', {}, small)).body.items).toEqual([]);
    expect((await api('/events/log?kind=evicted', {}, small)).body).toEqual({ items: [], next: null });
    expect((await api('/events/log?severity=awful', {}, small)).status).toBe(422);
    expect(await textOf('/events?q=13mb', small)).not.toContain('from auto to 11MB');
    expect(await textOf('/events?kind=evicted', small)).toContain('Nothing that is kept fits this filter.');
    expect(await textOf('/events?before=2', small)).toContain('Newest');
  }, 20_000);

  test('the log is shown with its level and part, and without secrets', async () => {
    const text = await textOf('/log');
    expect(text).toContain('started');
    expect(await textOf('/log?level=error')).not.toContain(' started ');
    const { body } = await api('/log?limit=1');
    expect(body.items).toHaveLength(1);
    expect(await page('/log')).not.toContain('secret');
  });

  test('are streamed while they happen, and what was missed is told to who comes back', async () => {
    await using small = await startLarder({ args: ['--source', `films=${origin.url}`] });
    const change = (size: string) =>
      api('/storage', { method: 'PATCH', body: JSON.stringify({ cacheSize: size }) }, small);
    async function listen(headers: Record<string, string> = {}) {
      const abort = new AbortController();
      const response = await fetch(`http://localhost:${small.port}/api/v1/events`, {
        headers: { ...ownerHeaders(small), ...headers },
        signal: abort.signal,
      });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      return {
        response,
        until: async (pattern: RegExp) => {
          while (!pattern.test(text)) text += (await reader.read()).value ?? '';
          return text;
        },
        close: () => abort.abort(),
      };
    }
    const first = await listen();
    expect(first.response.headers.get('content-type')).toStartWith('text/event-stream');
    await first.until(/listening/);
    await change('11MB');
    const text = await first.until(/11MB/);
    expect(text).toMatch(/event: event/);
    const id = /id: (\d+)/.exec(text)![1]!;
    first.close();
    await change('12MB');
    const second = await listen({ 'Last-Event-ID': id });
    expect(await second.until(/12MB/)).not.toContain('from auto to 11MB');
    second.close();
  }, 20_000);
});

test('the first run asks how much may be kept: proposed from the disk, refused in words, skipped or taken', async () => {
  await using fresh = await startLarder({ isUnclaimed: true });
  const address = `http://localhost:${fresh.port}`;
  const ours = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' };
  const send = (path: string, body: Record<string, string>, cookie = '') =>
    fetch(address + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...ours, Cookie: cookie },
      body: new URLSearchParams(body).toString(),
    });
  await fetch(`${address}/setup`);
  const code = readFileSync(join(fresh.dataFolder, 'setup-code'), 'utf8').trim();
  const claimed = await send('/setup', { code, name: 'Jane', password: 'correct horse battery' });
  expect([claimed.status, claimed.headers.get('location')]).toEqual([303, '/setup/storage']);
  const cookie = claimed.headers.get('set-cookie')!.split(';')[0]!;
  const shown = await (await fetch(`${address}/setup/storage`, { headers: { Cookie: cookie } })).text();
  expect(shown).toContain(join(fresh.dataFolder, 'chunks'));
  expect(shown).toMatch(/Larder proposes to use up to <strong>[\d.]+ [TG]B/);
  const wrong = await send('/setup/storage', { cacheSize: 'lots', keepFree: '1GB' }, cookie);
  expect(wrong.status).toBe(422);
  const text = await wrong.text();
  expect(text).toContain('value="lots"');
  expect(text).toContain('is neither a size nor a share of the disk');
  const taken = await send('/setup/storage', { cacheSize: '5MB', keepFree: '1GB' }, cookie);
  expect(taken.status).toBe(303);
  const state = await fetch(`${address}/api/v1/storage`, {
    headers: { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' },
  });
  expect(await state.json()).toMatchObject({ capBytes: 5_000_000, floorBytes: 1_000_000_000 });
}, 20_000);
