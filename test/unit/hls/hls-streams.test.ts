// Races and failures of playlists, on a clock and with a source that the test turns: who asks at the same time shares one
// question, what is refused is asked anew once, and nothing is kept alive for nobody.
import { describe, expect, test } from 'bun:test';
import type { CachedFile } from '../../../src/chunks/cached-file.ts';
import { Priority } from '../../../src/chunks/fetch-scheduler.ts';
import type { PlaylistRow } from '../../../src/db/playlists.ts';
import { LarderError } from '../../../src/errors.ts';
import { HLS_ALL_MAX_LENGTH, HLS_ENSURE_MS, HLS_IDLE_MS, HLS_RENEW_MS, HLS_STREAMS_MAX } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import { HlsStreams } from '../../../src/proxy/hls/hls-streams.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import type { MediaAddress } from '../../../src/sources/media-address.ts';
import type { MediaSource, ResolveOptions, UpstreamRequest } from '../../../src/sources/media-source.ts';
import type { OriginQuestion } from '../../../src/sources/origin-client.ts';
import { FakeClock, turnLoop } from '../../support/fake-clock.ts';

const FRESH = { isFresh: true, isBackground: false };
const KNOWN = { isFresh: false, isBackground: false };

function vod(...pieces: string[]): string {
  return `#EXTM3U\n${pieces.map((piece) => `#EXTINF:6,\n${piece}`).join('\n')}\n#EXT-X-ENDLIST\n`;
}

function window(first: number, ...pieces: string[]): string {
  return `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n${pieces.map((piece) => `#EXTINF:6,\n${piece}`).join('\n')}\n`;
}

const MASTER = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="en.m3u8"',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",URI="de.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
  'video.m3u8',
  '',
].join('\n');

class Stage {
  readonly clock = new FakeClock();
  readonly questions: OriginQuestion[] = [];
  readonly resolves: ResolveOptions[] = [];
  readonly kept = new Map<string, PlaylistRow>();
  readonly opened: string[] = [];
  readonly played: [number, boolean][] = [];
  readonly used: { quality: string }[] = [];
  ensureCount = 0;
  isWhole = false;
  keepsAll = true;
  openPiece: (quality: string) => Promise<void> = async () => undefined;
  ensure: () => Promise<{ entryId: number; mediaId: number }> = async () => ({ entryId: 7, mediaId: 8 });
  /** By the last segment of the path; a number is a status. */
  texts: Record<string, string | number> = { 'film.m3u8': vod('0.ts', '1.ts', '2.ts') };
  /** Before each answer of the server. */
  gate: Promise<void> | null = null;
  upstream: (round: number) => UpstreamRequest = (round) => ({
    url: `https://cdn.example/film.m3u8?round=${round}`,
    headers: { cookie: 'secret' },
    baseUrl: 'https://addon.example/',
    local: false,
  });
  resolveGate: Promise<void> | null = null;
  refuse: LarderError | null = null;
  readonly source: MediaSource;
  readonly streams: HlsStreams;

