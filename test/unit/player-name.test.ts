import { describe, expect, test } from 'bun:test';
import { playerName } from '../../src/proxy/player-name.ts';

const KNOWN: Record<string, string | null> = {
  'VLC/3.0.20 LibVLC/3.0.20': 'VLC 3.0.20',
  'Kodi/21.0 (X11; Linux x86_64) App_Bitness/64 Version/21.0-Git:20240405-': 'Kodi 21.0',
  'mpv 0.38.0': 'mpv 0.38.0',
  libmpv: 'libmpv',
  'Lavf/60.16.100': 'FFmpeg 60.16',
  'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0': 'Firefox 130',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36': 'Chrome 129',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15':
    'Safari 18',
  'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0':
    'Edge 129',
  'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36':
    'LG TV',
  'Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36':
    'Samsung TV',
  'AppleCoreMedia/1.0.0.21L227 (Apple TV; U; CPU OS 17_0 like Mac OS X; en_us)': 'Apple player',
  'stagefright/1.2': 'stagefright 1.2',
  unknown: null,
  '(weird)': null,
};

describe('playerName()', () => {
  for (const [userAgent, name] of Object.entries(KNOWN)) {
    test(`${userAgent} is ${name}`, () => expect(playerName(userAgent)).toBe(name));
  }
});
