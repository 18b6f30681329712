// Settings, doctor, about and connect, by pages and by the API, on a whole appliance.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({
    files: { 'Whole (2020).mkv': { sizeBytes: 1_000 }, 'Partly.mkv': { sizeBytes: 9_000_000 } },
  });
  const address = origin.url.replace('://', '://me:hush@');
  larder = await startLarder({ args: ['--source', `films=${address}`, '--recheck-after', '2h'] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

/** The one place that signs in. */
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...larder.owner.headers, ...(init.headers as Record<string, string>) };
  return fetch(`http://localhost:${larder.port}${path}`, { redirect: 'manual', ...init, headers });
}

function asStranger(path: string): Promise<Response> {
  return fetch(`http://localhost:${larder.port}${path}`);
}

async function page(path: string): Promise<string> {
  return (await ask(path)).text();
}

function post(path: string, fields: Record<string, string>): Promise<Response> {
  return ask(path, { method: 'POST', body: new URLSearchParams(fields) });
}

function patch(changes: unknown): Promise<Response> {
  return ask('/api/v1/settings', {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(changes),
  });
}

interface SettingItem {
  readonly name: string;
  readonly value: string[] | null;
  readonly origin: string;
  readonly locked: string | null;
  readonly isPending: boolean;
}

async function setting(name: string): Promise<SettingItem | undefined> {
  const { items } = (await (await ask('/api/v1/settings')).json()) as { items: SettingItem[] };
  return items.find((item) => item.name === name);
}

describe('the settings page', () => {
  test('shows every setting, what fixes it, and no secret', async () => {
    const text = await page('/settings');
    expect(text).toContain('Read-ahead');
    expect(text).toMatch(/Fixed by <code>--recheck-after<\/code>/);
    expect(text).not.toContain('hush');
  });

  test('keeps what was typed and names the field when it cannot be taken, and changes nothing', async () => {
    const answer = await post('/settings', { readAhead: 'a lot', verifyRate: '4MiB' });
    const text = await answer.text();
    expect(answer.status).toBe(422);
    expect(text).toContain('value="a lot"');
    expect(text).toContain('id="readAhead-error"');
    expect(text).toContain('Read-ahead: &quot;a lot&quot; is not a size');
    expect(await setting('verifyRate')).toMatchObject({ value: ['8MiB'], origin: 'default' });
  });

  test('saves a group, says so once, and goes back to the default', async () => {
    const answer = await post('/settings', { verifyRate: ' 4MiB ', logLevel: 'warning' });
    expect(answer.status).toBe(303);
    const location = answer.headers.get('Location')!;
    expect(location).toMatch(/^\/settings\?notice=/);
    expect(await page(location)).toContain('2 settings were changed.');
    expect(await page('/settings')).not.toContain('2 settings were changed.');
    expect(await setting('verifyRate')).toMatchObject({ value: ['4MiB'], origin: 'database' });
    expect(await page((await post('/settings/reset', { setting: 'verifyRate' })).headers.get('Location')!)).toContain(
      'Background check is 8MiB.',
    );
    expect((await setting('verifyRate'))?.origin).toBe('default');
    await post('/settings/reset', { setting: 'logLevel' });
  });

  test('another cap or floor is shown what it would do, and not saved here', async () => {
    const text = await page('/settings');
    expect(text).not.toContain('name="cacheSize"');
    expect(text).toContain('Change on Storage');
    expect(text).not.toContain('--admin-password');
    for (const [path, fields] of [
      ['/settings', { cacheSize: '1MB', readAhead: '32MiB' }],
      ['/settings/reset', { setting: 'cacheSize' }],
    ] as const) {
      expect((await post(path, fields)).headers.get('Location')).toStartWith('/storage?cacheSize=');
    }
    expect([(await setting('cacheSize'))?.origin, (await setting('readAhead'))?.origin]).toEqual([
      'default',
      'default',
    ]);
  });

  test('the summary names a field once', async () => {
    const text = await (await post('/settings', { threads: '99' })).text();
    expect(text).not.toMatch(/Download threads<\/a>: Download threads/);
  });

  test('a switch that is off says so by its hidden field', async () => {
    const on = new URLSearchParams([
      ['backgroundFill', 'off'],
      ['backgroundFill', 'on'],
    ]);
    await ask('/settings', { method: 'POST', body: on });
    expect((await setting('backgroundFill'))?.value).toEqual(['on']);
    await post('/settings', { backgroundFill: 'off' });
    expect((await setting('backgroundFill'))?.value).toEqual(['off']);
  });

  test('a list is one a line', async () => {
    await post('/settings', { allowedHosts: 'nas.example.org\r\n  media.example.org\r\n' });
    expect((await setting('allowedHosts'))?.value).toEqual(['nas.example.org', 'media.example.org']);
    await post('/settings', { allowedHosts: '' });
    expect((await setting('allowedHosts'))?.value).toEqual([]);
  });

  test('a name that is added is answered at once', async () => {
    const asNamed = async () =>
      (await rawRequest(larder.port, '/about', { Host: 'nas.example.org', ...larder.owner.headers })).status;
    expect(await asNamed()).toBe(421);
    await post('/settings', { allowedHosts: 'nas.example.org' });
    expect(await asNamed()).toBe(200);
    await post('/settings', { allowedHosts: '' });
    expect(await asNamed()).toBe(421);
  });

  test('what needs a restart waits for it, and is in force then', async () => {
    const answer = await post('/settings', { threads: '3' });
    const text = await page(answer.headers.get('Location')!);
    expect(text).toContain('In force after the next start: Download threads.');
    expect(text).toContain('1 change waits for a restart');
    await ask('/api/v1/doctor?again=true');
    expect(await page('/doctor')).toContain('Changed and not in force yet: Download threads');
    await larder.restart();
    expect(await setting('threads')).toMatchObject({ value: ['3'], isPending: false, origin: 'database' });
    await post('/settings/reset', { setting: 'threads' });
    await larder.restart();
  });

  test('gives the settings as a file without credentials', async () => {
    const answer = await ask('/settings/larder.toml');
    expect(answer.headers.get('Content-Disposition')).toContain('larder.toml');
    const text = await answer.text();
    expect(text).toContain('recheck-after = "2h"');
    expect(text).not.toContain('hush');
  });

  test('a form of another site changes nothing', async () => {
    const answer = await ask('/settings', {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.example' },
      body: new URLSearchParams({ verifyRate: '1MiB' }),
    });
    expect(answer.status).toBe(403);
    expect((await setting('verifyRate'))?.origin).toBe('default');
  });
});