  constructor() {
    const stage = this;
    this.source = {
      id: 1,
      kind: 'stremio',
      name: 'addon',
      async resolve(_: MediaAddress, options: ResolveOptions) {
        stage.resolves.push(options);
        await stage.resolveGate;
        if (stage.refuse !== null) throw stage.refuse;
        return stage.upstream(stage.resolves.length);
      },
    } as unknown as MediaSource;
    this.streams = new HlsStreams({
      manager: {
        async open(_source: MediaSource, { quality }: MediaAddress) {
          stage.opened.push(quality);
          await stage.openPiece(quality);
          return { isComplete: true } as CachedFile;
        },
        *files() {
          for (const { quality } of stage.used) {
            const address = parseCataloguePath(`Film/film:${quality}.ts`);
            yield { identity: { sourceId: 1, address }, isUsed: true } as unknown as CachedFile;
          }
        },
      },
      entries: {
        ensure() {
          stage.ensureCount += 1;
          return stage.ensure();
        },
      },
      playlists: {
        async put(row, others) {
          stage.kept.set(row.name, row);
          for (const name of stage.kept.keys())
            if (row.name === '' && name !== '' && !others?.includes(name)) stage.kept.delete(name);
        },
        list: async () => [...stage.kept.values()],
        isWhole: async () => stage.isWhole,
        async recordWhole() {
          return stage.keepsAll;
        },
      },
      uses: { note: () => undefined, nextMs: () => stage.clock.nowMs() },
      client: {
        async follow(question) {
          stage.questions.push(question);
          await stage.gate;
          const name = new URL(question.url).pathname.split('/').at(-1)!;
          const text = stage.texts[name] ?? 404;
          const response = typeof text === 'number' ? new Response('no', { status: text }) : new Response(text);
          return { response, url: new URL(question.url), isRedirected: false };
        },
      },
      ownPort: () => 0,
      findMedia: async (_, mediaKey, quality) => parseCataloguePath(`Film/${mediaKey}:${quality}.m3u8`),
      played: (entryId, isWhole) => stage.played.push([entryId, isWhole]),
      clock: this.clock,
      log: createLog({ level: 'debug', write: () => undefined, nowMs: () => 0 }),
    });
  }

  show(quality = 'original', key = 'film') {
    return this.streams.show(this.source, parseCataloguePath(`Film/${key}:${quality}.m3u8`));
  }

  async pieces(quality = 'original'): Promise<MediaAddress[]> {
    const { playlist } = await this.show(quality);
    const whole = quality.split('~')[0]!;
    return Promise.all([...playlist.parts.keys()].map((name) => this.find(`${whole}~${playlist.signature}-${name}`)));
  }

  async find(quality: string): Promise<MediaAddress> {
    const found = await this.streams.find(this.source, 'film', quality);
    if (found === null) throw new Error('no piece');
    return found;
  }

  resolve(address: MediaAddress, options: ResolveOptions = KNOWN) {
    return this.streams.resolve(this.source, address, options);
  }

  asked(name: string): number {
    return this.questions.filter(({ url }) => new URL(url).pathname.endsWith(name)).length;
  }
}

async function failureOf(work: Promise<unknown>): Promise<LarderError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LarderError) return error;
  throw new Error(`it did not fail as it should: ${String(error)}`);
}

describe('who asks at the same time', () => {
  test('for a playlist and its pieces shares one question', async () => {
    const stage = new Stage();
    const { signature } = (await stage.show()).playlist;
    const fresh = new Stage();
    const all = await Promise.all([
      ...Array.from({ length: 20 }, () => fresh.show()),
      ...Array.from({ length: 20 }, (_, at) => fresh.find(`original~${signature}-${at % 3}`)),
    ]);
    expect(all).toHaveLength(40);
    expect([fresh.resolves.length, fresh.questions.length, fresh.ensureCount]).toEqual([1, 1, 1]);
  });

  test('for pieces that are all refused has the addresses asked anew once', async () => {
    const stage = new Stage();
    stage.texts['film.m3u8'] = vod(...Array.from({ length: 30 }, (_, at) => `${at}.ts`));
    const pieces = await stage.pieces();
    await Promise.all(pieces.map((piece) => stage.resolve(piece)));
    stage.texts['film.m3u8'] = vod(...Array.from({ length: 30 }, (_, at) => `new-${at}.ts`));
    const some = await Promise.all(pieces.slice(0, 20).map((piece) => stage.resolve(piece, FRESH)));
    expect(some.map(({ url }) => url)).toEqual(some.map((_, at) => `https://cdn.example/new-${at}.ts`));
    // Those that come later were refused by their old address as well.
    await stage.clock.run(HLS_RENEW_MS + 1_000);
    for (const piece of pieces.slice(20)) expect((await stage.resolve(piece, FRESH)).url).toContain('/new-');
    expect(stage.resolves).toEqual([KNOWN, FRESH]);
    expect(stage.asked('film.m3u8')).toBe(2);
    // A new one that is refused is asked for again, but not at once.
    await stage.resolve(pieces[0]!, FRESH);
    await stage.resolve(pieces[1]!, FRESH);
    expect(stage.asked('film.m3u8')).toBe(3);
    await stage.clock.run(HLS_RENEW_MS);
    await stage.resolve(pieces[1]!, FRESH);
    expect(stage.asked('film.m3u8')).toBe(4);
  });

  test('for addresses that cannot be had anew hears why, and it is not tried for each of them', async () => {
    const stage = new Stage();
    const pieces = await stage.pieces();
    await Promise.all(pieces.map((piece) => stage.resolve(piece)));
    stage.refuse = new LarderError('origin-silent', 'the add-on is away', { retry: 'soon' });
    const failures = await Promise.all(pieces.map((piece) => failureOf(stage.resolve(piece, FRESH))));
    expect(failures.map(({ code }) => code)).toEqual(['origin-silent', 'origin-silent', 'origin-silent']);
    expect((await failureOf(stage.resolve(pieces[0]!, FRESH))).code).toBe('origin-silent');
    expect(stage.resolves).toHaveLength(2);
    // What is known of it goes on to be shown.
    expect((await stage.show()).playlist.pieces).toHaveLength(3);
  });
});

