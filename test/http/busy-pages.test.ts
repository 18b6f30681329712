// Pages take turns (src/web/request-queue.ts); players and health checks do not wait for them.
import { expect, test } from 'bun:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import { REQUEST_SLOT_MS, REQUESTS_AT_ONCE } from '../../src/limits.ts';
import { RawConnection } from './raw-client.ts';
import { startLarder } from './running-larder.ts';

/** The system's, but places in the queue are given up when the test says so. */
class HeldClock implements Clock {
  readonly held: (() => void)[] = [];
  nowMs = () => systemClock.nowMs();
  monotonicMs = () => systemClock.monotonicMs();
  every = (periodMs: number, action: () => void) => systemClock.every(periodMs, action);

  after(delayMs: number, action: () => void) {
    if (delayMs !== REQUEST_SLOT_MS) return systemClock.after(delayMs, action);
    this.held.push(action);
    return { cancel: () => undefined };
  }
}

test('a stream is answered while every place for pages is taken, and a page when one is free', async () => {
  const clock = new HeldClock();
  await using larder = await startLarder({ clock });
  const slow: RawConnection[] = [];
  for (let opened = 0; opened < REQUESTS_AT_ONCE; opened++) {
    const connection = await RawConnection.open(larder.port);
    slow.push(connection);
    const head = `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${larder.port}\r\nOrigin: http://127.0.0.1:${larder.port}\r\n`;
    connection.socket.write(
      `${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname=`,
    );
  }
  while (clock.held.length < REQUESTS_AT_ONCE) await new Promise((resolve) => setImmediate(resolve));

  let isAnswered = false;
  const page = fetch(`http://127.0.0.1:${larder.port}/login`).finally(() => {
    isAnswered = true;
  });
  const stream = await fetch(`http://127.0.0.1:${larder.port}/s/nowhere/film.mkv`);
  expect(stream.status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${larder.port}/healthz`)).status).toBe(200);
  expect(isAnswered).toBe(false);

  clock.held[0]?.();
  expect((await page).status).toBe(200);
  for (const connection of slow) connection[Symbol.dispose]();
});
