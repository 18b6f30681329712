// The forms of sources as they are sent without JavaScript: each kind with what it needs, what is wrong below its field,
// signing in by a code, and secrets that no page gives back.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { ALICE, type JellyfinServer, startJellyfinServer } from '../support/jellyfin-server.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let jellyfin: JellyfinServer;
let larder: RunningLarder;

beforeAll(async () => {
  jellyfin = await startJellyfinServer({ movies: 2, series: 1, seasonsEach: 1, episodesEach: 2 });
  larder = await startLarder();
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await jellyfin[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Where it leads to, without the notice. */
  readonly location: string | null;
}

async function ask(path: string, fields?: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`http://localhost:${larder.port}${path}`, {
    redirect: 'manual',
    headers: larder.owner.headers,
    ...(fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields) }),
  });
  const location = response.headers.get('Location')?.replace(/\?.*$/, '') ?? null;
  return { status: response.status, text: await response.text(), location };
}

/** What stands below a field; null when nothing is wrong with it. */
function errorOf(text: string, field: string): string | null {
  return new RegExp(`id="${field}-error">([^<]*)<`).exec(text)?.[1] ?? null;
}

function typedIn(text: string, field: string): string | null {
  const input = new RegExp(`<input[^>]*id="${field}"[^>]*>`).exec(text)?.[0] ?? '';
  return /value="([^"]*)"/.exec(input)?.[1] ?? null;
}

function isChecked(text: string, name: string, value: string): boolean {
  const input = new RegExp(`<input type="radio" name="${name}" value="${value}"[^>]*>`).exec(text)?.[0];
  return input?.includes('checked') ?? false;
}