describe('the settings API', () => {
  test('changes by name, with numbers and switches as JSON has them', async () => {
    const answer = await patch({ connectionsPerSource: 5, backgroundFill: true, readAhead: '32MiB' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      changed: ['connectionsPerSource', 'readAhead', 'backgroundFill'],
      restartNeeded: [],
    });
    expect((await setting('connectionsPerSource'))?.value).toEqual(['5']);
    expect(
      await (await patch({ connectionsPerSource: null, backgroundFill: null, readAhead: null })).json(),
    ).toMatchObject({
      changed: ['connectionsPerSource', 'readAhead', 'backgroundFill'],
    });
    expect((await setting('connectionsPerSource'))?.origin).toBe('default');
  });

  test('the same change twice changes nothing the second time', async () => {
    await patch({ readAhead: '48MiB' });
    expect(await (await patch({ readAhead: '48 mib' })).json()).toMatchObject({ changed: [] });
    await patch({ readAhead: null });
  });

  test('invariant 10: names each field at fault, and changes nothing', async () => {
    const answer = await patch({ readAhead: 'x', port: 80, recheckAfter: '1h', verifyRate: '1MiB' });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    const problem = (await answer.json()) as { fields: { field: string; detail: string }[] };
    expect(problem.fields.map(({ field }) => field)).toEqual(['port', 'readAhead', 'recheckAfter']);
    expect(problem.fields[2]?.detail).toContain('--recheck-after');
    expect((await setting('verifyRate'))?.origin).toBe('default');
  });

  test('answers 304 to who has it already', async () => {
    const first = await ask('/api/v1/settings');
    const tag = first.headers.get('ETag')!;
    expect((await ask('/api/v1/settings', { headers: { 'If-None-Match': tag } })).status).toBe(304);
    expect(await first.text()).not.toContain('hush');
  });
});