describe('a playlist that points to others', () => {
  test('has sounds that are cut as the picture is, and none is taken for another', async () => {
    const stage = new Stage();
    stage.texts = { 'film.m3u8': MASTER, 'video.m3u8': vod('v0.ts'), 'en.m3u8': vod('e0.ts'), 'de.m3u8': vod('d0.ts') };
    await stage.show();
    for (const [name, file] of [
      ['m0', 'v0.ts'],
      ['m1', 'e0.ts'],
      ['m2', 'd0.ts'],
    ] as const) {
      const [piece] = await stage.pieces(`original~${name}`);
      expect((await stage.resolve(piece!)).url).toEndWith(`/${file}`);
    }
    expect([...stage.kept.keys()].sort()).toEqual(['', 'm0', 'm1', 'm2']);
  });

  test('that move on with the same numbers are told apart, and what just left them is still known', async () => {
    const stage = new Stage();
    stage.texts = {
      'film.m3u8': MASTER,
      'video.m3u8': window(5, 'v5.ts'),
      'en.m3u8': window(5, 'e5.ts'),
      'de.m3u8': window(5, 'd5.ts'),
    };
    const urlOf = async (address: MediaAddress) => (await stage.resolve(address)).url.split('/').at(-1);
    const video = (await stage.pieces('original~m0'))[0]!;
    const sound = (await stage.pieces('original~m2'))[0]!;
    expect([await urlOf(video), await urlOf(sound)]).toEqual(['v5.ts', 'd5.ts']);
    expect(stage.streams.isLive(sound)).toBe(true);
    stage.texts['video.m3u8'] = window(6, 'v6.ts');
    await stage.clock.run(2_000);
    await stage.show('original~m0');
    expect(await urlOf(video)).toBe('v5.ts');
    expect((await stage.show('original~m0')).playlist.pieces.map(({ name }) => name)).toEqual(['6']);
    expect([...stage.kept.keys()]).toEqual(['']);
  });

  test('is asked anew once when one of them is refused, and then it is told', async () => {
    const stage = new Stage();
    stage.texts = { 'film.m3u8': MASTER, 'video.m3u8': 403, 'en.m3u8': vod('e'), 'de.m3u8': vod('d') };
    await stage.show();
    expect((await failureOf(stage.show('original~m0'))).originStatus).toBe(403);
    expect([stage.asked('film.m3u8'), stage.asked('video.m3u8')]).toEqual([2, 2]);
    stage.texts['video.m3u8'] = vod('v');
    expect((await stage.show('original~m0')).playlist.pieces).toHaveLength(1);
  });

  test('has pieces of another encoding taken for others when that becomes the best one', async () => {
    const stage = new Stage();
    const master = (size: string) => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=${size}\nvideo.m3u8\n`;
    stage.texts = { 'film.m3u8': master('1280x720'), 'video.m3u8': vod('v0.ts', 'v1.ts') };
    await stage.show();
    const [piece] = await stage.pieces('original~m0');
    await stage.resolve(piece!);
    stage.texts['film.m3u8'] = master('640x360');
    expect((await failureOf(stage.resolve(piece!, FRESH))).code).toBe('not-found');
  });
});

describe('a conversion', () => {
  const session = (id: string) => ({
    pingEveryMs: 20_000,
    ping: { method: 'POST', url: `https://cdn.example/ping?${id}` },
    stop: { method: 'DELETE', url: `https://cdn.example/stop?${id}` },
  });

  function withSession(): Stage {
    const stage = new Stage();
    const { upstream } = stage;
    stage.upstream = (round) => ({ ...upstream(round), session: session(`${round}`) }) as UpstreamRequest;
    return stage;
  }

  test('is kept alive while it is wanted, and ended when it is left', async () => {
    const stage = withSession();
    const [piece] = await stage.pieces();
    await stage.clock.run(HLS_IDLE_MS - 1_000);
    await stage.resolve(piece!);
    await stage.clock.run(HLS_IDLE_MS - 1_000);
    expect(stage.asked('ping')).toBe(8);
    expect(stage.asked('stop')).toBe(0);
    await stage.clock.run(HLS_IDLE_MS);
    expect(stage.asked('stop')).toBe(1);
    const pings = stage.asked('ping');
    await stage.clock.run(HLS_IDLE_MS);
    expect(stage.asked('ping')).toBe(pings);
    expect(stage.clock.pendingCount).toBe(0);
  });

  test('is not ended while one of its pieces is still on the way', async () => {
    const stage = withSession();
    const [piece] = await stage.pieces();
    stage.used.push(piece!);
    await stage.clock.run(HLS_IDLE_MS * 3);
    expect(stage.asked('stop')).toBe(0);
    stage.used.pop();
    await stage.clock.run(HLS_IDLE_MS);
    expect(stage.asked('stop')).toBe(1);
  });

  test('that begins for nobody any more is ended at once', async () => {
    const stage = withSession();
    const gate = Promise.withResolvers<void>();
    stage.resolveGate = gate.promise;
    const shown = stage.show();
    await turnLoop();
    stage.streams.forgetSource(2);
    stage.streams.forgetSource(1);
    gate.resolve();
    await shown;
    await turnLoop();
    expect(stage.asked('stop')).toBe(1);
    await stage.clock.run(HLS_IDLE_MS * 2);
    expect(stage.asked('ping')).toBe(0);
    expect(stage.clock.pendingCount).toBe(0);
  });

  test('is ended when another one takes its place', async () => {
    const stage = withSession();
    const [piece] = await stage.pieces();
    await stage.resolve(piece!);
    await stage.resolve(piece!, FRESH);
    expect(stage.questions.filter(({ method }) => method === 'DELETE').map(({ url }) => url)).toEqual([
      'https://cdn.example/stop?1',
    ]);
    await stage.streams.stop();
    expect(stage.asked('stop')).toBe(2);
  });

  test('of what is played is not ended for the sake of many others', async () => {
    const stage = withSession();
    const [piece] = await stage.pieces();
    stage.used.push(piece!);
    for (let at = 0; at <= HLS_STREAMS_MAX; at++) await stage.show('original', `other-${at}`);
    const stopped = stage.questions.filter(({ method }) => method === 'DELETE').map(({ url }) => url);
    expect(stopped).toEqual(['https://cdn.example/stop?2', 'https://cdn.example/stop?3']);
  });
});

