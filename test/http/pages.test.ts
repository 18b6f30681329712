// The library and its items, their live updates and actions, and what all pages hold, over real sockets.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 6_000_000;

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({
    files: {
      'Some Film (2020).mkv': { sizeBytes: SIZE },
      'Night.1080p.mp4': { sizeBytes: 1_000_000 },
      'Night.480p.mp4': { sizeBytes: 500_000 },
      '<script>alert(1)</script>.mkv': { sizeBytes: 1000 },
    },
  });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

async function page(path = '/library', headers: Record<string, string> = {}): Promise<string> {
  const response = await rawRequest(larder.port, path, { ...larder.owner.headers, ...headers });
  return Buffer.from(response.body).toString();
}

function post(path: string, body = '', headers: Record<string, string> = {}) {
  return fetch(`http://localhost:${larder.port}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...larder.owner.headers, ...headers },
    body,
  });
}

interface Known {
  readonly id: number;
  readonly media: number;
}

/** The entry whose file has this name, as the API says it. */
async function entryOf(fileName: string): Promise<Known> {
  const { items } = JSON.parse(await page('/api/v1/entries?limit=200')) as { items: (Known & { path: string })[] };
  const entry = items.find(({ path }) => path === fileName);
  if (entry === undefined) throw new Error(`${fileName} has no entry`);
  return entry;
}

async function entryId(fileName: string): Promise<number> {
  return (await entryOf(fileName)).id;
}

/** The page of the item that the file is of. */
async function itemText(fileName: string): Promise<string> {
  return page(`/items/${(await entryOf(fileName)).media}`);
}

/** Looks at the page until it says so. */
async function pageThat(says: RegExp, look = () => page()): Promise<string> {
  for (let count = 0; count < 500; count++) {
    const text = await look();
    if (says.test(text)) return text;
  }
  throw new Error(`the page never said ${says}: ${await look()}`);
}

test('the page teaches when nothing is cached, and shows what is', async () => {
  expect(await page()).toContain('/s/films/');
  await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv', { Range: 'bytes=0-2999999' });
  const text = await pageThat(/3\.00 MB of 6\.00 MB/);
  expect(text).toMatch(/Some Film<span[^>]*> \(2020\)/);
  expect(await itemText('Some Film (2020).mkv')).toContain('/s/films/Some%20Film%20(2020).mkv');
});

test('two qualities of a title are one title, each with its own bytes', async () => {
  await rawRequest(larder.port, '/s/films/Night.1080p.mp4');
  await rawRequest(larder.port, '/s/films/Night.480p.mp4', { Range: 'bytes=0-99' });
  const text = await pageThat(/480p/);
  expect(text.match(/class="item-title"[^>]*>Night</g)?.length).toBe(1);
  const item = await pageThat(/1\.00 MB \(100 %\)/, () => itemText('Night.480p.mp4'));
  expect(item).toContain('id="quality-0"');
  expect(item).toContain('1.00 MB (100 %)');
  expect(item).toContain('id="quality-1"');
});

test('a hostile name is text and nothing else', async () => {
  await rawRequest(larder.port, `/s/films/${encodeURIComponent('<script>alert(1)</script>.mkv')}`.replace('%2F', '/'));
  expect(await page()).not.toContain('<script>alert');
});

test('the page comes with a strict policy and loads only from here', async () => {
  const response = await rawRequest(larder.port, '/', larder.owner.headers);
  const policy = response.header('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  const text = Buffer.from(response.body).toString();
  const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  expect(addresses.filter((address) => /^(https?:)?\/\//.test(address) && !address.includes('localhost'))).toEqual([]);
  const assets = addresses.filter((address) => address.includes('/assets/'));
  expect(assets.length).toBeGreaterThanOrEqual(3);
  for (const address of assets) {
    const asset = await rawRequest(larder.port, address);
    expect([address, asset.status]).toEqual([address, 200]);
    expect(asset.header('cache-control')).toContain('immutable');
  }
});

test('a live stream begins with the whole state and tells what changes', async () => {
  origin.addFile('New.mkv', { sizeBytes: 1000 });
  await rawRequest(larder.port, '/s/films/New.mkv', { Range: 'bytes=0-299' });
  await pageThat(/300 B of 1\.00 kB/);
  using connection = await RawConnection.open(larder.port);
  connection.send('GET', '/live?at=%2Flibrary', { Accept: 'text/event-stream', ...larder.owner.headers });
  const head = await connection.readHead();
  expect(head.header('content-type')).toStartWith('text/event-stream');
  let text = '';
  const readUntil = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      const bytes = await connection.readBytes(1);
      if (bytes.length === 0) throw new Error(`the stream ended before ${pattern}`);
      text += Buffer.from(bytes).toString('latin1');
    }
  };
  await readUntil(/hx-target="#jobs"[\s\S]*300 B of 1\.00 kB/);
  text = '';
  await rawRequest(larder.port, '/s/films/New.mkv');
  await readUntil(/>whole<[\s\S]*1\.00 kB/);
});

test('the pages are for who is signed in, and under names of ours only', async () => {
  const anonymous = await rawRequest(larder.port, '/');
  expect([anonymous.status, anonymous.header('location')]).toEqual([303, '/login']);
  const rebinding = await rawRequest(larder.port, '/', { ...larder.owner.headers, Host: 'evil.example' });
  expect(rebinding.status).toBe(421);
  const text = Buffer.from(rebinding.body).toString();
  expect(text).toContain('LARDER_ALLOWED_HOSTS=evil.example');
  expect(text).not.toContain('Some Film');
  const known = { ...larder.owner.headers, Host: '127.0.0.1:8420' };
  expect((await rawRequest(larder.port, '/', known)).status).toBe(200);
  expect((await rawRequest(larder.port, '/healthz', { Host: 'evil.example' })).status).toBe(200);
});

test('a form of another site is refused', async () => {
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.example' },
  ] as Record<string, string>[]) {
    expect((await post('/entries/1/remove', '', headers)).status).toBe(403);
  }
  const { Cookie } = larder.owner.headers;
  for (const headers of [{ Origin: 'http://evil.example' }, { Referer: 'http://evil.example/' }, {}]) {
    const response = await rawRequest(larder.port, '/entries/1/remove', { Cookie: Cookie!, ...headers }, 'POST');
    expect(response.status).toBe(403);
  }
});

test('"Fetch the rest" makes an entry whole, and is told once', async () => {
  const id = await entryId('Some Film (2020).mkv');
  const response = await post(`/entries/${id}/fetch`);
  expect(response.status).toBe(303);
  const location = response.headers.get('location')!;
  expect(await page(location)).toContain('is being fetched');
  expect(await page(location)).not.toContain('is being fetched; what somebody watches');
  await origin.until(() => origin.bytesSent('Some Film (2020).mkv') === SIZE);
  const whole = await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv');
  origin.assertBody('Some Film (2020).mkv', whole.body);
  expect(origin.bytesSent('Some Film (2020).mkv')).toBe(SIZE);
});

test('removing bytes for good is refused while somebody reads, and else removes row and file (invariants 7 and 8)', async () => {
  const id = await entryId('Night.480p.mp4');
  const removed = await post(`/entries/${id}/remove`, '', inPlace());
  expect(removed.status).toBe(200);
  expect(await removed.text()).toContain('were removed from the disk');
  expect(await (await post(`/entries/${id}/remove`, '', inPlace())).text()).toContain('not there any more');

  origin.addFile('Held.mkv', { sizeBytes: SIZE });
  origin.behave('Held.mkv', { stallAfterBytes: 100_000 });
  using reader = await RawConnection.open(larder.port);
  reader.send('GET', '/s/films/Held.mkv');
  await reader.readHead();
  const held = await entryId('Held.mkv');
  for (const verb of ['remove', 'drop']) expect(await act(held, verb)).toContain('is being read');
});

test('what is dropped can be brought back, also where no filter shows it any more', async () => {
  const name = 'Night.1080p.mp4';
  const { id, media } = await entryOf(name);
  const headers = { ...inPlace(), 'HX-Current-URL': `http://localhost:${larder.port}/library?availability=whole` };
  const dropped = await (await post(`/entries/${id}/drop`, '', headers)).text();
  expect(dropped).toContain('can be brought back for 10 minutes');
  expect(dropped).toContain(`hx-target="#item-${media}"`);
  expect(await page('/library?availability=whole')).not.toContain(`id="item-${media}"`);
  expect(await page('/library?availability=whole')).toContain(`action="/entries/${id}/restore"`);
  expect(await act(id, 'restore')).toContain('is back');
  expect(await act(id, 'restore')).toContain('is back');
  expect(await page('/library?availability=whole')).toContain(`id="item-${media}"`);
});

