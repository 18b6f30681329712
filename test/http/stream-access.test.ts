// Who may play over real sockets: locked streams, tokens, signed addresses, and rights that end while one plays.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { loadSecretKey } from '../../src/access/secret-key.ts';
import { SignedAddresses } from '../../src/access/signed-addresses.ts';
import { systemClock } from '../../src/clock.ts';
import { commandLine } from '../support/command-line.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { signedIn } from '../support/owner.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const NAME = 'Some Film (2020).mkv';
const PATH = `/s/films/${encodeURIComponent(NAME)}`;

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({ files: { [NAME]: { sizeBytes: 1_000_000 }, 'long.mkv': { sizeBytes: 6_000_000 } } });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`, '--stream-access', 'locked'] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

async function makeToken(scope: string): Promise<string> {
  const { code, printed } = await commandLine(['token', 'create', '--scope', scope, '--data', larder.dataFolder]);
  expect(code).toBe(0);
  return printed[0]!;
}

test('a locked stream asks for a password, says what would open it, and gives no byte', async () => {
  const before = origin.requests.length;
  for (const method of ['GET', 'HEAD']) {
    const response = await rawRequest(larder.port, PATH, {}, method);
    expect(response.status).toBe(401);
    expect(response.header('www-authenticate')).toStartWith('Basic realm="Larder');
  }
  expect(Buffer.from((await rawRequest(larder.port, PATH)).body).toString()).toMatch(/streams are locked\n.*token/);
  expect(origin.requests.length).toBe(before);
});

test('a token opens it as a bearer, as the password of basic authentication, and in the address', async () => {
  const stream = await makeToken('stream');
  const basic = Buffer.from(`x:${stream}`).toString('base64');
  for (const [path, headers] of [
    [PATH, { Authorization: `Bearer ${stream}` }],
    [PATH, { Authorization: `Basic ${basic}` }],
    [`${PATH}?token=${stream}`, {}],
  ] as [string, Record<string, string>][]) {
    const response = await rawRequest(larder.port, path, { ...headers, Range: 'bytes=10-999' });
    expect(response.status).toBe(206);
    origin.assertBody(NAME, response.body, 10);
  }
  const admin = await makeToken('admin');
  expect((await rawRequest(larder.port, `${PATH}?token=${admin}`)).status).toBe(401);
  // Neither the log nor the origin has seen any of them.
  expect(larder.log.join('\n')).not.toContain(stream);
  expect(JSON.stringify(origin.requests)).not.toContain(stream);
  expect(JSON.stringify(origin.requests)).not.toContain('uthorization":"B');
});

test('a signed address opens one file, whatever spelling the player gives it', async () => {
  const key = await loadSecretKey(larder.dataFolder);
  const signatures = new SignedAddresses({
    key: key.derive('signed stream addresses'),
    find: () => Promise.resolve(null),
    version: { current: 0, look: () => Promise.resolve() },
    clock: systemClock,
  });
  const { id, createdAt } = larder.owner.user;
  const by = { kind: 'user', id, sinceMs: createdAt } as const;
  const address = signatures.sign(PATH, by);
  const response = await rawRequest(larder.port, address);
  expect(response.status).toBe(200);
  origin.assertBody(NAME, response.body);
  expect((await rawRequest(larder.port, address.replace('(2020)', '%282020%29'))).status).toBe(200);
  expect((await rawRequest(larder.port, address.replace(PATH, '/s/films/long.mkv'))).status).toBe(403);
  expect((await rawRequest(larder.port, signatures.sign(PATH, by, -1_000))).status).toBe(403);
});

test('an item and the playlist give signed addresses to who asks, and these end with them', async () => {
  await rawRequest(larder.port, PATH, larder.owner.headers); // now it is here whole
  const viewer = await signedIn(larder.dataFolder, 'viewer', 'Guest');
  const list = async (path: string, headers: Record<string, string> = {}) => {
    const response = await rawRequest(larder.port, path, headers);
    return response.status === 200 ? Buffer.from(response.body).toString() : `${response.status}`;
  };
  const address = (text: string) =>
    text.match(/http:\S+(\/s\/films\/\S+signature=\S+)/)?.[0].replace(/^http:\/\/[^/]*/, '');
  const page = await list('/connect', viewer.headers);
  expect(page).toContain('signed for a day');
  const playlist = /\/library\.m3u\?[^"&]+(?:&amp;[^"&]+)+/.exec(page)![0].replaceAll('&amp;', '&');
  const film = address(await list(`${playlist}&availability=any`))!;
  expect(film).toContain(`by=user-${viewer.user.id}`);
  const expires = Number(new URLSearchParams(film.split('?')[1]).get('expires')) * 1_000;
  expect(expires).toBeLessThanOrEqual(Date.now() + 86_400_000);
  expect((await rawRequest(larder.port, film, { Range: 'bytes=0-9' })).status).toBe(206);
  const gone = await fetch(`http://127.0.0.1:${larder.port}/api/v1/users/${viewer.user.id}`, {
    method: 'DELETE',
    headers: { ...larder.owner.headers },
  });
  expect(gone.status).toBe(204);
  expect((await rawRequest(larder.port, film)).status).toBe(403);
  expect(await list(playlist)).toBe('401');
});

test('a stream ends when the token that opened it is revoked from the command line', async () => {
  const token = await makeToken('stream');
  origin.behave('long.mkv', { stallAfterBytes: 100_000 });
  using reader = await RawConnection.open(larder.port);
  reader.send('GET', `/s/films/long.mkv?token=${token}`);
  expect((await reader.readHead()).status).toBe(200);
  const { code } = await commandLine(['token', 'revoke', token, '--data', larder.dataFolder]);
  expect(code).toBe(0);
  await reader.closed();
  expect((await rawRequest(larder.port, `/s/films/long.mkv?token=${token}`)).status).toBe(401);
});

test('streams that are open to private networks are not open to who comes through a proxy that is not trusted', async () => {
  await larder.restart(['--source', `films=${origin.url}`]);
  expect((await rawRequest(larder.port, PATH, { Range: 'bytes=0-9' })).status).toBe(206);
  const forwarded = { 'X-Forwarded-For': '192.168.1.5', Range: 'bytes=0-9' };
  const refused = await rawRequest(larder.port, PATH, forwarded);
  expect(refused.status).toBe(401);
  expect(Buffer.from(refused.body).toString()).toContain('LARDER_TRUSTED_PROXIES');
  await larder.restart(['--source', `films=${origin.url}`, '--trusted-proxy', '127.0.0.0/8']);
  expect((await rawRequest(larder.port, PATH, forwarded)).status).toBe(206);
  expect((await rawRequest(larder.port, PATH, { ...forwarded, 'X-Forwarded-For': '203.0.113.9' })).status).toBe(401);
});
