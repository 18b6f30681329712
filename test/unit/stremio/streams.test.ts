// What an add-on says of its streams: which can be fetched, what they are, and what they are called.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isQualityName } from '../../../src/sources/catalogue-path.ts';
import { readProxyHeaders } from '../../../src/sources/stremio/proxy-headers.ts';
import {
  findStream,
  identityOf,
  nameStreams,
  possibleNames,
  readLocator,
  type StreamIdentity,
  writeLocator,
} from '../../../src/sources/stremio/stream-choice.ts';
import { containerOf, readFacts } from '../../../src/sources/stremio/stream-facts.ts';
import { type PlayableStream, readStreams } from '../../../src/sources/stremio/streams.ts';
import { fileAddress, fileLocator, readSubtitles } from '../../../src/sources/stremio/subtitles.ts';
import { runs } from '../../support/property.ts';

const BASE = 'https://addon/key/';

describe('readFacts()', () => {
  test('readFacts() reads height and codecs as release names have them', () => {
    const facts = (...texts: string[]) => Object.values(readFacts(texts));
    expect(facts('The.Film.2019.2160p.WEB-DL.DDP5.1.x265-GRP.mkv')).toEqual([2160, 'hevc', 'eac3']);
    expect(facts('Film (2020) [1080p] [AV1] opus.webm')).toEqual([1080, 'av1', 'opus']);
    expect(facts('Torrentio\n4k HDR')).toEqual([2160, null, null]);
    expect(facts('UHD BluRay 1080p H.264 TrueHD')).toEqual([1080, 'h264', 'truehd']);
    expect(facts('1920x1080 avc AC3')).toEqual([1080, 'h264', 'ac3']);
    expect(facts('Film.DVDRip.XviD.mp3')).toEqual([null, 'mpeg4', 'mp3']);
    expect(facts('Full HD DTS-HD MA')).toEqual([1080, null, 'dts']);
    expect(facts('2k VP9 FLAC', 'mpeg2')).toEqual([1440, 'vp9', 'flac']);
    expect(facts('8K MPEG-2 AAC2.0')).toEqual([4320, 'mpeg2video', 'aac']);
    expect(facts('DD+ 576i')).toEqual([576, null, 'eac3']);
    // The name of the file counts before words that may speak of anything.
    expect(facts('Film.720p.mkv', 'also in 2160p')).toEqual([720, null, null]);
    expect(facts('A film of 1080 people', 'AVCHD adds')).toEqual([null, null, null]);
    expect(facts()).toEqual([null, null, null]);
  });

  test('containerOf() knows endings of films only', () => {
    expect(containerOf('/a/Film.MKV')).toBe('mkv');
    expect(containerOf('/play.php')).toBeNull();
    expect(containerOf('')).toBeNull();
  });
});

describe('readStreams()', () => {
  test('readStreams() takes what has an http address, with what is said of it', () => {
    const { playable, refused } = readStreams(
      [
        {
          name: 'Add-on\n720p',
          description: 'x264 AAC',
          url: 'http://me:p@files/Film.mp4?token=1#x',
          behaviorHints: {
            notWebReady: true,
            videoSize: '1234',
            bingeGroup: 'a-720p',
            proxyHeaders: { request: { Referer: 'https://site/' } },
          },
          subtitles: [{ id: '1', url: 'https://subs/a.vtt', lang: 'eng' }],
        },
        { url: 'https://files/list.m3u8' },
      ],
      BASE,
    );
    expect(refused).toEqual([]);
    expect(playable).toHaveLength(2);
    expect(playable[0]).toMatchObject({
      url: 'http://files/Film.mp4?token=1',
      headers: { authorization: `Basic ${btoa('me:p')}`, referer: 'https://site/' },
      height: 720,
      videoCodec: 'h264',
      audioCodec: 'aac',
      container: 'mp4',
      sizeBytes: 1234,
      bingeGroup: 'a-720p',
      isPlaylist: false,
      subtitles: [{ language: 'eng', format: 'vtt', locator: 'https://subs/a.vtt' }],
    });
    expect(playable[1]).toMatchObject({ isPlaylist: true, container: 'm3u8', filename: null, sizeBytes: null });
  });

  test('readStreams() says of the others why they cannot be played', () => {
    const { playable, refused } = readStreams(
      [
        { infoHash: 'a'.repeat(40), name: '4k' },
        { ytId: 'abc' },
        { nzbUrl: 'https://a/b.nzb' },
        { rarUrls: [{ url: 'https://a/b.rar' }] },
        { externalUrl: 'https://a/' },
        { url: 'magnet:?xt=urn:btih:aaa' },
        { url: 'rtmp://a/b' },
      ],
      BASE,
    );
    expect(playable).toEqual([]);
    expect(refused.map(({ way }) => way)).toEqual([
      'torrent',
      'youtube',
      'usenet',
      'archive',
      'external',
      'torrent',
      'other',
    ]);
    expect(refused.every(({ refusal }) => refusal.length > 10)).toBe(true);
    expect(refused[0]?.height).toBe(2160);
  });

  test('readStreams() leaves out what is no stream, and stops somewhere', () => {
    expect(readStreams([null, 3, 'a', [], {}, { url: 3 }, { url: 'x' }, { url: '' }], BASE)).toEqual({
      playable: [],
      refused: [],
    });
    for (const value of [null, undefined, {}, 'streams']) expect(readStreams(value, BASE).playable).toEqual([]);
    const many = Array.from({ length: 5_000 }, () => ({ url: 'https://a/b' }));
    expect(readStreams(many, BASE).playable).toHaveLength(50);
    const torrents = Array.from({ length: 5_000 }, () => ({ infoHash: 'a' }));
    expect(readStreams(torrents, BASE).refused).toHaveLength(20);
    const large = Array.from({ length: 50 }, (_, index) => ({ url: `https://a/${index}${'x'.repeat(10_000)}` }));
    expect(readStreams(large, BASE).playable).toHaveLength(25);
    const [long] = readStreams(
      [{ url: 'https://a/b', name: 'x'.repeat(1e7), behaviorHints: { filename: 'y'.repeat(1e7) } }],
      BASE,
    ).playable;
    expect(long).toMatchObject({ filename: null, height: null });
  });
});