/** As htmx asks from the library. */
function inPlace(port = larder.port): Record<string, string> {
  return { 'HX-Request': 'true', 'HX-Current-URL': `http://localhost:${port}/library` };
}

async function act(id: number, verb: string): Promise<string> {
  const response = await post(`/entries/${id}/${verb}`, '', inPlace());
  expect(response.status).toBe(200);
  return response.text();
}

test('a pin is told, shown, and survives a restart, and so does taking it back', async () => {
  const name = 'Night.1080p.mp4';
  const id = await entryId(name);
  const response = await post(`/entries/${id}/pin`);
  expect(response.status).toBe(303);
  expect(await page(response.headers.get('location')!)).toContain('is never removed to make room');
  await larder.restart();
  expect(await itemText(name)).toContain(`/entries/${id}/unpin"`);
  expect(await act(id, 'unpin')).toContain('is no longer pinned');
  await larder.restart();
  expect(await itemText(name)).toContain(`/entries/${id}/pin"`);
});

test('a check with the origin says that a file is the same, and is no use of it', async () => {
  const name = 'Night.1080p.mp4';
  await larder.restart();
  const id = await entryId(name);
  const order = [...(await page()).matchAll(/id="item-(\d+)"/g)].map(([, item]) => item);
  expect(order.length).toBeGreaterThan(2);
  const sent = origin.bytesSent(name);
  expect(await act(id, 'recheck')).toContain('is at its origin as it is kept here');
  expect(origin.bytesSent(name) - sent).toBeLessThanOrEqual(1);
  await larder.restart();
  expect([...(await page()).matchAll(/id="item-(\d+)"/g)].map(([, item]) => item)).toEqual(order);
});

