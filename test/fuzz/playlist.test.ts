// A playlist is written by a stranger: whatever it says, a player is shown addresses of ours only, each of them leads to
// one address of the source, and what plays is what the stranger wrote.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LarderError } from '../../src/errors.ts';
import { parseHlsQuality } from '../../src/proxy/hls/hls-names.ts';
import { type Playlist, parseKept, parsePlaylist, writePlaylist } from '../../src/proxy/hls/playlist.ts';
import { isQualityName } from '../../src/sources/catalogue-path.ts';
import { runs } from '../support/property.ts';

const BASE = 'https://origin.test/films/1/index.m3u8?token=s3cret';

const scheme = fc.constantFrom(
  '',
  'https://origin.test/',
  'HTTP://other.test:8080/',
  '//third.test/',
  '/',
  '../',
  './',
  '?',
  'data:,',
  'skd://',
  'file:///',
  'rtmp://x/',
);
const name = fc.oneof(
  fc.constantFrom(
    'a.ts',
    'b.m4s',
    'c',
    'd.mp4?x=1&y="',
    'e.ts#t',
    '<larder:0.ts>',
    '%2e%2e/f.ts',
    'g h.ts',
    'é.ts',
    '',
  ),
  fc.string({ maxLength: 12 }),
);
const reference = fc.tuple(scheme, name).map(([start, end]) => (start + end).replace(/[\r\n]/g, ''));
const quoted = reference.map((text) => text.replaceAll('"', ''));
const tag = fc.oneof(
  fc.constantFrom(
    '#EXT-X-DISCONTINUITY',
    '#EXT-X-ENDLIST',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-I-FRAMES-ONLY',
    '#EXT-X-GAP',
    '#EXT-X-KEY:METHOD=NONE',
    '# comment https://origin.test/secret',
    '',
    '   ',
  ),
  fc.double({ min: -1, max: 1e9, noNaN: true }).map((seconds) => `#EXTINF:${seconds},`),
  fc.tuple(fc.nat(), quoted).map(([seconds, title]) => `#EXTINF:${seconds},${title}`),
  fc.bigInt({ min: -1n, max: 1n << 70n }).map((number) => `#EXT-X-MEDIA-SEQUENCE:${number}`),
  fc.tuple(fc.nat(), fc.nat()).map(([length, start]) => `#EXT-X-BYTERANGE:${length}@${start}`),
  fc
    .tuple(
      fc.constantFrom(
        'KEY',
        'MAP',
        'MEDIA',
        'SESSION-KEY',
        'PART',
        'PRELOAD-HINT',
        'RENDITION-REPORT',
        'DATERANGE',
        'LATER',
        'I-FRAME-STREAM-INF',
        'STREAM-INF',
      ),
      fc.array(
        fc.tuple(
          fc.constantFrom(
            'URI',
            'X-ASSET-URI',
            'NAME',
            'BANDWIDTH',
            'TYPE',
            'GROUP-ID',
            'AUDIO',
            'METHOD',
            'BYTERANGE',
          ),
          fc.boolean(),
          quoted,
        ),
        { maxLength: 5 },
      ),
    )
    .map(
      ([what, attributes]) =>
        `#EXT-X-${what}:${attributes.map(([key, isQuoted, value]) => (isQuoted ? `${key}="${value}"` : `${key}=${value}`)).join(',')}`,
    ),
  fc.string({ maxLength: 30 }).map((text) => `#EXT${text.replace(/[\r\n]/g, '')}`),
);
const lines = fc.array(fc.oneof({ weight: 3, arbitrary: reference }, { weight: 3, arbitrary: tag }), { maxLength: 30 });
const text = fc
  .tuple(lines, fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean())
  .map(
    ([body, end, hasMark, isEnded]) =>
      `${hasMark ? '\uFEFF' : ''}${['#EXTM3U', ...body, ...(isEnded ? ['#EXT-X-ENDLIST'] : [])].join(end)}${end}`,
  );

