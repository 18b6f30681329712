import { describe, expect, test } from 'bun:test';
import { deviceName } from '../../../src/access/device-name.ts';
import { effectiveClient } from '../../../src/access/effective-client.ts';
import { isKnownHost } from '../../../src/access/known-hosts.ts';
import { foreignReason } from '../../../src/access/own-request.ts';
import { trustedProxies } from '../../../src/access/trusted-proxies.ts';
import { options } from '../../../src/options.ts';

type Headers = Record<string, string>;

function client(headers: Headers, remoteAddress = '10.0.0.2', proxies = ['10.0.0.0/8'], isEncrypted = false) {
  return effectiveClient({ headers, remoteAddress, isEncrypted }, trustedProxies(proxies));
}

describe('trustedProxies()', () => {
  test('addresses and networks are matched in either family, also when IPv4 comes wrapped in IPv6', () => {
    const { includes } = trustedProxies(['10.0.0.0/8', '192.168.1.5', '2001:db8::/32', '::1', '::ffff:172.16.0.0/108']);
    for (const address of ['10.9.9.9', '::ffff:10.9.9.9', '192.168.1.5', '2001:db8:9::1', '::1', '172.16.3.4']) {
      expect([address, includes(address)]).toEqual([address, true]);
    }
    for (const address of ['11.0.0.1', '192.168.1.6', '2001:db9::1', '::2', '', 'nonsense', '127.0.0.1']) {
      expect([address, includes(address)]).toEqual([address, false]);
    }
    expect(trustedProxies([]).includes('127.0.0.1')).toBe(false);
  });

  test('the setting takes addresses and networks, by comma or space, and refuses nonsense by name', () => {
    const { parse } = options.trustedProxies;
    expect(parse(['10.0.0.0/8, 127.0.0.1', '::1'], 'x')).toEqual(['10.0.0.0/8', '127.0.0.1', '::1']);
    for (const nonsense of [
      'proxy',
      '10.0.0.0/33',
      '10.1',
      '::/129',
      '10.0.0.1/',
      '0x7f.1',
      '1.2.3.4/8/8',
      '10.0.0.1:80',
      '0.0.0.0/0',
      '::/0',
      '::/00',
    ]) {
      expect(() => parse([nonsense], 'LARDER_TRUSTED_PROXIES')).toThrow(/^LARDER_TRUSTED_PROXIES: /);
    }
  });
});

