import { describe, expect, test } from 'bun:test';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { Reader, type ReaderFile } from '../../src/chunks/reader.ts';
import { READ_AT_ONCE_MAX_BYTES, READ_BUFFER_TIERS } from '../../src/limits.ts';
import { BufferPool } from '../../src/proxy/buffer-pool.ts';
import { BodyWriter } from '../../src/proxy/response-body.ts';
import { ResponseWriter } from '../../src/proxy/response-writer.ts';

const MIB = 2 ** 20;

/** Takes what it is given and says so in the same turn of the loop, as node:http does while its socket has room. */
class ResponseDouble extends EventEmitter {
  destroyed = false;
  closed = false;
  takenBytes = 0;
  isEnded = false;
  isStalled = false;

  write(data: Uint8Array, done: (error?: Error) => void): void {
    if (this.isStalled) return;
    this.takenBytes += data.length;
    process.nextTick(done);
  }

  end(data: Uint8Array, done: (error?: Error) => void): void {
    this.write(data, done);
    this.isEnded = true;
  }

  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function bodyOf(totalBytes: number, details: { isInMemory: boolean }) {
  const reads = { atOnce: 0, later: 0 };
  const file: ReaderFile = {
    totalBytes,
    readableEnd: () => totalBytes,
    readAgain: (buffer) => {
      if (!details.isInMemory) return 0;
      reads.atOnce += 1;
      return buffer.length;
    },
    read: (buffer) =>
      new Promise((resolve) => {
        reads.later += 1;
        setImmediate(() => resolve(buffer.length));
      }),
    readerWaits: () => undefined,
    readerMoved: () => undefined,
    readerClosed: () => undefined,
  };
  const reader = new Reader({
    file,
    range: { start: 0, end: totalBytes },
    bounded: true,
    label: { address: 'x', player: 'x' },
    readAheadMaxBytes: 0,
    known: RangeSet.of([{ start: 0, end: Number.MAX_SAFE_INTEGER }]),
    isPassedOn: false,
    nowMs: () => 0,
    askedAtMs: 0,
  });
  const response = new ResponseDouble();
  const writer = new ResponseWriter(response as unknown as ServerResponse);
  const pool = new BufferPool();
  const body = new BodyWriter({ writer, reader, pool, monotonicMs: () => 0 });
  return { body, reader, writer, response, pool, reads };
}

describe('BodyWriter', () => {
  test('what is in memory is sent without a wait, and ends the response with its last piece', async () => {
    const { body, response, reads } = bodyOf(64 * 1_024, { isInMemory: true });
    expect(body.prepare()).toBeNull();
    await body.send(true);
    expect(response.takenBytes).toBe(64 * 1_024);
    expect(response.isEnded).toBe(true);
    expect(reads).toEqual({ atOnce: 1, later: 0 });
  });

  test('a socket that takes all that it is given does not keep the loop from others', async () => {
    const { body, response, reads } = bodyOf(64 * MIB, { isInMemory: true });
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await body.prepare();
    await body.send(true);
    isOver = true;
    expect(response.takenBytes).toBe(64 * MIB);
    const largest = READ_BUFFER_TIERS[0]!.size;
    expect(reads.later).toBe(Math.floor((64 * MIB) / (READ_AT_ONCE_MAX_BYTES + largest)));
    expect(turns).toBeGreaterThanOrEqual(reads.later);
  });

  test('a player that leaves ends the wait for its socket, and every buffer is given back', async () => {
    const { body, writer, reader, response, pool } = bodyOf(8 * MIB, { isInMemory: false });
    await body.prepare();
    response.isStalled = true;
    let isToldReader = false;
    writer.onGone = () => {
      isToldReader = true;
    };
    const sending = body.send(true);
    response.leave();
    await expect(sending).rejects.toMatchObject({ code: 'stopped' });
    expect(isToldReader).toBe(true);
    expect(reader.servedBytes).toBe(0);
    await expect(writer.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'stopped' });
    writer.release();
    body.release();
    expect(pool.usedBytes).toBe(0);
    expect(response.listenerCount('close')).toBe(0);
  });
});