function read(written: string): Playlist | null {
  try {
    return parsePlaylist(written, BASE);
  } catch (error) {
    if (error instanceof LarderError && error.code === 'origin-lied') return null;
    throw error;
  }
}

/** As a player finds them. */
function addressesIn(shown: string): string[] {
  return shown.split('\n').flatMap((line) => {
    if (line === '') return [];
    if (!line.startsWith('#')) return [line];
    return [...line.matchAll(/[A-Z-]*URI="?([^",]*)/g)].map((match) => match[1]!);
  });
}

describe('any playlist', () => {
  test('is refused, or shown with addresses of ours only, each for one of its own', () => {
    let taken = 0;
    fc.assert(
      fc.property(text, (written) => {
        const playlist = read(written);
        if (playlist === null) return;
        taken += 1;
        const named = new Set<string>();
        const shown = writePlaylist(playlist.body, (part, container) => {
          named.add(part);
          return `/ours/${part}.${container}`;
        });
        expect(shown).toStartWith('#EXTM3U\n');
        expect(shown).not.toMatch(/<larder:|s3cret/);
        for (const address of addressesIn(shown)) {
          if (!/^(?:data|skd):/i.test(address)) expect(address).toMatch(/^\/ours\/[ikm]?\d+\.[a-z0-9]+$/);
        }
        const withoutOwn = shown.replace(/\b(?:skd:\/\/|data:)[^",\n]*/gi, '');
        expect(withoutOwn).not.toMatch(/:\/\//);
        expect(withoutOwn).not.toMatch(/origin\.test|other\.test|third\.test/);
        expect([...named].sort()).toEqual([...playlist.parts.keys()].sort());
        const urls = [...playlist.parts.values()].map(({ url }) => url);
        for (const url of urls) expect(url).toMatch(/^https?:\/\//);
        for (const piece of playlist.pieces) expect(playlist.parts.get(piece.name)?.url).toBe(piece.url);
        expect([...playlist.places]).toEqual(playlist.pieces.map((piece, at) => [piece.name, at]));
        for (const part of playlist.parts.keys()) {
          if (part.startsWith('m')) continue;
          const quality = `original~${playlist.signature === '' ? '00000000' : playlist.signature}-${part}`;
          expect(parseHlsQuality(quality)).toMatchObject({ kind: 'part', whole: 'original', name: part });
          expect(isQualityName(quality)).toBe(true);
        }
      }),
      runs(3_000),
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('reads the same again, and as it was kept', () => {
    fc.assert(
      fc.property(text, (written) => {
        const playlist = read(written);
        if (playlist === null) return;
        expect(parsePlaylist(written, BASE)).toEqual(playlist);
        const kept = parseKept(playlist);
        expect([...kept.parts.keys()].sort()).toEqual([...playlist.parts.keys()].sort());
        expect(kept.pieces.map(({ name: part, durationMs }) => [part, durationMs])).toEqual(
          playlist.pieces.map(({ name: part, durationMs }) => [part, durationMs]),
        );
      }),
      runs(1_000),
    );
  });

  test('has the same pieces whatever its addresses are, as long as it is cut alike', () => {
    const cut = fc.array(fc.record({ seconds: fc.nat({ max: 20 }), isNew: fc.boolean() }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(cut, fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (pieces, left, right) => {
        const write = (token: string) =>
          `#EXTM3U\n${pieces.map(({ seconds, isNew }, at) => `${isNew ? '#EXT-X-DISCONTINUITY\n' : ''}#EXTINF:${seconds},\n${at}.ts?${encodeURIComponent(token)}`).join('\n')}\n#EXT-X-ENDLIST\n`;
        const one = parsePlaylist(write(left), BASE);
        const other = parsePlaylist(write(right), BASE);
        expect(one.signature).toBe(other.signature);
        expect(one.pieces).toHaveLength(pieces.length);
        expect(one.body).toBe(other.body);
      }),
      runs(500),
    );
  });
});