describe('readProxyHeaders()', () => {
  test('readProxyHeaders() leaves out what cannot be sent, and what is for Larder to say', () => {
    const request = {
      'User-Agent': 'Stremio',
      Cookie: 'a=b',
      Range: 'bytes=0-1',
      Host: 'inside',
      'Transfer-Encoding': 'chunked',
      'Accept-Encoding': 'gzip',
      'Content-Length': '3',
      Connection: 'close',
      'If-Range': '"a"',
      'Bad Name': 'x',
      'X-Line': 'a\r\nb: c',
      'X-Nothing': null,
      'X-Number': 3,
    };
    expect(readProxyHeaders({ proxyHeaders: { request } })).toEqual({
      'user-agent': 'Stremio',
      cookie: 'a=b',
      'x-number': '3',
    });
    for (const hints of [null, 3, {}, { proxyHeaders: [] }, { proxyHeaders: { request: 'a' } }]) {
      expect(readProxyHeaders(hints)).toEqual({});
    }
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-${index}`, 'a']));
    expect(Object.keys(readProxyHeaders({ proxyHeaders: { request: many } }))).toHaveLength(16);
  });
});

function stream(name: string, details: Partial<PlayableStream> = {}): PlayableStream {
  return {
    url: `https://files/${name}`,
    headers: {},
    isPlaylist: false,
    subtitles: [],
    filename: name,
    sizeBytes: null,
    bingeGroup: null,
    container: 'mkv',
    height: null,
    videoCodec: null,
    audioCodec: null,
    ...details,
  };
}

const named = (streams: readonly PlayableStream[], known: Record<string, StreamIdentity> = {}) =>
  Object.fromEntries(
    nameStreams(streams, new Map(Object.entries(known))).map(({ quality, stream: { filename } }) => [
      quality,
      filename,
    ]),
  );

describe('nameStreams()', () => {
  const a = stream('a', { height: 1080, sizeBytes: 1 });
  const b = stream('b', { height: 1080, sizeBytes: 2, bingeGroup: 'g' });
  const c = stream('c', { height: 720 });
  const d = stream('d');

  test('nameStreams() calls the first original and the others by their height', () => {
    expect(named([a, b, c, d])).toEqual({ original: 'a', '1080p': 'b', '720p': 'c', version: 'd' });
    expect(possibleNames([a, b, c, d])).toEqual(['original', '1080p', '720p', 'version']);
    expect(named([])).toEqual({});
  });

  test('nameStreams() leaves a name with its file when the order changes', () => {
    const known = { original: identityOf(a)!, '1080p': identityOf(b)! };
    expect(named([c, b, a], known)).toEqual({ original: 'a', '1080p': 'b', '720p': 'c' });
    // The file is there no more: the best one takes its name.
    expect(named([c, b], known)).toEqual({ '1080p': 'b', original: 'c' });
  });

  test('nameStreams() takes the kind of the episode before', () => {
    const kind = { file: null, size: null, binge: 'g', height: 1080 };
    expect(named([a, b, c], { original: kind })).toEqual({ original: 'b', '1080p': 'a', '720p': 'c' });
  });

  test('nameStreams() gives every stream one name, no two the same', () => {
    const heights = fc.constantFrom(null, 240, 360, 480, 576, 720, 800, 1080, 1440, 2160, 4320);
    fc.assert(
      fc.property(fc.array(heights, { maxLength: 60 }), fc.array(fc.nat(60)), (list, order) => {
        const streams = list.map((height, index) => stream(`f${index}`, { height, sizeBytes: index + 1 }));
        const before = nameStreams(streams, new Map());
        const names = before.map(({ quality }) => quality);
        expect(new Set(names).size).toBe(streams.length);
        expect(names.every(isQualityName)).toBe(true);
        expect(names[0]).toBe(streams.length === 0 ? undefined : 'original');
        // Once named, the order says nothing any more.
        const known = new Map(before.map(({ quality, stream: file }) => [quality, identityOf(file)!]));
        const shuffled = [...streams].sort((x, y) => (order[x.sizeBytes ?? 0] ?? 0) - (order[y.sizeBytes ?? 0] ?? 0));
        const after = new Map(
          nameStreams(shuffled, known).map(({ quality, stream: file }) => [quality, file.filename]),
        );
        for (const { quality, stream: file } of before) expect(after.get(quality)).toBe(file.filename);
      }),
      runs(100),
    );
  });
});

describe('findStream()', () => {
  test('findStream() goes by name and size, then by kind, then by height', () => {
    const streams = [
      stream('x', { sizeBytes: 5, height: 720 }),
      stream('f', { sizeBytes: 9 }),
      stream('f', { sizeBytes: 7, bingeGroup: 'g', height: 1080 }),
    ];
    const find = (known: Partial<StreamIdentity>) =>
      findStream(streams, { file: null, size: null, binge: null, height: null, ...known })?.sizeBytes ?? null;
    expect(find({ file: 'f', size: 7 })).toBe(7);
    expect(find({ file: 'f' })).toBe(9);
    expect(find({ size: 5 })).toBe(5);
    expect(find({ binge: 'g', height: 1080 })).toBe(7);
    expect(find({ binge: 'g', height: 480 })).toBe(7);
    expect(find({ height: 720 })).toBe(5);
    expect(find({ height: 480 })).toBeNull();
    expect(find({ file: 'f', size: 8 })).toBeNull();
  });

  test('a locator is read as it was written, and holds no address', () => {
    const identity = identityOf(stream('f', { sizeBytes: 7, headers: { cookie: 'hunter2' } }));
    const text = writeLocator({ video: 'tt1', parent: null, stream: identity })!;
    expect(text).not.toMatch(/files|hunter2|http/);
    expect(readLocator(text)).toEqual({ video: 'tt1', parent: null, stream: identity });
    expect(writeLocator({ video: null, parent: null, stream: null })).toBeNull();
    for (const odd of [null, undefined, 'x', '[]', '3', '{"size":"x"}']) {
      expect(readLocator(odd)).toEqual({ video: null, parent: null, stream: null });
    }
  });
});

describe('subtitles', () => {
  test('readSubtitles() keeps what can be fetched, once', () => {
    const subtitles = readSubtitles(
      [
        null,
        { url: 'https://subs/a.srt', lang: 'eng' },
        { url: 'https://subs/a.srt', lang: 'deu' },
        { id: 'forced', url: 'https://subs/b?x=.vtt', lang: 'Klingon' },
        { url: 'http://127.0.0.1:11470/subtitles.vtt?from=https%3A%2F%2Fsubs%2Fc.ass', lang: 'pt-BR' },
        { url: 'http://127.0.0.1:11470/6366e0a6/3', lang: 'eng' },
        { url: 'ftp://a/b', lang: 'eng' },
        { url: `${BASE}subs/d.srt` },
      ],
      BASE,
    );
    expect(subtitles).toEqual([
      { language: 'eng', title: null, format: 'srt', locator: 'https://subs/a.srt', isForced: false },
      { language: null, title: 'Klingon', format: 'srt', locator: 'https://subs/b?x=.vtt', isForced: true },
      { language: 'pt-BR', title: null, format: 'ass', locator: 'https://subs/c.ass', isForced: false },
      { language: null, title: null, format: 'srt', locator: './subs/d.srt', isForced: false },
    ]);
  });

  test('fileLocator() writes nothing down that has the configuration in another address', () => {
    const base = 'https://addon.example/k3y%7Cof-a-service/';
    const inside = encodeURIComponent(`${base}poster.jpg`);
    for (const address of [
      'http://addon.example/k3y%7Cof-a-service/poster.jpg',
      'https://addon.example:8443/k3y|of-a-service/poster.jpg',
      `https://pictures.example/resize?from=${inside}`,
      `https://pictures.example/resize?from=${encodeURIComponent(inside)}`,
    ]) {
      expect(fileLocator(address, base)).toBeNull();
    }
    expect(fileLocator('https://pictures.example/100%/a.jpg', base)).toBe('https://pictures.example/100%/a.jpg');
    expect(fileLocator('https://pictures.example/v1/a.jpg', 'https://addon.example/v1/')).toContain('a.jpg');
  });

  test('fileLocator() keeps the configuration out of what is written down', () => {
    expect(fileLocator(`${BASE}poster/a b.jpg?x=1`, BASE)).toBe('./poster/a%20b.jpg?x=1');
    expect(fileAddress('./poster/a.jpg', BASE)).toEqual({ url: `${BASE}poster/a.jpg`, isOfAddon: true });
    expect(fileAddress('https://img/a.jpg', BASE)).toEqual({ url: 'https://img/a.jpg', isOfAddon: false });
    for (const odd of ['./../../x', './../keys/x', 'javascript:x', 'https://a:b@c/', '']) {
      expect(fileAddress(odd, BASE)).toBeNull();
    }
    expect(fileLocator('https://me:p@img/a.jpg', BASE)).toBeNull();
    expect(fileLocator(3, BASE)).toBeNull();
  });
});
