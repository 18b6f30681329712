// Event streams and live pages hold a slot exactly as long as somebody listens, and nobody can take them all.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { LIVE_STREAMS_MAX, LIVE_STREAMS_PER_CALLER } from '../../src/limits.ts';
import { signedIn } from '../support/owner.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let larder: RunningLarder;
beforeAll(async () => {
  larder = await startLarder();
});
afterAll(() => larder[Symbol.asyncDispose]());

async function listen(path: string, headers: Readonly<Record<string, string>>) {
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', path, headers);
  return { connection, status: (await connection.readHead()).status };
}

/** Opens until it is refused. @returns how many were open at once */
async function openAll(path: string, headers: Readonly<Record<string, string>>, opened: RawConnection[]) {
  for (let count = 0; count <= LIVE_STREAMS_MAX; count += 1) {
    const { connection, status } = await listen(path, headers);
    opened.push(connection);
    if (status !== 200) return count;
  }
  return Number.POSITIVE_INFINITY;
}

/** Larder hears of a closed connection in its own time. */
async function opensAgain(path: string): Promise<void> {
  for (;;) {
    const { connection, status } = await listen(path, larder.owner.headers);
    using _ = connection;
    if (status === 200) return;
  }
}

for (const path of ['/api/v1/events', '/live?at=%2F']) {
  describe(path, () => {
    test('HEAD says what comes and holds nothing', async () => {
      for (let round = 0; round < LIVE_STREAMS_MAX + 1; round += 1) {
        const head = await rawRequest(larder.port, path, larder.owner.headers, 'HEAD');
        expect([head.status, head.header('content-type')]).toEqual([200, 'text/event-stream']);
      }
      await opensAgain(path);
      const get = await listen(path, larder.owner.headers);
      using _ = get.connection;
      expect(get.status).toBe(200);
    });

    test('one session is refused past its share, and gets it back', async () => {
      const opened: RawConnection[] = [];
      const headers = (await signedIn(larder.dataFolder, 'owner')).headers;
      expect(await openAll(path, headers, opened)).toBe(LIVE_STREAMS_PER_CALLER);
      const other = await listen(path, larder.owner.headers);
      opened.push(other.connection);
      expect(other.status).toBe(200);
      for (const connection of opened) connection[Symbol.dispose]();
      for (;;) {
        const { connection, status } = await listen(path, headers);
        connection[Symbol.dispose]();
        if (status === 200) break;
      }
    });

    test('who goes before the head came leaves nothing behind', async () => {
      for (let round = 0; round < LIVE_STREAMS_MAX * 2; round += 1) {
        using connection = await RawConnection.open(larder.port);
        connection.send('GET', path, larder.owner.headers);
      }
      await opensAgain(path);
    });
  });
}

test('viewers with many sessions leave slots to owners', async () => {
  const opened: RawConnection[] = [];
  let count = 0;
  for (;;) {
    const { headers } = await signedIn(larder.dataFolder, 'viewer');
    const more = await openAll('/live?at=%2Flibrary', headers, opened);
    count += more;
    if (more === 0) break;
  }
  expect(count).toBeLessThan(LIVE_STREAMS_MAX);
  const owner = await listen('/live?at=%2F', larder.owner.headers);
  opened.push(owner.connection);
  expect(owner.status).toBe(200);
  for (const connection of opened) connection[Symbol.dispose]();
});
