// Signing in to a Plex server by a code: the token of the account, which opens everything of it, is for plex.tv alone.
import { expect, test } from 'bun:test';
import { createSignInStarters } from '../../../src/appliance/sign-in-starters.ts';
import { failureOf, plexServices } from '../../support/plex-server/plex-services.ts';
import { startPlexTv } from '../../support/plex-server/plex-tv.ts';
import { startPlexServer } from '../../support/plex-server.ts';

const never = new AbortController().signal;

async function setUp(machineIdentifier: string) {
  const plexTv = await startPlexTv('account-token');
  const server = await startPlexServer({ machineIdentifier });
  const about = { name: 'Attic', provides: 'server', accessToken: 'server-token', owned: false, connections: [] };
  plexTv.resources = [
    { ...about, clientIdentifier: 'another', accessToken: 'token-of-another' },
    { ...about, clientIdentifier: 'machine-1' },
  ];
  const target = { url: server.url, credentials: null, local: true, options: { clientId: 'client-1' } };
  const started = await createSignInStarters(plexServices(), plexTv.url).get('plex')?.start(target, never);
  return {
    server,
    started: started!,
    confirm: () => plexTv.confirm('501', 'account-token'),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await plexTv.close();
    },
  };
}

test('a sign-in ends with the token of the one server that it was for', async () => {
  await using setup = await setUp('machine-1');
  const { started, confirm, server } = setup;
  expect(await started.poll(never)).toBeNull();
  confirm();
  expect(await started.poll(never)).toEqual({ token: 'server-token' });
  expect(JSON.stringify(server.requests)).not.toContain('account-token');
});

test('a server that is none of the account is told nothing', async () => {
  await using setup = await setUp('somebody-elses');
  const { started, confirm, server } = setup;
  confirm();
  const error = await failureOf(started.poll(never));
  expect(error).toMatchObject({
    code: 'origin-refused',
    message: expect.stringContaining('none that this Plex account'),
  });
  expect(JSON.stringify(server.requests)).not.toMatch(/account-token|server-token/);
});
