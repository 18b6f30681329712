import { describe, expect, test } from 'bun:test';
import { type OwnAddressFacts, ownAddresses } from '../../../src/settings/own-addresses.ts';

const facts: OwnAddressFacts = {
  visited: 'http://nas:8420',
  scheme: 'http',
  host: '0.0.0.0',
  port: 8420,
  basePath: '',
  hostName: 'NAS',
  interfaces: {
    lo: [{ address: '127.0.0.1', internal: true }],
    eth0: [
      { address: '192.168.1.5', internal: false },
      { address: '2001:db8::5', internal: false },
      { address: 'fe80::1', internal: false },
    ],
    eth1: [{ address: '203.0.113.9', internal: false }],
    docker0: [{ address: '172.17.0.1', internal: false }],
  },
};

const urls = (changed: Partial<OwnAddressFacts> = {}) => ownAddresses({ ...facts, ...changed }).map(({ url }) => url);

describe('ownAddresses()', () => {
  test('begins with what the visitor used, then the home network, without what only containers see', () => {
    expect(urls()).toEqual(['http://nas:8420', 'http://192.168.1.5:8420', 'http://203.0.113.9:8420']);
  });

  test('has IPv6 where that is listened on, never link-local', () => {
    expect(urls({ host: '::' })).toEqual([
      'http://nas:8420',
      'http://192.168.1.5:8420',
      'http://203.0.113.9:8420',
      'http://[2001:db8::5]:8420',
    ]);
  });

  test('a visitor on this machine is shown what others can use first', () => {
    for (const visited of ['http://localhost:8420', 'http://127.0.0.1:8420', 'http://[::1]:8420']) {
      const addresses = ownAddresses({ ...facts, visited });
      expect(addresses[0]).toEqual({ url: 'http://192.168.1.5:8420', kind: 'address', isForOthers: true });
      expect(addresses.at(-1)).toEqual({ url: visited, kind: 'visited', isForOthers: false });
    }
  });

  test('keeps scheme, base path and a port that is not the default', () => {
    expect(urls({ scheme: 'https', port: 443, basePath: '/a/b', visited: 'https://media.example.org/a/b' })[1]).toBe(
      'https://192.168.1.5/a/b',
    );
  });

  test('is one address where only one is listened on, and none for others on loopback', () => {
    expect(urls({ host: '192.168.1.5', visited: 'http://192.168.1.5:8420' })).toEqual(['http://192.168.1.5:8420']);
    const alone = ownAddresses({ ...facts, host: '127.0.0.1', visited: 'http://localhost:8420' });
    expect(alone.map(({ isForOthers }) => isForOthers)).toEqual([false]);
  });
});
