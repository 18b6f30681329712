// What is read of a playlist, and what of it a player is shown: names in place of addresses, and nothing that leads past
// Larder. Examples are of RFC 8216 §8 where there is one.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { parseKept, parsePlaylist, writePlaylist } from '../../../src/proxy/hls/playlist.ts';

const URL_OF_IT = 'https://cdn.example.org/films/1/index.m3u8?token=secret';

function media(...lines: string[]): string {
  return ['#EXTM3U', '#EXT-X-TARGETDURATION:6', ...lines, '#EXT-X-ENDLIST', ''].join('\n');
}

function shown(text: string, url = URL_OF_IT): string {
  return writePlaylist(parsePlaylist(text, url).body, (name, container) => `/${name}.${container}`);
}

function partsOf(text: string): [string, string][] {
  return [...parsePlaylist(text, URL_OF_IT).parts.values()].map(({ name, url }) => [name, url]);
}

function refused(text: string): LarderError {
  try {
    parsePlaylist(text, URL_OF_IT);
  } catch (error) {
    if (error instanceof LarderError) return error;
  }
  throw new Error('it was taken');
}

describe('a media playlist', () => {
  test('names its pieces in the order of playing, wherever they are', () => {
    const text = media(
      '#EXTINF:6.006,Title',
      'a.ts?x=1&y=2',
      '#EXTINF:6,',
      '/other/b.ts',
      '#EXTINF:3',
      'https://other.example/c.ts#t',
    );
    expect(partsOf(text)).toEqual([
      ['0', 'https://cdn.example.org/films/1/a.ts?x=1&y=2'],
      ['1', 'https://cdn.example.org/other/b.ts'],
      ['2', 'https://other.example/c.ts'],
    ]);
    expect(parsePlaylist(text, URL_OF_IT).pieces.map(({ durationMs }) => durationMs)).toEqual([6_006, 6_000, 3_000]);
    expect(shown(text)).toBe(media('#EXTINF:6.006,Title', '/0.ts', '#EXTINF:6,', '/1.ts', '#EXTINF:3', '/2.ts'));
  });

  test('may begin with a byte order mark, end its lines as Windows does, and have blank lines and spaces', () => {
    const text = `\uFEFF${media('#EXTINF:6,', '', '  a.ts  ')}`.replaceAll('\n', '\r\n');
    expect(shown(text)).toBe(media('#EXTINF:6,', '/0.ts'));
  });

  test('has one name for one address, and one piece for the ranges of a file', () => {
    const text = media(
      '#EXT-X-MAP:URI="all.mp4",BYTERANGE="720@0"',
      '#EXTINF:6,',
      '#EXT-X-BYTERANGE:1000@720',
      'all.mp4',
      '#EXTINF:5,',
      '#EXT-X-BYTERANGE:900',
      'all.mp4',
    );
    const playlist = parsePlaylist(text, URL_OF_IT);
    expect([...playlist.parts.keys()]).toEqual(['0']);
    expect(playlist.pieces).toMatchObject([{ name: '0', durationMs: 11_000, container: 'mp4' }]);
    expect(shown(text)).toContain(
      '#EXT-X-MAP:URI="/0.mp4",BYTERANGE="720@0"\n#EXTINF:6,\n#EXT-X-BYTERANGE:1000@720\n/0.mp4',
    );
  });

  test('names keys and initialisation sections, and keeps what belongs to them', () => {
    const text = media(
      '#EXT-X-MAP:URI="init.mp4"',
      '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/k?id=1",IV=0x1,KEYFORMAT="identity"',
      '#EXTINF:6,',
      'a.m4s',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXT-X-MAP:URI="other.mp4"',
      '#EXTINF:6,',
      'b.m4s',
      '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/k?id=1"',
      '#EXTINF:6,',
      'c.m4s',
    );
    expect(partsOf(text).map(([name]) => name)).toEqual(['i0', 'k0', '0', 'i1', '1', '2']);
    expect(shown(text)).toContain('#EXT-X-KEY:METHOD=AES-128,URI="/k0.key",IV=0x1,KEYFORMAT="identity"');
    expect(shown(text)).toContain('#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI="/i1.mp4"');
  });

  test('keeps keys that stand in it, and those of a system of the player', () => {
    const skd = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset/1",KEYFORMAT="com.apple.streamingkeydelivery"';
    const data = '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9"';
    expect(shown(media(skd, data, '#EXTINF:6,', 'a.ts'))).toContain(`${skd}\n${data}\n`);
  });

  test('is told what a piece is by its ending, and by its section where the ending says nothing', () => {
    const containers = (...lines: string[]) =>
      [...parsePlaylist(media(...lines), URL_OF_IT).parts.values()].map(({ container }) => container);
    expect(
      containers('#EXTINF:1,', 'a.png', '#EXTINF:1,', 'b', '#EXTINF:1,', 'c.AAC', '#EXTINF:1,', 'd.vtt?x=.mp4'),
    ).toEqual(['ts', 'ts', 'aac', 'vtt']);
    expect(containers('#EXT-X-MAP:URI="i"', '#EXTINF:1,', 'a.php?x', '#EXTINF:1,', 'b.cmfv')).toEqual([
      'mp4',
      'mp4',
      'm4s',
    ]);
  });

  test('is live while it has no end, unless it says that it is whole', () => {
    const text = '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:6,\na.ts\n';
    expect(parsePlaylist(text, URL_OF_IT)).toMatchObject({ isLive: true, signature: 'live' });
    expect(parsePlaylist(text, URL_OF_IT, { name: 'm3' }).signature).toBe('live3');
    expect(parsePlaylist(`${text}#EXT-X-PLAYLIST-TYPE:EVENT\n`, URL_OF_IT).isLive).toBe(true);
    expect(parsePlaylist(`${text}#EXT-X-PLAYLIST-TYPE:VOD\n`, URL_OF_IT).isLive).toBe(false);
    expect(parsePlaylist(`${text}#EXT-X-ENDLIST\n`, URL_OF_IT).isLive).toBe(false);
  });

  test('that moves on calls what stays in it the same', () => {
    const window = (first: number, ...lines: string[]) =>
      parsePlaylist(`#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n${lines.join('\n')}\n`, URL_OF_IT).parts;
    const key = (id: number) => `#EXT-X-KEY:METHOD=AES-128,URI="k${id}"`;
    const before = window(10, key(1), '#EXTINF:2,', 'a.ts', key(2), '#EXTINF:2,', 'b.ts', '#EXTINF:2,', 'c.ts');
    const after = window(11, key(2), '#EXTINF:2,', 'b.ts', '#EXTINF:2,', 'c.ts', '#EXTINF:2,', 'd.ts');
    expect([...before.keys()].filter((name) => !name.startsWith('k'))).toEqual(['10', '11', '12']);
    for (const [name, { url }] of after) if (before.has(name)) expect(before.get(name)?.url).toBe(url);
    expect([...after.keys()].filter((name) => before.has(name))).toHaveLength(3);
    // The same file again and again, as between films.
    const slate = window(20, '#EXTINF:2,', 'slate.ts', '#EXTINF:2,', 'x.ts', '#EXTINF:2,', 'slate.ts');
    expect([...slate.keys()]).toEqual(['20', '21']);
  });

  test('counts on from any number', () => {
    const numbered = (first: string) => [
      ...parsePlaylist(
        media(`#EXT-X-MEDIA-SEQUENCE:${first}`, '#EXTINF:1,', 'a.ts', '#EXTINF:1,', 'b.ts'),
        URL_OF_IT,
      ).parts.keys(),
    ];
    expect(numbered('9223372036854775807')).toEqual(['9223372036854775807', '9223372036854775808']);
    expect(numbered('99999999999999999999999')).toEqual(['0', '1']);
    expect(numbered('-3')).toEqual(['0', '1']);
    expect(numbered('many')).toEqual(['0', '1']);
  });

  test('has another signature when it is cut otherwise, and the same with other addresses', () => {
    const sign = (...lines: string[]) => parsePlaylist(media(...lines), URL_OF_IT).signature;
    const plain = sign('#EXTINF:6,', 'a.ts', '#EXTINF:6,', 'b.ts');
    expect(plain).toMatch(/^[0-9a-f]{8}$/);
    expect(sign('#EXTINF:6.000,other', 'https://other/x.ts?sig=2', '#EXTINF:6,', 'y.ts')).toBe(plain);
    const others = [
      sign('#EXTINF:6,', 'a.ts', '#EXTINF:6.1,', 'b.ts'),
      sign('#EXTINF:6,', 'a.ts'),
      sign('#EXTINF:6,', 'a.ts', '#EXTINF:6,', 'a.ts'),
      sign('#EXTINF:6,', 'a.ts', '#EXT-X-DISCONTINUITY', '#EXTINF:6,', 'b.ts'),
      sign('#EXTINF:6,', '#EXT-X-BYTERANGE:10@0', 'a.ts', '#EXTINF:6,', 'b.ts'),
      sign('#EXT-X-KEY:METHOD=AES-128,URI="k"', '#EXTINF:6,', 'a.ts', '#EXTINF:6,', 'b.ts'),
      sign('#EXT-X-MAP:URI="k"', '#EXTINF:6,', 'a.ts', '#EXTINF:6,', 'b.ts'),
    ];
    expect(new Set([plain, ...others]).size).toBe(others.length + 1);
  });

  test('is told from another one of the same film that is cut alike', () => {
    const text = media('#EXTINF:6,', 'a.ts');
    const signatures = ['', 'de', 'en'].map(
      (identity) => parsePlaylist(text, URL_OF_IT, { name: 'm1', identity }).signature,
    );
    expect(new Set(signatures).size).toBe(3);
  });

  test('puts variables in their places', () => {
    const text = media(
      '#EXT-X-DEFINE:NAME="host",VALUE="https://other.example"',
      '#EXT-X-DEFINE:QUERYPARAM="token"',
      '#EXT-X-KEY:METHOD=AES-128,URI="{$host}/key"',
      '#EXTINF:6,',
      '{$host}/a.ts?t={$token}&{$unknown}',
    );
    expect(partsOf(text)).toEqual([
      ['k0', 'https://other.example/key'],
      ['0', 'https://other.example/a.ts?t=secret&{$unknown}'],
    ]);
    expect(shown(text)).not.toContain('other.example');
    expect(refused(media('#EXT-X-DEFINE:IMPORT="x"', '#EXTINF:1,', 'a.ts')).code).toBe('origin-lied');
  });
});

