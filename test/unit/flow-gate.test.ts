import { expect, test } from 'bun:test';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FlowGate } from '../../src/sources/flow-gate.ts';
import { turnLoop } from '../support/fake-clock.ts';

async function pair(): Promise<{ theirs: Socket; ours: Socket; gate: FlowGate } & Disposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const taken = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const theirs = await taken;
  const gate = new FlowGate(ours);
  const end = () => {
    theirs.destroy();
    ours.destroy();
    server.close();
  };
  return { theirs, ours, gate, [Symbol.dispose]: end };
}

test('FlowGate lets nothing pass while it is closed, whoever asks, and all of it once it is open', async () => {
  using ends = await pair();
  const { theirs, gate } = ends;
  let text = '';
  let wake: () => void = () => undefined;
  gate.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    wake();
  });
  const said = (whole: string) =>
    new Promise<void>((resolve) => {
      wake = () => {
        if (text === whole) resolve();
      };
      wake();
    });
  theirs.write('one');
  await said('one');
  gate.closeGate();
  gate.read();
  await new Promise<void>((resolve) => theirs.write('two', () => resolve()));
  for (let turn = 0; turn < 50; turn++) await turnLoop();
  expect(text).toBe('one');
  gate.openGate();
  await said('onetwo');
  const heard = new Promise<string>((resolve) => theirs.once('data', (bytes) => resolve(bytes.toString())));
  gate.write('three');
  expect(await heard).toBe('three');
  const ended = new Promise<void>((resolve) => gate.once('end', () => resolve()));
  theirs.end();
  await ended;
});

test('FlowGate ends with its socket, and its socket with it', async () => {
  using one = await pair();
  const failed = new Promise<string>((resolve) => one.gate.once('error', (error) => resolve(error.message)));
  one.ours.destroy(new Error('broken off'));
  expect(await failed).toBe('broken off');
  using two = await pair();
  const closed = new Promise<void>((resolve) => two.theirs.once('close', () => resolve()));
  two.theirs.resume();
  two.gate.destroy();
  await closed;
});
