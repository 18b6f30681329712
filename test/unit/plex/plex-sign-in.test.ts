// Signing in at plex.tv with a code, and the servers of an account.
import { describe, expect, test } from 'bun:test';
import { listServers, pollPin, startPin } from '../../../src/sources/plex/plex-sign-in.ts';
import { failureOf, plexServices } from '../../support/plex-server/plex-services.ts';
import { startPlexTv } from '../../support/plex-server/plex-tv.ts';

const never = new AbortController().signal;

const connections = [
  { uri: 'https://relay.plex.direct:8443', address: '139.1.1.1', port: 8443, local: false, relay: true },
  { uri: 'https://1-2-3-4.abc.plex.direct:32400', address: '1.2.3.4', port: 32400, local: false, relay: false },
  { uri: 'https://192-168-1-2.abc.plex.direct:32400', address: '192.168.1.2', port: '32400', local: '1', relay: 0 },
  { uri: 'no address', address: 'fd00::2', port: 32400, local: true, relay: false },
  null,
];

const server = {
  name: 'Attic',
  product: 'Plex Media Server',
  provides: 'server',
  clientIdentifier: 'machine-1',
  accessToken: 'server-token',
  owned: true,
  httpsRequired: false,
  connections,
};

describe('startPin() and pollPin()', () => {
  test('give a page to confirm the code on, and then the token', async () => {
    await using plexTv = await startPlexTv('account-token');
    const services = plexServices();
    const pin = await startPin(services, 'client-1', never, plexTv.url);
    const link = new URL(pin.link);
    expect(link.origin + link.pathname).toBe('https://app.plex.tv/auth');
    expect(Object.fromEntries(new URLSearchParams(link.hash.replace('#?', '')))).toEqual({
      clientID: 'client-1',
      code: pin.code,
      'context[device][product]': 'Larder',
    });
    expect(await pollPin(services, 'client-1', pin, never, plexTv.url)).toBeNull();
    plexTv.confirm(pin.id, 'account-token');
    expect(await pollPin(services, 'client-1', pin, never, plexTv.url)).toBe('account-token');
    expect(plexTv.requests[0]).toMatchObject({ method: 'POST', path: '/api/v2/pins?strong=true' });
    expect(plexTv.requests[0]?.headers).toMatchObject({
      'x-plex-client-identifier': 'client-1',
      'x-plex-product': 'Larder',
      'x-plex-device-name': 'Larder',
      accept: 'application/json',
    });
  });

  test('say so when the code was not confirmed in time', async () => {
    await using plexTv = await startPlexTv('account-token');
    const services = plexServices();
    const pin = await startPin(services, 'client-1', never, plexTv.url);
    plexTv.expire(pin.id);
    expect(await failureOf(pollPin(services, 'client-1', pin, never, plexTv.url))).toMatchObject({
      code: 'missing',
      hint: expect.stringContaining('start signing in'),
    });
  });

  test('take nothing else for an answer', async () => {
    await using plexTv = await startPlexTv('account-token');
    const services = plexServices();
    for (const answer of ['[]', '{"id": null, "code": "x"}', '{"id": "../x", "code": "x"}', 'null']) {
      plexTv.brokenAnswer = answer;
      expect(await failureOf(startPin(services, 'client-1', never, plexTv.url))).toMatchObject({ code: 'origin-lied' });
    }
    expect(await failureOf(pollPin(services, 'client-1', { id: '1' }, never, plexTv.url))).toMatchObject({
      code: 'origin-lied',
    });
    expect(await failureOf(listServers(services, 'account-token', 'client-1', never, plexTv.url))).toMatchObject({
      code: 'origin-lied',
    });
  });
});

describe('listServers()', () => {
  test('gives connections in the order in which they are to be tried', async () => {
    await using plexTv = await startPlexTv('account-token');
    plexTv.resources = [server];
    const [found] = await listServers(plexServices(), 'account-token', 'client-1', never, plexTv.url);
    expect(found).toMatchObject({
      name: 'Attic',
      machineIdentifier: 'machine-1',
      token: 'server-token',
      isOwned: true,
    });
    expect(found?.connections.map(({ url }) => url)).toEqual([
      'https://192-168-1-2.abc.plex.direct:32400/',
      'http://192.168.1.2:32400/',
      'http://[fd00::2]:32400/',
      'https://1-2-3-4.abc.plex.direct:32400/',
      'http://1.2.3.4:32400/',
      'https://relay.plex.direct:8443/',
    ]);
    expect(found?.connections.at(-1)).toMatchObject({ isRelay: true });
    expect(plexTv.requests[0]?.path).not.toContain('account-token');
  });

  test('leaves out players, what is not whole, and the network of somebody else', async () => {
    await using plexTv = await startPlexTv('account-token');
    plexTv.resources = [
      { ...server, provides: 'client,player' },
      { ...server, accessToken: null },
      null,
      { ...server, name: 'Theirs', owned: false, httpsRequired: true },
      { ...server, name: 'Next door', owned: false, publicAddressMatches: true, provides: 'server,sync-target' },
    ];
    const servers = await listServers(plexServices(), 'account-token', 'client-1', never, plexTv.url);
    expect(servers.map(({ name }) => name)).toEqual(['Theirs', 'Next door']);
    expect(servers[0]?.connections.map(({ url }) => url)).toEqual([
      'https://1-2-3-4.abc.plex.direct:32400/',
      'https://relay.plex.direct:8443/',
    ]);
    expect(servers[1]?.connections[0]?.isLocal).toBe(true);
  });

  test('says that a token is not taken', async () => {
    await using plexTv = await startPlexTv('account-token');
    const listing = listServers(plexServices(), 'wrong-token', 'client-1', never, plexTv.url);
    const error = await failureOf(listing);
    expect(error).toMatchObject({ code: 'origin-refused', originStatus: 401 });
    expect(String(error)).not.toContain('wrong-token');
  });
});