describe('what was kept', () => {
  test('is shown when its source is away, and a piece that is missing then says why', async () => {
    const stage = new Stage();
    await stage.show();
    await stage.streams.stop();
    stage.refuse = new LarderError('origin-silent', 'the add-on is away', { retry: 'soon' });
    const shown = await stage.show();
    expect(shown).toMatchObject({ isFromOrigin: false });
    expect(shown.playlist.pieces.map(({ durationMs }) => durationMs)).toEqual([6_000, 6_000, 6_000]);
    const [piece] = await stage.pieces();
    expect((await failureOf(stage.resolve(piece!))).code).toBe('origin-silent');
    expect((await failureOf(stage.resolve(piece!))).code).toBe('origin-silent');
    // It is back.
    stage.refuse = null;
    await stage.clock.run(HLS_RENEW_MS);
    expect((await stage.resolve(piece!)).url).toBe('https://cdn.example/0.ts');
  });

  test('is not asked for where all of it is here', async () => {
    const stage = new Stage();
    await stage.show();
    await stage.streams.stop();
    stage.isWhole = true;
    expect((await stage.show()).isFromOrigin).toBe(false);
    expect(stage.resolves).toHaveLength(1);
    // A piece was lost all the same.
    const [piece] = await stage.pieces();
    expect((await stage.resolve(piece!)).url).toBe('https://cdn.example/0.ts');
  });

  test('plays also where the database takes nothing', async () => {
    const stage = new Stage();
    stage.ensure = () => Promise.reject(new Error('disk is full'));
    const [piece] = await stage.pieces();
    expect((await stage.resolve(piece!)).url).toBe('https://cdn.example/0.ts');
  });

  test('has its rows looked after while it is played', async () => {
    const stage = new Stage();
    const [piece] = await stage.pieces();
    await stage.clock.run(HLS_ENSURE_MS + 1_000);
    await Promise.all([stage.resolve(piece!), stage.resolve(piece!)]);
    expect(stage.ensureCount).toBe(2);
  });
});