describe('what a player is shown', () => {
  test('has no address of the source in it, whatever tag that stands in', () => {
    const text = media(
      '# https://cdn.example.org/comment?token=secret',
      '#EXT-X-SESSION-DATA:DATA-ID="a",URI="data.json"',
      '#EXT-X-DATERANGE:ID="ad",CLASS="com.apple.hls.interstitial",X-ASSET-URI="https://ads.example/ad.m3u8"',
      '#EXT-X-DATERANGE:ID="ad",X-ASSET-LIST="list.json"',
      '#EXT-X-CONTENT-STEERING:SERVER-URI="https://steer.example/"',
      '#EXT-X-LATER-TAG:VALUE="HTTPS://cdn.example.org/x"',
      '#EXT-X-LATER-TAG:VALUE="//cdn.example.org/x"',
      '#EXT-X-HARMLESS:VALUE="x/y"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z',
      '#EXT-X-KEY:METHOD=AES-128,URI="k",X-LICENCE="https://licence.example/"',
      '#EXT-X-MAP:NAME="x,URI=",URI="https://cdn.example.org/init.mp4"',
      '#EXTINF:6,see https://cdn.example.org/title',
      'https://cdn.example.org/a.m4s',
    );
    const result = shown(text);
    expect(result).not.toMatch(/example|secret|\/\//);
    expect(result).toContain('#EXT-X-HARMLESS:VALUE="x/y"\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z');
    expect(result).toContain('#EXT-X-KEY:METHOD=AES-128,URI="/k0.key"\n');
    expect(result).toContain('URI="/i0.mp4"');
    expect(result).toContain('#EXTINF:6,\n/0.m4s');
  });

  test('is without the parts of low latency, and without a promise to hold it back', () => {
    const text = [
      '#EXTM3U',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0',
      '#EXT-X-PART-INF:PART-TARGET=0.33',
      '#EXT-X-MEDIA-SEQUENCE:266',
      '#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
      '#EXTINF:4.0,',
      'fileSequence266.mp4',
      '#EXT-X-PART:DURATION=0.33,URI="https://cdn.example.org/filePart267.1.mp4"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="filePart267.2.mp4"',
      '#EXT-X-RENDITION-REPORT:URI="../1M/waitForMSN.php",LAST-MSN=266',
      '',
    ].join('\n');
    expect(shown(text)).toBe('#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:266\n#EXTINF:4.0,\n/266.mp4\n');
    expect(partsOf(text)).toHaveLength(1);
  });

  test('has no names of ours that came from elsewhere', () => {
    const text = media(
      '#EXT-X-NOTE:V="<larder:9.ts>"',
      '#EXTINF:6,<larder:m0.ts>',
      '<larder:5.ts>',
      '#EXTINF:6,',
      'b.ts',
    );
    expect(shown(text)).toBe(media('#EXT-X-NOTE:V="<.9.ts>"', '#EXTINF:6,<.m0.ts>', '/0.ts', '#EXTINF:6,', '/1.ts'));
    expect(shown(media('#EXTINF:6,<lar<larder:der:7.ts> <<larder:larder:8.ts>', 'a.ts'))).not.toMatch(/\/[78]/);
  });

  for (const bad of [
    'file:///etc/passwd',
    'rtmp://host/a',
    'ftp://host/a.ts',
    'concat:a|b',
    'http://',
    'javascript:1',
  ]) {
    test(`is refused when ${bad} is to be played, or is a key`, () => {
      expect(refused(media('#EXTINF:6,', bad)).code).toBe('origin-lied');
      expect(refused(media(`#EXT-X-KEY:METHOD=AES-128,URI="${bad}"`, '#EXTINF:6,', 'a.ts')).message).not.toContain(bad);
    });
  }
});

describe('a master playlist', () => {
  const master = [
    '#EXTM3U',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="English",LANGUAGE="en",URI="audio/en.m3u8?x=1"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="English, again",LANGUAGE="en",URI="audio/en2.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="Low",URI="audio/lo.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="Deutsch",URI="subs.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="hi",NAME="Of a group of sounds",URI="none.m3u8"',
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",INSTREAM-ID="CC1"',
    '#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=9999999,BANDWIDTH=800000,AUDIO="lo"',
    'low.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=5000000,CODECS="avc1,mp4a",AUDIO="hi",SUBTITLES="subs",CLOSED-CAPTIONS="cc",NAME="http://x/"',
    '#EXT-X-SOMETHING',
    'https://other.example/high.m3u8?t=2',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9,URI="i.m3u8"',
    '#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9,URI="tiles.m3u8?ApiKey=secret"',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="key"',
    '#EXT-X-SESSION-DATA:DATA-ID="t",VALUE="v"',
    '',
  ].join('\n');

  test('is cut down to its best variant and what goes with that', () => {
    const playlist = parsePlaylist(master, URL_OF_IT);
    expect(playlist).toMatchObject({ kind: 'master', isLive: false, pieces: [] });
    expect(partsOf(master)).toEqual([
      ['m0', 'https://other.example/high.m3u8?t=2'],
      ['m1', 'https://cdn.example.org/films/1/audio/en.m3u8?x=1'],
      ['m2', 'https://cdn.example.org/films/1/audio/en2.m3u8'],
      ['m3', 'https://cdn.example.org/films/1/subs.m3u8'],
    ]);
    const identities = [...playlist.parts.values()].map(({ identity }) => identity);
    expect(new Set(identities).size).toBe(identities.length);
    expect(shown(master).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="English",LANGUAGE="en",URI="/m1.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="English, again",LANGUAGE="en",URI="/m2.m3u8"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="Deutsch",URI="/m3.m3u8"',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",INSTREAM-ID="CC1"',
      '#EXT-X-STREAM-INF:BANDWIDTH=5000000,CODECS="avc1,mp4a",AUDIO="hi",SUBTITLES="subs",CLOSED-CAPTIONS="cc"',
      '/m0.m3u8',
      '#EXT-X-SOMETHING',
      '#EXT-X-SESSION-DATA:DATA-ID="t",VALUE="v"',
      '',
    ]);
  });

  test('is refused without a playlist behind its variant', () => {
    expect(refused('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n').code).toBe('origin-lied');
    expect(refused('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-ENDLIST').code).toBe('origin-lied');
    expect(refused('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ndata:,x').code).toBe('origin-lied');
  });

  test('is not followed to playlists without a number', () => {
    const line = (at: number) => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="${at}",URI="${at}"`;
    const sounds = Array.from({ length: 5_000 }, (_, at) => line(at)).join('\n');
    const text = `#EXTM3U\n${sounds}\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv\n`;
    expect(parsePlaylist(text, URL_OF_IT).parts.size).toBe(100);
  });

  test('tells two of which it says the same from each other', () => {
    const line = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x"';
    const text = `#EXTM3U\n${line},URI="1"\n${line},URI="2"\n${line},URI="1"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv\n`;
    const parts = [...parsePlaylist(text, URL_OF_IT).parts.values()];
    expect(parts.map(({ name }) => name)).toEqual(['m0', 'm1', 'm2']);
    expect(parts[1]!.identity).not.toBe(parts[2]!.identity);
  });
});