describe('doctor, about and connect', () => {
  test('the doctor says the same on its page and in the API', async () => {
    const { findings, state } = (await (await ask('/api/v1/doctor?again=true')).json()) as {
      state: string;
      findings: { name: string; state: string; detail: string }[];
    };
    expect(['ok', 'warning', 'failed']).toContain(state);
    const names = findings.map(({ name }) => name);
    for (const name of [
      'sources',
      'data-folder',
      'disk-space',
      'inodes',
      'disk-sync',
      'database',
      'clock',
      'port',
      'ipv6',
      'proxy-headers',
      'threads',
    ]) {
      expect(names).toContain(name);
    }
    expect(findings.find(({ name }) => name === 'port')).toMatchObject({ state: 'ok' });
    expect(await page('/doctor')).toContain('Free space');
    expect((await ask('/api/v1/doctor?again=perhaps')).status).toBe(422);
  });

  test('"Check again" leads back to the page', async () => {
    const answer = await ask('/doctor/check', {
      method: 'POST',
      headers: { Referer: `http://localhost:${larder.port}/doctor` },
    });
    expect(answer.status).toBe(303);
    expect(await page(answer.headers.get('Location')!)).toContain('Everything was checked');
  });

  test('about has version, paths, licences, and a report that gives nothing away', async () => {
    const about = (await (await ask('/api/v1/about')).json()) as { licences: { name: string }[]; dataFolder: string };
    expect(about).toMatchObject({ version: 'test', dataFolder: larder.dataFolder });
    expect(about.licences.map(({ name }) => name)).toContain('hono');
    const text = await page('/about');
    const report = /<textarea id="report"[^>]*>([^<]*)/.exec(text)?.[1] ?? '';
    expect(report).toContain('larder test');
    expect(report).not.toContain(larder.dataFolder);
    expect(await page('/about/licences')).toContain('Permission is hereby granted');
  });

  test('connect shows the address that the visitor used', async () => {
    const text = await page('/connect');
    expect(text).toContain(`value="http://localhost:${larder.port}/"`);
    expect(text).toContain('/s/films/FILE');
  });

  test('the playlist has what is here whole, and opens by its signed address alone', async () => {
    await rawRequest(larder.port, '/s/films/Whole%20(2020).mkv');
    await rawRequest(larder.port, '/s/films/Partly.mkv', { Range: 'bytes=0-99' });
    const address =
      /value="([^"]*library\.m3u[^"]*)"/.exec(await page('/connect'))?.[1]?.replaceAll('&amp;', '&') ?? '';
    const { pathname, search } = new URL(address);
    // A player may have all of a film before its last row is written.
    let lines: string[];
    do lines = (await (await asStranger(pathname + search)).text()).split('\n');
    while (lines.length <= 3);
    expect(lines.slice(2)).toEqual([
      '#EXTINF:-1 group-title="films",Whole (2020)',
      `http://localhost:${larder.port}/s/films/Whole%20(2020).mkv`,
      '',
    ]);
    expect((await asStranger(pathname)).status).toBe(401);
    expect((await asStranger(`${pathname}${search}x`)).status).toBe(401);
    expect(await page('/library.m3u?availability=any&q=part')).toContain('/s/films/Partly.mkv');
    expect(await page('/library.m3u?q=nothing-like-it')).toBe('#EXTM3U\n#PLAYLIST:Larder\n');
    expect((await ask('/library.m3u?availability=much')).status).toBe(422);
  });

  test('help lists the keys', async () => {
    expect(await page('/help')).toContain('<kbd>?</kbd>');
  });

  test('pages go out compressed to who takes that', async () => {
    const plain = await ask('/settings', { headers: { 'Accept-Encoding': 'identity' } });
    expect(plain.headers.get('Content-Encoding')).toBeNull();
    const size = Number((await plain.arrayBuffer()).byteLength);
    const raw = await fetch(`http://localhost:${larder.port}/settings`, {
      decompress: false,
      headers: { ...larder.owner.headers, 'Accept-Encoding': 'gzip' },
    } as RequestInit);
    expect(raw.headers.get('Content-Encoding')).toBe('gzip');
    expect(raw.headers.get('Vary')).toContain('Accept-Encoding');
    expect((await raw.arrayBuffer()).byteLength).toBeLessThan(size / 3);
  });

  test('what programs ask for by themselves is there for everybody', async () => {
    expect(await (await asStranger('/robots.txt')).text()).toBe('User-agent: *\nDisallow: /\n');
    const icon = await asStranger('/favicon.ico');
    expect([icon.status, icon.headers.get('Content-Type')]).toEqual([200, 'image/png']);
    const manifest = (await (await asStranger('/manifest.webmanifest')).json()) as { icons: { src: string }[] };
    for (const { src } of manifest.icons) expect((await asStranger(src)).status).toBe(200);
  });

  test('what is not there says so, and where to go', async () => {
    const answer = await ask('/nothing/like/it');
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('There is no such page');
  });
});