describe('fetching all of it', () => {
  const whole = parseCataloguePath('Film/film:original.m3u8');
  const none = new AbortController().signal;

  test('has each file of each playlist opened, keys as well', async () => {
    const stage = new Stage();
    stage.texts['film.m3u8'] = `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n${vod('0.ts', '1.ts').slice(8)}`;
    await stage.streams.fetchAll(stage.source, whole, Priority.low, none);
    expect(stage.opened.map((quality) => quality.split('-').at(-1))).toEqual(['k0', '0', '1']);
  });

  test('is refused for what has no end, and not taken for done when not all was kept', async () => {
    const stage = new Stage();
    stage.texts['film.m3u8'] = window(1, 'a.ts');
    expect((await failureOf(stage.streams.fetchAll(stage.source, whole, Priority.low, none))).code).toBe('conflict');
    const full = new Stage();
    full.keepsAll = false;
    expect(await failureOf(full.streams.fetchAll(full.source, whole, Priority.low, none))).toMatchObject({
      code: 'storage',
      retry: 'later',
    });
  });

  test('begins again when the playlist is cut otherwise meanwhile, and gives up what is really gone', async () => {
    const stage = new Stage();
    const gone = new LarderError('not-found', 'the playlist has no such piece');
    const { signature } = (await stage.show()).playlist;
    const [piece] = await stage.pieces();
    stage.openPiece = async (quality) => {
      if (!quality.includes(signature)) return;
      stage.texts['film.m3u8'] = vod('other.ts');
      await stage.resolve(piece!, FRESH);
    };
    await stage.streams.fetchAll(stage.source, whole, Priority.low, none);
    expect(stage.opened.at(-1)).not.toContain(signature);
    stage.openPiece = () => Promise.reject(gone);
    expect(await failureOf(stage.streams.fetchAll(stage.source, whole, Priority.low, none))).toBe(gone);
  });

  test('ends when it is called off', async () => {
    const stage = new Stage();
    const abort = new AbortController();
    abort.abort();
    expect((await failureOf(stage.streams.fetchAll(stage.source, whole, Priority.low, abort.signal))).code).toBe(
      'stopped',
    );
    expect(stage.opened).toEqual([]);
  });
});