test('what was kept reads as what it was kept of, but for where it is', () => {
  const text = media(
    '#EXT-X-MAP:URI="i.mp4"',
    '#EXTINF:6,',
    'a.m4s',
    '#EXTINF:2.5,',
    'b',
    '#EXT-X-KEY:METHOD=AES-128,URI="k"',
  );
  const playlist = parsePlaylist(text, URL_OF_IT);
  const kept = parseKept(playlist);
  expect(kept.parts).toEqual(new Map([...playlist.parts].map(([name, part]) => [name, { ...part, url: '' }])));
  expect(kept.pieces).toEqual(playlist.pieces.map((piece) => ({ ...piece, url: '' })));
  expect(kept.places).toEqual(playlist.places);
  expect(kept).toMatchObject({ kind: 'media', isLive: false, body: playlist.body, signature: playlist.signature });
});

describe('what is no playlist', () => {
  const cases: [string, string][] = [
    ['a page', '<html><body>Sign in</body></html>'],
    ['nothing', ''],
    ['something that begins alike', '#EXTM3UX\n'],
    ['a film without pieces', media()],
    ['too many lines', `#EXTM3U\n${'\n'.repeat(200_001)}`],
    ['a line without an end', `#EXTM3U\n#EXTINF:6,\n${'a'.repeat(70_000)}`],
    ['variables that grow', `#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="${'x'.repeat(60_000)}"\n{$a}{$a}`],
    [
      'variables without an end',
      `#EXTM3U\n${Array.from({ length: 101 }, (_, at) => `#EXT-X-DEFINE:NAME="a${at}",VALUE=""`).join('\n')}`,
    ],
  ];
  for (const [what, text] of cases) {
    test(`is refused: ${what}`, () => expect(refused(text).code).toBe('origin-lied'));
  }

  test('an address that says more behind the tag is one all the same', () => {
    expect(parsePlaylist('#EXTM3U url-tvg=""\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST', URL_OF_IT).pieces).toHaveLength(1);
  });
});

test('costs no more than its length', () => {
  const lines = Array.from(
    { length: 66_000 },
    (_, at) => `#EXT-X-BYTERANGE:100@${at}\n#EXTINF:2,\npiece-${at}.ts?sig=${at}`,
  );
  const startedAt = performance.now();
  const playlist = parsePlaylist(media(...lines), URL_OF_IT);
  for (const { name } of playlist.pieces) expect(playlist.places.has(name)).toBe(true);
  writePlaylist(playlist.body, (name) => name);
  parseKept(playlist);
  const hostile = [
    'URI="'.repeat(10_000),
    'A=B,'.repeat(15_000),
    '{$a'.repeat(20_000),
    '"'.repeat(60_000),
    '<larder:'.repeat(8_000),
  ];
  for (const text of hostile) parsePlaylist(media(`#EXT-X-KEY:${text}`, `#EXTINF:${text}`, 'a.ts'), URL_OF_IT);
  expect(playlist.pieces).toHaveLength(66_000);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