test('a check says that a file changed, and who opens it from now on gets the new version', async () => {
  const name = 'Changing.mkv';
  origin.addFile(name, { sizeBytes: 700_000 });
  origin.assertBody(name, (await rawRequest(larder.port, `/s/films/${name}`)).body);
  origin.change(name, 800_000);
  expect(await act(await entryId(name), 'recheck')).toContain('has changed at its origin');
  const response = await rawRequest(larder.port, `/s/films/${name}`);
  expect(response.body.length).toBe(800_000);
  origin.assertBody(name, response.body);
});

test('a check of a file that is gone says so, the entry shows it, and what is kept plays on until it is back', async () => {
  const name = 'Vanishing.mkv';
  origin.addFile(name, { sizeBytes: 700_000 });
  await rawRequest(larder.port, `/s/films/${name}`);
  const id = await entryId(name);
  origin.behave(name, { status: 404 });
  expect(await act(id, 'recheck')).toContain('is not at its origin: the origin answered 404');
  await pageThat(/Not at its origin since .*answered 404/s, () => itemText(name));
  expect(await page('/library?unreachable=1')).toContain('Vanishing');
  origin.assertBody(name, (await rawRequest(larder.port, `/s/films/${name}`)).body);
  origin.behave(name, null);
  expect(await act(id, 'recheck')).toContain('is at its origin as it is kept here');
  await pageThat(/^(?!.*Not at its origin)/s, () => itemText(name));
});

test('an act answers with what the page shows that it was sent from', async () => {
  const { id, media } = await entryOf('Night.1080p.mp4');
  const headers = { ...inPlace(), 'HX-Current-URL': `http://localhost:${larder.port}/library?q=vanishing` };
  const elsewhere = await (await post(`/entries/${id}/unpin`, '', headers)).text();
  expect(elsewhere).toContain('Vanishing');
  expect(elsewhere).not.toContain(`#item-${media}"`);
  expect(await act(id, 'unpin')).toContain(`#item-${media}"`);
});

test('an id that is none changes nothing and says so', async () => {
  for (const verb of ['pin', 'unpin', 'recheck']) {
    expect(await act(999_999_999_999_999, verb)).toContain('not there any more');
    for (const id of ['x', '-1', '1.5', '99999999999999999999', '%00']) {
      expect([verb, id, (await post(`/entries/${id}/${verb}`)).status]).toEqual([verb, id, 404]);
    }
    const foreign = await post(`/entries/1/${verb}`, '', { 'Sec-Fetch-Site': 'cross-site' });
    expect([verb, foreign.status]).toEqual([verb, 403]);
  }
});

test('the pages work below a base path', async () => {
  await larder.restart(['--source', `films=${origin.url}`, '--base-path', '/a/b/']);
  expect((await rawRequest(larder.port, '/a/b/', larder.owner.headers)).status).toBe(200);
  const text = await page('/a/b/library');
  expect(text).toContain('/a/b/assets/');
  const response = await rawRequest(larder.port, '/a/b/s/films/New.mkv');
  origin.assertBody('New.mkv', response.body);
  expect((await rawRequest(larder.port, '/s/films/New.mkv')).status).not.toBe(200);
  const first = await rawRequest(larder.port, '/');
  expect([first.status, first.header('location')]).toEqual([302, '/a/b/']);
  for (const path of ['/elsewhere', '/a/bc', '/s/films/New.mkv', '/a/b/nothing']) {
    const outside = await rawRequest(larder.port, path, larder.owner.headers);
    expect([path, outside.status]).toEqual([path, 404]);
    expect([path, outside.header('content-security-policy')]).toEqual([
      path,
      expect.stringContaining("default-src 'none'"),
    ]);
    expect([path, outside.header('x-content-type-options')]).toEqual([path, 'nosniff']);
  }
  await larder.restart();
});

test('an unknown page answers 404 in words, and health is public', async () => {
  expect((await rawRequest(larder.port, '/nothing', larder.owner.headers)).status).toBe(404);
  expect(await page('/healthz')).toBe('ok\n');
  expect(await page('/readyz')).toBe('ready\n');
});
