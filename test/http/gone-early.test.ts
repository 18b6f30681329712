// Whoever goes while their right to a stream is looked at leaves nothing behind that waits for them to go.
import { expect, test } from 'bun:test';
import type { AccessControl } from '../../src/access/access-control.ts';
import { createLog } from '../../src/log.ts';
import { HttpServer, type HttpServerOptions } from '../../src/web/http-server.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { RawConnection } from './raw-client.ts';

test('a right is not watched for a stream whose reader has gone already', async () => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<void>();
  const decided = Promise.withResolvers<void>();
  const done: string[] = [];
  const access = {
    mayPlay: async () => {
      asked.resolve();
      await decided.promise;
      return { may: true, by: { kind: 'token', tokenId: 1, name: '', scope: 'stream', userId: null } } as const;
    },
    watch: () => {
      done.push('watched');
      return () => undefined;
    },
    clientOf: () => ({ address: '127.0.0.1' }),
  } as unknown as AccessControl;
  const streams = { handle: () => Promise.resolve(void done.push('streamed')) };
  const server = new HttpServer({
    access,
    streams,
    app: { hono: { fetch: () => new Response() } },
    folders: {},
    basePath: '',
    clock,
    log: createLog({ level: 'debug', write: () => undefined, nowMs: () => 0 }),
  } as unknown as HttpServerOptions);
  const { port } = await server.listen('127.0.0.1', 0, null);
  using player = await RawConnection.open(port);
  player.send('GET', '/s/films/a.mkv');
  await asked.promise;
  server.stopAccepting();
  await server.stop();
  await player.closed();
  decided.resolve();
  await turnLoop();
  await turnLoop();
  expect(done).toEqual([]);
});
