import { describe, expect, test } from 'bun:test';
import { networkInterfaces } from 'node:os';
import { LarderError } from '../../src/errors.ts';
import { addressRange, checkHop, isLoopbackAddress, isPrivateAddress } from '../../src/sources/address-guard.ts';

const names: Record<string, string[]> = {
  'films.example': ['93.184.216.34'],
  'cdn.example': ['151.101.1.69'],
  'nas.lan': ['192.168.1.20'],
  'rebound.example': ['93.184.216.35', '192.168.1.1'],
  'metadata.example': ['169.254.169.254'],
  'six.example': ['2606:2800:220:1::1'],
};

async function check(url: string, baseUrl: string, local: boolean | null = null): Promise<string> {
  const find = (host: string) => {
    const addresses = names[host];
    return addresses === undefined ? Promise.reject(new Error(`ENOTFOUND ${host}`)) : Promise.resolve(addresses);
  };
  try {
    await checkHop(new URL(url), { baseUrl, ownPort: 8420, local }, find);
    return 'allowed';
  } catch (error) {
    if (error instanceof LarderError) return error.code;
    throw error;
  }
}

const PUBLIC = 'https://films.example/films/';
const LOCAL = 'http://nas.lan/films/';

describe('checkHop()', () => {
  const table: [string, string, string][] = [
    [PUBLIC, PUBLIC, 'allowed'],
    [PUBLIC, 'https://cdn.example/x', 'allowed'],
    [PUBLIC, 'http://nas.lan/x', 'forbidden-address'],
    [PUBLIC, 'http://192.168.1.1/', 'forbidden-address'],
    [PUBLIC, 'http://10.0.0.1/', 'forbidden-address'],
    [PUBLIC, 'http://100.64.0.1/', 'forbidden-address'],
    [PUBLIC, 'http://127.0.0.1/', 'forbidden-address'],
    [PUBLIC, 'http://127.1/', 'forbidden-address'],
    [PUBLIC, 'http://0x7f000001/', 'forbidden-address'],
    [PUBLIC, 'http://2130706433/', 'forbidden-address'],
    [PUBLIC, 'http://[::1]/', 'forbidden-address'],
    [PUBLIC, 'http://[::ffff:127.0.0.1]/', 'forbidden-address'],
    [PUBLIC, 'http://[::ffff:c0a8:101]/', 'forbidden-address'],
    [PUBLIC, 'http://[fd00::1]/', 'forbidden-address'],
    [PUBLIC, 'http://rebound.example/', 'forbidden-address'], // one of its addresses is local
    [PUBLIC, 'http://metadata.example/', 'forbidden-address'],
    [PUBLIC, 'http://0.0.0.0/', 'forbidden-address'],
    [PUBLIC, 'http://224.0.0.1/', 'forbidden-address'],
    [PUBLIC, 'http://255.255.255.255/', 'forbidden-address'],
    [PUBLIC, 'ftp://cdn.example/', 'forbidden-address'],
    [PUBLIC, 'file:///etc/passwd', 'forbidden-address'],
    [LOCAL, LOCAL, 'allowed'],
    [LOCAL, 'http://192.168.1.21/', 'allowed'],
    [LOCAL, 'http://127.0.0.1/', 'allowed'],
    [LOCAL, 'https://cdn.example/', 'allowed'],
    [LOCAL, 'http://169.254.169.254/latest/meta-data/', 'forbidden-address'],
    [LOCAL, 'http://[fe80::1]/', 'forbidden-address'],
    [LOCAL, 'http://metadata.example/', 'forbidden-address'],
    [LOCAL, 'http://0.0.0.0/', 'forbidden-address'],
    [LOCAL, 'http://127.0.0.1:8420/s/films/a', 'forbidden-address'], // Larder itself
    [LOCAL, 'http://[::1]:8420/', 'forbidden-address'],
    // The owner's own address is no exception from what is never right.
    ['http://169.254.169.254/', 'http://169.254.169.254/', 'forbidden-address'],
    ['http://127.0.0.1:8420/', 'http://127.0.0.1:8420/', 'forbidden-address'],
    // Same host on another port is another place.
    [PUBLIC, 'https://films.example:8443/', 'allowed'],
    ['http://93.184.216.34/', 'http://127.0.0.1/', 'forbidden-address'],
  ];
  for (const [base, url, result] of table) {
    test(`checkHop() says ${result} when a source at ${new URL(base).host} leads to ${url}`, async () => {
      expect(await check(url, base)).toBe(result);
    });
  }

  test('checkHop() refuses local addresses, also the owner’s own one, when the source may not reach them', async () => {
    expect(await check(LOCAL, LOCAL, false)).toBe('forbidden-address');
    expect(await check('http://127.0.0.1/', 'http://127.0.0.1/', false)).toBe('forbidden-address');
    expect(await check('http://192.168.1.1/', PUBLIC, false)).toBe('forbidden-address');
    expect(await check(PUBLIC, PUBLIC, false)).toBe('allowed');
  });

  test('checkHop() lets a public source reach local addresses when the owner allowed it, and nothing that is never right', async () => {
    expect(await check('http://192.168.1.1/', PUBLIC, true)).toBe('allowed');
    expect(await check(LOCAL, LOCAL, true)).toBe('allowed');
    for (const url of ['http://169.254.169.254/', 'http://[fe80::1]/', 'http://127.0.0.1:8420/', 'http://0.0.0.0/']) {
      expect([url, await check(url, PUBLIC, true)]).toEqual([url, 'forbidden-address']);
    }
  });

  test('checkHop() knows Larder by every address of this machine', async () => {
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const other = own.find(({ address }) => ['private', 'unicast', 'uniqueLocal'].includes(addressRange(address)));
    if (other === undefined) return; // a machine without a network
    const host = other.family === 'IPv6' ? `[${other.address}]` : other.address;
    expect(await check(`http://${host}:8420/`, LOCAL, true)).toBe('forbidden-address');
    expect(await check(`http://${host}:8421/`, LOCAL, true)).toBe('allowed');
  });

  test('checkHop() sees the IPv4 address inside an IPv6 one when it is translated (NAT64, 6to4)', async () => {
    expect(await check('http://[64:ff9b::a9fe:a9fe]/', PUBLIC)).toBe('forbidden-address');
    expect(await check('http://[2002:c0a8:101::1]/', PUBLIC)).toBe('forbidden-address');
  });
});

describe('isPrivateAddress()', () => {
  test('isPrivateAddress() is true for networks of one’s own only', () => {
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.0.1',
      '169.254.1.1',
      '::1',
      'fd00::1',
      'fe80::1',
      '::ffff:192.168.0.1',
    ]) {
      expect([address, isPrivateAddress(address)]).toEqual([address, true]);
    }
    for (const address of [
      '8.8.8.8',
      '100.64.0.1',
      '64:ff9b::c0a8:1',
      '2002:c0a8:1::1',
      '172.32.0.1',
      '192.169.0.1',
      '2001:4860:4860::8888',
      '::ffff:8.8.8.8',
      'localhost',
      '',
      'nonsense',
    ]) {
      expect([address, isPrivateAddress(address)]).toEqual([address, false]);
    }
    expect([
      isLoopbackAddress('127.9.9.9'),
      isLoopbackAddress('::1'),
      isLoopbackAddress('192.168.0.1'),
      isLoopbackAddress('x'),
    ]).toEqual([true, true, false, false]);
  });
});