test('headers go to the server that they were given for, and to no other', async () => {
  const stage = new Stage();
  stage.texts['film.m3u8'] = vod(
    'a.ts',
    'http://cdn.example/b.ts',
    'https://other.example/c.ts',
    'https://cdn.example:8443/d.ts',
  );
  const pieces = await stage.pieces();
  const resolved = await Promise.all(pieces.map((piece) => stage.resolve(piece)));
  expect(resolved.map(({ headers }) => headers)).toEqual([{ cookie: 'secret' }, {}, {}, {}]);
  // Where an address may lead is for the guard to say, which needs to know whose it is.
  expect(resolved.every(({ local, baseUrl }) => local === false && baseUrl === 'https://addon.example/')).toBe(true);
});

test('what follows a piece is fetched, and it is told that its playlist is played', async () => {
  const stage = new Stage();
  const pieces = await stage.pieces();
  const leave = new AbortController();
  stage.streams.pieceOpened(stage.source, pieces[0]!, { name: 'player', signal: leave.signal });
  await turnLoop();
  expect(stage.opened.map((quality) => quality.split('-').at(-1))).toEqual(['1', '2']);
  expect(stage.played).toEqual([[7, false]]);
  // Files of no playlist, and of one that is not played, are none of its business.
  stage.streams.pieceOpened(stage.source, parseCataloguePath('Film/film:original.m3u8'), {
    name: 'player',
    signal: leave.signal,
  });
  stage.streams.pieceOpened(stage.source, parseCataloguePath('Film/other:original~00000000-1.ts'), {
    name: 'player',
    signal: leave.signal,
  });
  expect(stage.played).toHaveLength(1);
  expect(
    stage.streams.find({ ...stage.source, kind: 'http' } as MediaSource, 'film', 'original~00000000-1'),
  ).toBeNull();
});

/** So many characters of pieces. */
function long(length: number): string {
  const piece = `${'x'.repeat(1_000)}.ts`;
  return vod(...Array.from({ length: Math.ceil(length / 1_000) }, (_, at) => `${at}${piece}`));
}

describe('playlists that are made to fill the memory', () => {
  test('are refused where one film has more of them than any', async () => {
    const stage = new Stage();
    const names = Array.from({ length: 20 }, (_, at) => `${at}.m3u8`);
    const sounds = names.map((name, at) => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="${at}",URI="${name}"`);
    const master = ['#EXTM3U', ...sounds, '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', 'video.m3u8', ''].join('\n');
    const text = long(3_000_000);
    stage.texts = { 'film.m3u8': master, 'video.m3u8': text, ...Object.fromEntries(names.map((name) => [name, text])) };
    expect(await failureOf(stage.find('original~00000000-1'))).toMatchObject({ code: 'origin-lied' });
    expect(stage.questions.length).toBeLessThan(14);
  });

  test('go, those that are longest ago first, where all films together have too many', async () => {
    const stage = new Stage();
    stage.texts = { 'film.m3u8': long(7_000_000) };
    const films = Math.ceil(HLS_ALL_MAX_LENGTH / 7_000_000) + 3;
    for (let at = 0; at < films; at += 1) await stage.show('original', `film-${at}`);
    const asked = stage.asked('film.m3u8');
    await stage.show('original', `film-${films - 1}`);
    expect(stage.asked('film.m3u8')).toBe(asked);
    await stage.show('original', 'film-0');
    expect(stage.asked('film.m3u8')).toBe(asked + 1);
  });
});
