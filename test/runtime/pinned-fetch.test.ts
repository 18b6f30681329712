// Pinned connections on every runtime, in a thread, over TCP and TLS: they go where they are told and by the name, hold
// back what nobody reads, end when they are called off, and are used again. Deno's TLS needs a gate for that
// (src/sources/flow-gate.ts).
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeAuthority } from '../support/certificates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { PinnedFetchFindings, PinnedFetchPlan } from './pinned-fetch-thread.ts';
import { denoFile, root, run } from './program.ts';

const MIB = 1024 * 1024;
const SECOND_MS = 1_000;
/** What the system's sockets on both sides take besides (4 MB over loopback), with room. */
const AHEAD_MAX_BYTES = 24 * MIB;
const program = join(root, 'test/runtime/pinned-fetch-program.ts');
const thread = join(root, 'test/runtime/pinned-fetch-thread.ts');

const servers: Server[] = [];
let plan: PinnedFetchPlan;
let sentBytes = 0;
let secureConnections = 0;
let endless: ServerResponse | null = null;

const listener: RequestListener = (request, response) => {
  const say = (text: string) => void response.end(text);
  switch (request.url) {
    case '/host':
      return say(request.headers.host ?? '');
    case '/sent':
      return say(String(sentBytes));
    case '/count-from-here':
      secureConnections = 0;
      return say('');
    case '/count':
      return say(String(secureConnections));
    case '/closed':
      if (endless === null || endless.destroyed) return say('');
      endless.once('close', () => say(''));
      return;
    case '/broken':
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('beginning', () => request.socket.destroy());
      return;
    default: {
      endless = response;
      sentBytes = 0;
      const piece = Buffer.alloc(64 * 1024, 7);
      const send = () => {
        if (response.destroyed || sentBytes > 2_000 * MIB) return;
        sentBytes += piece.length;
        // Through the event loop, so that others are answered in between.
        if (response.write(piece)) setImmediate(send);
        else response.once('drain', send);
      };
      send();
    }
  }
};

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const authority = await makeAuthority();
  const secure = async (name: string) => {
    const { certificate: cert, key } = await authority.issue(name);
    const tls = { cert, key, ca: authority.ca, requestCert: true, rejectUnauthorized: true };
    return createSecureServer(tls, listener) as unknown as Server;
  };
  const films = await secure('films.test');
  films.on('connection', () => {
    secureConnections += 1;
  });
  plan = {
    httpPort: await listen(createServer(listener)),
    httpsPort: await listen(films),
    otherPort: await listen(await secure('other.test')),
    clientCertificate: { ...(await authority.issue('larder')), ca: authority.ca },
  };
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function check(command: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await run({ command: [...command, JSON.stringify(plan)], environment });
  expect([code, stderr]).toEqual([0, '']);
  const { rounds, ...findings } = JSON.parse(stdout) as PinnedFetchFindings;
  const host = `films.test:${plan.httpsPort}`;
  expect(findings).toEqual({
    byName: `films.test:${plan.httpPort}`,
    byNameOverTls: host,
    withoutAuthority: 'failed: SELF_SIGNED_CERT_IN_CHAIN',
    ofAnotherName: 'failed: ERR_TLS_CERT_ALTNAME_INVALID',
    refused: 'failed: ECONNREFUSED',
    nextAddress: host,
    broken: 'failed: ECONNRESET',
    connectionsForTen: 1,
  });
  expect(rounds).toHaveLength(2);
  for (const { aheadBytes, bodyBytes, afterAbort } of rounds) {
    expect(aheadBytes).toBeGreaterThan(0);
    expect(aheadBytes).toBeLessThan(AHEAD_MAX_BYTES);
    expect([bodyBytes > 32 * MIB, afterAbort]).toEqual([true, 'AbortError']);
  }
}

test('from source on Bun', () => check([process.execPath, program]), 30 * SECOND_MS);

test(
  'from source on Deno',
  async () => {
    await using folder = await temporaryFolder();
    const environment = { HOME: folder.path, DENO_DIR: folder.file('deno'), DENO_NO_UPDATE_CHECK: '1' };
    const options = ['--allow-all', '--cached-only', '--node-modules-dir=manual'];
    await check([denoFile(), 'run', ...options, program], environment);
  },
  60 * SECOND_MS,
);

test(
  'compiled',
  async () => {
    await using folder = await temporaryFolder();
    const outfile = folder.file('pinned-fetch');
    const build = [process.execPath, 'build', '--compile', program, thread, '--outfile', outfile];
    const built = await run({ command: build });
    expect(built.code).toBe(0);
    await check([outfile]);
  },
  60 * SECOND_MS,
);