describe('effectiveClient()', () => {
  test('without proxies it is the socket’s, with IPv4 unwrapped', () => {
    expect(client({ host: 'nas:8420' }, '::ffff:192.168.1.9', [])).toEqual({
      address: '192.168.1.9',
      isPrivate: true,
      protocol: 'http',
      host: 'nas:8420',
      prefix: null,
      isForwarded: false,
      isForwardedByStranger: false,
    });
    expect(client({}, '203.0.113.5', [], true)).toMatchObject({ isPrivate: false, protocol: 'https', host: null });
    expect(client({}, 'fe80::1%eth0', [])).toMatchObject({ address: 'fe80::1', isPrivate: true });
    expect(client({}, '', [])).toMatchObject({ address: '', isPrivate: false });
  });

  test('forwarding headers of a peer that is not trusted are ignored, and it is no private network any more', () => {
    for (const headers of [
      { 'x-forwarded-for': '192.168.1.1' },
      { forwarded: 'for=192.168.1.1;proto=https;host=evil.example' },
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-prefix': '/evil' },
      { 'x-ingress-path': '/evil' },
      { 'x-real-ip': '192.168.1.1' },
      { via: '1.1 proxy' },
    ] as Headers[]) {
      const seen = client({ host: 'nas', ...headers }, '192.168.1.9', ['10.0.0.0/8']);
      expect([headers, seen]).toEqual([
        headers,
        {
          address: '192.168.1.9',
          isPrivate: false,
          protocol: 'http',
          host: 'nas',
          prefix: null,
          isForwarded: false,
          isForwardedByStranger: true,
        },
      ]);
    }
  });

  const chains: [string, Headers, string, boolean][] = [
    ['one proxy', { 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7', false],
    ['what the client made up before it', { 'x-forwarded-for': '192.168.0.1, 203.0.113.7' }, '203.0.113.7', false],
    ['two trusted proxies', { 'x-forwarded-for': '203.0.113.7, 10.0.0.3' }, '203.0.113.7', false],
    ['a client at home', { 'x-forwarded-for': '192.168.1.7' }, '192.168.1.7', true],
    ['trusted all along', { 'x-forwarded-for': '10.0.0.9, 10.0.0.3' }, '10.0.0.9', true],
    ['a port', { 'x-forwarded-for': '203.0.113.7:5123' }, '203.0.113.7', false],
    ['IPv6 in brackets', { 'x-forwarded-for': '[2001:db8::1]:99' }, '2001:db8::1', false],
    ['IPv6 without', { 'x-forwarded-for': '2001:db8::1' }, '2001:db8::1', false],
    ['an address that is hidden', { 'x-forwarded-for': '192.168.1.1, unknown' }, '', false],
    ['nonsense', { 'x-forwarded-for': '192.168.1.1, <script>' }, '', false],
    ['nothing at all', {}, '10.0.0.2', true],
    ['X-Real-IP alone, which many proxies pass on as it came', { 'x-real-ip': '192.168.1.7' }, '', false],
    ['X-Real-IP beside it', { 'x-real-ip': '192.168.1.1', 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7', false],
    ['an empty X-Forwarded-For', { 'x-forwarded-for': '' }, '', false],
    ['commas only', { 'x-forwarded-for': ' , ,' }, '', false],
    ['an empty X-Forwarded-For', { 'x-forwarded-for': '', forwarded: 'for=192.168.1.1' }, '', false],
    ['an empty Forwarded', { forwarded: '' }, '', false],
    ['a protocol and no address', { 'x-forwarded-proto': 'https' }, '', false],
    ['Via alone', { via: '1.1 proxy' }, '', false],
    ['Tailscale and carriers', { 'x-forwarded-for': '100.64.0.7' }, '100.64.0.7', false],
    ['Forwarded', { forwarded: 'for=203.0.113.7' }, '203.0.113.7', false],
    [
      'Forwarded, several',
      { forwarded: 'for=192.168.0.1, for="[2001:db8::1]:80";proto=https, for=10.0.0.4' },
      '2001:db8::1',
      false,
    ],
    [
      'a Forwarded that the client made up and its proxy passed on',
      { forwarded: 'for=192.168.1.1;proto=https;host=evil.example', 'x-forwarded-for': '203.0.113.7' },
      '203.0.113.7',
      false,
    ],
    [
      'Forwarded with a comma in quotes',
      { forwarded: 'for="1,2";host="a\\",b", for=203.0.113.7' },
      '203.0.113.7',
      false,
    ],
    ['Forwarded without for', { forwarded: 'proto=https' }, '', false],
  ];
  for (const [what, headers, address, isPrivate] of chains) {
    test(`${what}: the rightmost address that is not trusted`, () => {
      expect(client(headers)).toMatchObject({ address, isPrivate, isForwardedByStranger: false });
    });
  }

  test('protocol, host and prefix are taken from trusted proxies only when they read as such', () => {
    const headers = {
      host: 'inner:8420',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'HTTPS',
      'x-forwarded-host': 'films.example.org',
      'x-forwarded-prefix': '/larder/',
    };
    expect(client(headers)).toMatchObject({ protocol: 'https', host: 'films.example.org', prefix: '/larder' });
    expect(client({ host: 'inner', 'x-ingress-path': '/api/hassio_ingress/Ab-_1' })).toMatchObject({
      prefix: '/api/hassio_ingress/Ab-_1',
    });
    const evil = {
      host: 'inner',
      'x-forwarded-proto': 'javascript',
      'x-forwarded-host': 'evil.example/"><script>',
    };
    expect(client(evil)).toMatchObject({ protocol: 'http', host: 'inner' });
    for (const prefix of [
      '//evil.example',
      'evil',
      '/a b',
      '/"',
      '/..',
      '/a/../b',
      '/./a',
      '/a//b',
      'https://evil',
      '/%2e',
    ]) {
      expect([prefix, client({ 'x-forwarded-prefix': prefix }).prefix]).toEqual([prefix, null]);
    }
    expect(client({ forwarded: 'for=203.0.113.7;proto=https;host="films.example.org:444"' })).toMatchObject({
      protocol: 'https',
      host: 'films.example.org:444',
    });
  });

  test('what hops say of themselves goes with the hop that is the client', () => {
    const headers = {
      'x-forwarded-for': '192.168.0.1, 203.0.113.7, 10.0.0.3',
      'x-forwarded-proto': 'http, https, http',
      'x-forwarded-host': 'evil.example, films.example.org, inner',
    };
    expect(client(headers)).toMatchObject({ protocol: 'https', host: 'films.example.org' });
  });
});

describe('isKnownHost()', () => {
  const rules = { hostname: 'attic.example.org', allowedHosts: ['films.example.org', '2001:db8::5'] };
  const known = [
    '192.168.1.5', '192.168.1.5:8420', '[::1]:8420', '[2001:db8::1]', '203.0.113.9', 'localhost', 'localhost:8420', 'nas', 'NAS:8420',
    'nas.local', 'nas.lan', 'nas.home.arpa', 'larder.localhost', 'attic.example.org', 'ATTIC.example.org:8420', 'films.example.org.', 'films.example.org:443',
  ]; // biome-ignore format: a list
  const foreign = [
    null, '', 'evil.example', 'films.example.org.evil.example', 'example.org', 'evil.local.example', 'localhost.evil.example',
    'a@films.example.org', 'films.example.org/x', 'evil.example#.local', 'evil.example?.lan', 'http://nas', 'x\\.lan', 'a b.local',
  ]; // biome-ignore format: a list
  for (const host of known) test(`${host} is known`, () => expect(isKnownHost(host, rules)).toBe(true));
  for (const host of foreign) {
    test(`${JSON.stringify(host)} is not known`, () => expect(isKnownHost(host, rules)).toBe(false));
  }
});

describe('foreignReason()', () => {
  const host = 'nas:8420';
  const own: Headers[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin', origin: 'null' },
    { origin: 'http://nas:8420' },
    { origin: 'http://NAS:8420' },
    { referer: 'http://nas:8420/login' },
  ];
  const foreign: Headers[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': '' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://nas:8420' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://nas' },
    { origin: 'http://nas:8420.evil.example' },
    { origin: 'http://evil.example', referer: 'http://nas:8420/' },
    { referer: 'http://evil.example/?http://nas:8420/' },
    { referer: '' },
  ];
  for (const headers of own) {
    test(`${JSON.stringify(headers)} is ours`, () => expect(foreignReason(headers, host, true)).toBeNull());
  }
  for (const headers of foreign) {
    test(`${JSON.stringify(headers)} is not ours`, () => {
      expect(foreignReason(headers, host, true)).not.toBeNull();
      expect(foreignReason(headers, host, false)).not.toBeNull();
    });
  }
  test('a request that says nothing is refused with a cookie only: no browser is silent', () => {
    expect(foreignReason({}, host, true)).toContain('nothing says where it came from');
    expect(foreignReason({}, host, false)).toBeNull();
  });
  test('a port that goes without saying may be left out or said', () => {
    expect(foreignReason({ origin: 'https://films.example.org' }, 'films.example.org:443', true)).toBeNull();
    expect(foreignReason({ origin: 'http://nas:80' }, 'nas', true)).toBeNull();
    expect(foreignReason({ origin: 'http://nas' }, null, true)).not.toBeNull();
  });
});

describe('deviceName()', () => {
  for (const [agent, name] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0',
      'Edge on Windows',
    ],
    ['Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36', 'Chrome on Android'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1',
      'Safari on iPhone',
    ],
    ['curl/8.9.1', 'curl'],
    ['<script>alert(1)</script>', 'scriptalert'],
    ['', 'unknown device'],
    [undefined, 'unknown device'],
    ['()', 'unknown device'],
  ] as const) {
    test(`deviceName() says ${name}`, () => expect(deviceName(agent)).toBe(name));
  }
});
