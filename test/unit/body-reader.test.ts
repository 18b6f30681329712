import { expect, test } from 'bun:test';
import type { IncomingMessage } from 'node:http';
import { BODIES_PER_ADDRESS_MAX, BODY_TIMEOUT_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { type BodyContext, BodyReader } from '../../src/web/body-reader.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A request whose body comes as `control` says. */
function requestWith(headers: Record<string, string> = { 'transfer-encoding': 'chunked' }) {
  let control!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      control = given;
    },
  });
  const raw = new Request('http://localhost/x', { method: 'POST', headers, body });
  const context: BodyContext = { env: { incoming: { method: 'POST', headers } as IncomingMessage }, req: { raw } };
  return { context, control };
}

function bodyReader() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(line), nowMs: () => clock.nowMs() });
  return { bodies: new BodyReader({ clock, log, addressOf: () => '192.0.2.1' }), clock, lines };
}

test('a body that came is there for handlers, with the method it was sent by', async () => {
  const { bodies } = bodyReader();
  const { context, control } = requestWith();
  const taken = bodies.take(context);
  control.enqueue(new TextEncoder().encode('{"a":'));
  control.enqueue(new TextEncoder().encode('1}'));
  control.close();
  expect(await taken).toBeNull();
  expect([context.req.raw.method, await context.req.raw.text()]).toEqual(['POST', '{"a":1}']);
});

test('a body that does not come in time is given up', async () => {
  const { bodies, clock } = bodyReader();
  const { context, control } = requestWith();
  const taken = bodies.take(context);
  control.enqueue(new TextEncoder().encode('{'));
  await clock.run(BODY_TIMEOUT_MS + 1);
  expect(await taken).toMatchObject({ status: 408 });
});

test('only so many bodies of one address are waited for', async () => {
  const { bodies, clock } = bodyReader();
  const taken = Array.from({ length: BODIES_PER_ADDRESS_MAX }, () => bodies.take(requestWith().context));
  expect(await bodies.take(requestWith().context)).toMatchObject({ status: 429 });
  await clock.run(BODY_TIMEOUT_MS + 1);
  await Promise.all(taken);
  const { context, control } = requestWith();
  control.close();
  expect(await bodies.take(context)).toBeNull();
});

test('a body that broke off is a line for debugging and no more', async () => {
  const { bodies, lines } = bodyReader();
  const { context, control } = requestWith();
  control.error(new Error('read ECONNRESET'));
  expect(await bodies.take(context)).toMatchObject({ status: 400 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('debug');
  expect(lines[0]).not.toContain('body-reader.ts');
});
