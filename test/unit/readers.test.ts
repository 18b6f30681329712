// Who reads, what for, and what they wait for: on the real engine in virtual time.
import { describe, expect, test } from 'bun:test';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Reader } from '../../src/chunks/reader.ts';
import { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { EndedReaders } from '../../src/proxy/ended-readers.ts';
import { type OpenResponse, Readers } from '../../src/proxy/readers.ts';
import { drainReader, type Engine, startEngine } from '../support/engine.ts';

const MIB = 2 ** 20;
const silent = createLog({ level: 'error', write: () => undefined, nowMs: () => 0 });

class ResponseDouble extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function readersOf(engine: Engine) {
  const { clock } = engine;
  const table = { add: async () => undefined, list: async () => [], findNewestId: async () => 0 };
  return new Readers({ ended: new EndedReaders({ table, clock, log: silent }), clock });
}

async function openAt(engine: Engine, readers: Readers, path: string): Promise<[OpenResponse, Reader]> {
  const requestedAtMs = engine.clock.monotonicMs();
  const file = await engine.finish(engine.open(path));
  const reader = file.openReader({ start: 0, end: file.totalBytes! }, false, {
    address: '192.168.1.7',
    player: 'VLC/3.0.20 LibVLC/3.0.20',
  });
  const response = new ResponseDouble();
  response.once('close', () => reader.close());
  return [
    readers.opened({ file, source: 'films', reader, requestedAtMs, response: response as unknown as ServerResponse }),
    reader,
  ];
}

function addFile(engine: Engine, path: string, sizeBytes: number, details: object = {}): void {
  engine.origin.files.set(path, { sizeBytes, seed: path.length, etag: '"v1"', ...details });
}

describe('Readers', () => {
  test('a reader is listed with what it is given, from where, and how fast', async () => {
    await using engine = await startEngine();
    const readers = readersOf(engine);
    addFile(engine, 'Night Train (2023).mkv', 4 * MIB);
    const [response, reader] = await openAt(engine, readers, 'Night Train (2023).mkv');
    await engine.finish(drainReader(reader, MIB));
    response.answered();
    await engine.clock.run(2_100);
    const [open] = readers.list();
    expect(open).toMatchObject({
      source: 'films',
      title: 'Night Train (2023)',
      player: 'VLC 3.0.20',
      address: '192.168.1.7',
      positionBytes: MIB,
      sizeBytes: 4 * MIB,
      servedBytes: MIB,
      fromDiskBytes: 0,
      waiting: null,
      stallCount: 0,
    });
    expect(open!.toPlayerRate).toBeGreaterThan(0);
    expect(open!.runwayBytes).toBeGreaterThan(0);
    expect(open!.seconds.length).toBeGreaterThanOrEqual(2);
    expect(readers.count).toBe(1);
    reader.close();
    response.end();
    expect(readers.count).toBe(0);
    const [ended] = await readers.listEnded(10, null);
    expect(ended).toMatchObject({
      outcome: 'finished',
      servedBytes: MIB,
      title: 'Night Train (2023)',
      requestCount: 1,
    });
    expect(ended!.firstByteMs).not.toBeNull();
  });

  test('who waits says what for, which try it is, since when and why; the wait counts as its worst stall', async () => {
    await using engine = await startEngine();
    const readers = readersOf(engine);
    addFile(engine, 'a.mkv', 2 * MIB);
    engine.origin.fault = (_path, count) =>
      count === 1 ? { cutAfterBytes: 512 * 1024 } : count < 4 ? { refused: true } : {};
    const [response, reader] = await openAt(engine, readers, 'a.mkv');
    const drained = drainReader(reader);
    await engine.until(() => readers.list()[0]!.waiting?.attempt === 3);
    expect(readers.list()[0]!.waiting).toMatchObject({ kind: 'retry', source: 'films', attempt: 3 });
    expect(readers.list()[0]!.waiting!.reason).toBeString();
    expect(readers.list()[0]!.waiting!.sinceMs).toBeLessThan(engine.clock.nowMs());
    expect(readers.list()[0]!.waiting!.untilMs).toBeGreaterThan(engine.clock.nowMs());
    await engine.finish(drained);
    expect(readers.list()[0]!.waiting).toBeNull();
    response.end();
    const [ended] = await readers.listEnded(1, null);
    expect(ended).toMatchObject({ outcome: 'finished', stallCount: 1, servedBytes: 2 * MIB });
    expect(ended!.worstStallMs).toBeGreaterThan(500);
    reader.close();
  });

  test('stop() cuts the response, says whose it was, and is refused for one that is gone', async () => {
    await using engine = await startEngine();
    const readers = readersOf(engine);
    addFile(engine, 'a.mkv', 8 * MIB);
    const [response] = await openAt(engine, readers, 'a.mkv');
    const [open] = readers.list();
    expect(readers.stop(open!.id).title).toBe('a');
    response.end(new LarderError('stopped', 'the player left'));
    expect((await readers.listEnded(1, null))[0]!.outcome).toBe('stopped');
    expect(() => readers.stop(open!.id)).toThrow('not there any more');
  });

  test('no timer runs while nobody reads', async () => {
    await using engine = await startEngine();
    const readers = readersOf(engine);
    addFile(engine, 'a.mkv', MIB);
    await engine.clock.run(5_000);
    const before = engine.clock.pendingCount;
    const [response, reader] = await openAt(engine, readers, 'a.mkv');
    reader.close();
    response.end();
    await engine.clock.run(5_000);
    expect(engine.clock.pendingCount).toBeLessThanOrEqual(before + 1);
  });
});