describe('a new source', () => {
  test('is asked for what its kind needs, and for nothing else', async () => {
    const fieldsOf = async (query: string) => {
      const { text } = await ask(`/sources/new${query}`);
      const names = [...text.matchAll(/<(?:input|textarea|select)[^>]*\sname="([^"]+)"/g)].map(([, name]) => name);
      return new Set(names.filter((name) => name !== 'once'));
    };
    const common = ['kind', 'name', 'url', 'local'];
    const conversion = ['transcode', 'ladder-1080p', 'ladder-720p', 'ladder-480p', 'ladder-360p'];
    const certificate = ['credentialCertificate', 'credentialKey', 'credentialAuthority'];
    const http = ['signIn', 'username', 'password', 'token', 'credentialHeaders', ...certificate, 'file'];
    expect(await fieldsOf('')).toEqual(new Set([...common, ...http]));
    expect(await fieldsOf('?kind=nothing')).toEqual(new Set([...common, ...http]));
    const password = ['signIn', 'username', 'password', 'credentialApiKey'];
    expect(await fieldsOf('?kind=jellyfin')).toEqual(new Set([...common, ...password, ...conversion]));
    expect(await fieldsOf('?kind=plex')).toEqual(new Set([...common, 'signIn', 'token', ...conversion]));
    expect(await fieldsOf('?kind=stremio')).toEqual(new Set([...common, 'itemsPerCatalogue']));
  });

  test('of Jellyfin is saved with its sign-in and its ladder, and shows both again but no secret', async () => {
    const added = await ask('/sources/new', {
      kind: 'jellyfin',
      name: 'home',
      url: jellyfin.url,
      signIn: 'password',
      username: ALICE.name,
      password: ALICE.password,
      transcode: 'hls',
      'ladder-1080p': '6,5',
      'ladder-720p': '',
      'ladder-360p': '0',
    });
    expect(added.location).toBe('/sources/home');
    const { text } = await ask('/sources/home');
    expect(text).toContain('Jellyfin at <code>');
    expect(text).toContain('As it is: user name and password');
    expect(isChecked(text, 'transcode', 'hls')).toBe(true);
    expect(typedIn(text, 'ladder-1080p')).toBe('6.5');
    expect(typedIn(text, 'ladder-720p') ?? '').toBe('');
    expect(typedIn(text, 'ladder-360p')).toBe('0');
    expect(text).toContain('Look for new titles now');
    expect(text).not.toContain('wonder');
    // Emptied: as it is by default again. What was not touched stays.
    await ask('/sources/home', { kind: 'jellyfin', url: jellyfin.url, signIn: 'keep', transcode: 'growing' });
    const changed = (await ask('/sources/home')).text;
    expect(typedIn(changed, 'ladder-1080p') ?? '').toBe('');
    expect(isChecked(changed, 'transcode', 'growing')).toBe(true);
    expect(changed).toContain('As it is: user name and password');
  });

  test('says below its field what is wrong', async () => {
    const base = { kind: 'jellyfin', name: 'wrong', url: jellyfin.url, signIn: 'apiKey', credentialApiKey: 'a key' };
    const key = await ask('/sources/new', base);
    expect(key.status).toBe(422);
    expect(errorOf(key.text, 'credentialApiKey')).toContain('API key cannot be sent');
    expect(key.text).not.toContain('a key"');
    expect(isChecked(key.text, 'signIn', 'apiKey')).toBe(true);
    const address = await ask('/sources/new', { ...base, credentialApiKey: 'k', url: 'ftp://nas/' });
    expect(errorOf(address.text, 'url')).not.toBeNull();
    const rate = await ask('/sources/new', {
      ...base,
      credentialApiKey: 'k',
      transcode: 'growing',
      'ladder-720p': 'x',
    });
    expect(errorOf(rate.text, 'ladder-720p')).toContain('no bit rate');
    expect(rate.text).toContain('<details class="more-settings" open');
    const large = await ask('/sources/new', { ...base, credentialApiKey: 'k', transcode: 'off', 'ladder-480p': '900' });
    expect(errorOf(large.text, 'ladder-480p')).toContain('bit rate of 480p');
    const name = await ask('/sources/new', { ...base, credentialApiKey: 'k', name: 'a b' });
    expect(errorOf(name.text, 'name')).toContain('cannot stand in an address');
  });

  test('of Plex takes the token out of an address that was pasted, and gives it back to no page', async () => {
    const pasted = 'http://nas:32400/web/index.html?X-Plex-Token=plex-secret';
    const wrong = await ask('/sources/new', { kind: 'plex', name: 'a b', url: pasted, signIn: 'token', token: '' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).not.toContain('plex-secret');
    const added = await ask('/sources/new', { kind: 'plex', name: 'plexes', url: pasted, signIn: 'token', token: '' });
    expect(added.location).toBe('/sources/plexes');
    const { text } = await ask('/sources/plexes');
    expect(text).toContain('As it is: token');
    expect(text).not.toContain('plex-secret');
  });

  test('of Stremio shows of its address only the host, and keeps it until another one is given', async () => {
    const manifest = 'http://127.0.0.1:9/key-of-someone/manifest.json';
    const wrong = await ask('/sources/new', { kind: 'stremio', name: 'addon', url: `${manifest}?x` });
    expect(errorOf(wrong.text, 'url')).toContain('query or a fragment');
    expect(wrong.text).not.toContain('key-of-someone');
    const many = await ask('/sources/new', { kind: 'stremio', name: 'addon', url: manifest, itemsPerCatalogue: '0' });
    expect(errorOf(many.text, 'itemsPerCatalogue')).not.toBeNull();
    const added = await ask('/sources/new', { kind: 'stremio', name: 'addon', url: manifest, itemsPerCatalogue: '50' });
    expect(added.location).toBe('/sources/addon');
    const before = (await ask('/sources/addon')).text;
    expect(before).toContain('at 127.0.0.1:9.');
    expect(before).not.toContain('key-of-someone');
    expect(typedIn(before, 'itemsPerCatalogue')).toBe('50');
    const credentials = async () => {
      const { text } = await ask('/api/v1/sources/addon');
      return (JSON.parse(text) as { credentials: unknown }).credentials;
    };
    const kept = await credentials();
    await ask('/sources/addon', { kind: 'stremio', url: '', itemsPerCatalogue: '' });
    expect(await credentials()).toEqual(kept);
    expect(typedIn((await ask('/sources/addon')).text, 'itemsPerCatalogue')).toBe('1000');
    await ask('/sources/addon', { kind: 'stremio', url: 'http://127.0.0.1:9/manifest.json', itemsPerCatalogue: '' });
    expect(await credentials()).not.toEqual(kept);
  });

  test('its test says step by step what the server said', async () => {
    const fields = {
      kind: 'jellyfin',
      name: 'x',
      url: jellyfin.url,
      signIn: 'password',
      username: 'alice',
      password: 'no',
    };
    const { status, text } = await ask('/sources/test', fields);
    expect(status).toBe(200);
    expect(text).toContain('It can be saved all the same');
    expect(typedIn(text, 'name')).toBe('x');
  });
});

describe('signing in by a code', () => {
  const form = { kind: 'jellyfin', name: 'quick', signIn: 'code', transcode: 'growing', 'ladder-720p': '3' };

  test('shows the code, waits until it was entered, and saves with what it ended with', async () => {
    const url = jellyfin.url;
    const asked = await ask('/sources/new/sign-in', { ...form, url, act: 'code' });
    expect(asked.status).toBe(200);
    const code = /<strong class="code">(\d+)</.exec(asked.text)?.[1] ?? '';
    const signInId = /name="signInId" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
    expect(code).toMatch(/^\d{6}$/);
    // What was typed stays.
    expect(typedIn(asked.text, 'name')).toBe('quick');
    expect(typedIn(asked.text, 'ladder-720p')).toBe('3');
    const early = await ask('/sources/new', { ...form, url, signInId });
    expect(early.status).toBe(422);
    expect(early.text).toContain('The code was not confirmed yet. Enter it first, then save.');
    expect(early.text).toContain(code);
    jellyfin.authorise(code);
    // Its server is asked once a second at most.
    let told = await ask(`/sources/new/sign-in/${signInId}`);
    while (told.text.includes('every 2s')) told = await ask(`/sources/new/sign-in/${signInId}`);
    expect(told.text).toContain('Signed in.');
    const checked = await ask('/sources/new/sign-in', { ...form, url, signInId, act: 'check' });
    expect(checked.text).toContain('Signed in.');
    expect(checked.text).not.toContain('I have entered it');
    const elsewhere = await ask('/sources/new', { ...form, url: 'http://127.0.0.1:9/', signInId });
    expect(elsewhere.text).toContain('The sign-in was for another address.');
    const added = await ask('/sources/new', { ...form, url, signInId });
    expect(added.location).toBe('/sources/quick');
    expect((await ask('/sources/quick')).text).toContain('As it is: Quick Connect');
    // It is used up.
    const again = await ask('/sources/new', { ...form, name: 'other', url, signInId });
    expect(again.text).toContain('The code is not good any more. Ask for a new one.');
    expect((await ask(`/sources/new/sign-in/${signInId}`)).text).toContain('not good any more');
  });

  test('of a source that there is', async () => {
    const asked = await ask('/sources/quick/sign-in', { ...form, url: jellyfin.url, act: 'code' });
    expect(asked.text).toContain('Open Jellyfin where you are signed in');
    expect(asked.text).toContain('action="/sources/quick"');
  });

  test('says what is wrong before there is a code', async () => {
    const nowhere = await ask('/sources/new/sign-in', { ...form, url: 'http://127.0.0.1:9/', act: 'code' });
    expect(nowhere.status).toBe(422);
    expect(nowhere.text).toContain('<a href="#signInId">');
    const noAddress = await ask('/sources/new/sign-in', { ...form, url: 'nas', act: 'code' });
    expect(errorOf(noAddress.text, 'url')).not.toBeNull();
    const noCode = await ask('/sources/new', { ...form, url: jellyfin.url });
    expect(noCode.text).toContain('Get a code first');
  });
});

test('looking for new titles is told in words that fit', async () => {
  const answer = await ask('/sources/home/sync', {});
  expect(answer.status).toBe(303);
  let { text } = await ask('/sources/home');
  while (text.includes('Stop looking')) text = (await ask('/sources/home')).text;
  expect(text).toContain('Films, episodes and tracks found');
  expect(text).toContain('It is looked through for new titles only when you ask.');
});

describe('what a server has', () => {
  async function itemPath(title: string): Promise<string> {
    const { text } = await ask(`/library?q=${encodeURIComponent(title)}`);
    return /class="item-title" href="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  test('is asked for anew when its page is opened, and not again while it is trusted', async () => {
    const path = await itemPath('Movie 000000');
    const asked = () => jellyfin.requests.length;
    const before = asked();
    const { text } = await ask(path);
    expect(text).toContain('>Auto</span>');
    const opened = asked();
    expect(opened).toBeGreaterThan(before);
    await ask(path);
    expect(asked()).toBe(opened);
  });

  test('plays by the address that chooses, as a playlist for players', async () => {
    const path = await itemPath('Movie 000000');
    const { text } = await ask(`${path}/play.m3u?quality=auto`);
    expect(text).toMatch(/^#EXTM3U\n[^\n]*,.*Movie 000000/);
    expect(text).toMatch(/\/stream\/home\/[^/]+\/auto\//);
  });

  test('is called by its title wherever it is told of', async () => {
    const path = await itemPath('Movie 000001');
    await ask(`${path}/fetch`, { quality: 'original' });
    let activity = (await ask('/activity')).text;
    // It may be whole by then, and nobody's wish any more.
    expect(activity).not.toContain(':original');
    const { text } = await ask(path);
    const entryId = /\/entries\/(\d+)\/pin"/.exec(text)?.[1] ?? '';
    const pinned = await fetch(`http://localhost:${larder.port}/entries/${entryId}/pin`, {
      method: 'POST',
      headers: {
        ...larder.owner.headers,
        'HX-Request': 'true',
        'HX-Current-URL': `http://localhost:${larder.port}${path}`,
      },
    });
    const notice = await pinned.text();
    expect(notice).toMatch(/Movie 000001 \(\d{4}\) is pinned: it is never removed/);
    expect(notice).not.toContain(':original is pinned');
    await ask(`/entries/${entryId}/drop`, {});
    activity = (await ask('/events')).text;
    expect(activity).not.toContain(':original');
  });

  test('is numbered, and leads to what it belongs to', async () => {
    const path = await itemPath('Episode');
    const { text } = await ask(path);
    expect(text).toMatch(/<h1[^>]*>\s*<span class="quiet">S01E0\d /);
    expect(text).toMatch(/class="crumb"[^>]*>.*Library<\/a>( |\n)*\/ <a href="\/items\/\d+">.*<\/a>( |\n)*\/ <a href/s);
  });
});
