// What the tests of failing origins share: an origin, a Larder in front of it, and the four things that a reader may
// see of a fault: nothing, a status with its reason, a cut connection, and after it all the bytes once the origin is
// well again (CONTRACT.md, stream promise 9).
import { expect } from 'bun:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import { assertContent } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type OriginBehaviour, type OriginFile, startOrigin, type TestOrigin } from '../support/origin.ts';
import { inProcessThread } from './in-process-thread.ts';
import { RawConnection, type RawHead, type RawResponse, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

/** Below the length where the edges of a container are fetched too, so that requests can be foretold. */
export const FILE_BYTES = 3_000_000;
/** What `cachePart` has Larder keep: [0, PART_BYTES). */
export const PART_BYTES = 1_000_000;

const HURRY = 10;

/** Real time, ten times as fast: pauses between tries are waited for, and cost a test little. */
const hurriedClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs() * HURRY,
  after: (delayMs, action) => systemClock.after(delayMs / HURRY, action),
  every: (periodMs, action) => systemClock.every(periodMs / HURRY, action),
};

export interface TestFile {
  readonly path: string;
  readonly address: string;
}

export interface NewFile extends Partial<OriginFile> {
  readonly behaviour?: OriginBehaviour;
  /** Default a film, in whose place an HTML page is not taken. */
  readonly name?: string;
}

export class FaultyOrigin implements AsyncDisposable {
  readonly origin: TestOrigin;
  readonly larder: RunningLarder;
  /** Larder's main thread's; a FakeClock is its download thread's too, which is in this process then. */
  readonly clock: Clock;
  #fileCount = 0;

  private constructor(origin: TestOrigin, larder: RunningLarder, clock: Clock) {
    this.origin = origin;
    this.larder = larder;
    this.clock = clock;
  }

  static async start(clock: Clock = hurriedClock): Promise<FaultyOrigin> {
    const origin = await startOrigin();
    const args = ['--source', `films=${origin.url}`];
    const startThread = (role: 'download' | 'upkeep') => inProcessThread(role, clock);
    const larder = await startLarder({ args, clock, ...(clock instanceof FakeClock ? { startThread } : {}) });
    return new FaultyOrigin(origin, larder, clock);
  }

  /** A file of its own for each test: nothing of it is known. */
  newFile({ behaviour, name = 'film.mkv', ...file }: NewFile = {}): TestFile {
    const path = `${++this.#fileCount}-${name}`;
    this.origin.addFile(path, { sizeBytes: FILE_BYTES, ...file });
    if (behaviour !== undefined) this.origin.behave(path, behaviour);
    return { path, address: `/s/films/${path}` };
  }

  /** A file of which Larder holds [0, PART_BYTES). */
  async newCachedFile(options: NewFile = {}): Promise<TestFile> {
    const { behaviour, ...rest } = options;
    const file = this.newFile(rest);
    await this.expectRange(file, 0, PART_BYTES);
    if (behaviour !== undefined) this.origin.behave(file.path, behaviour);
    return file;
  }

  /** Resolves when bytes of the file are recorded. Each look is a request, so that no time is guessed. */
  async recorded(file: TestFile): Promise<void> {
    for (let look = 0; look < 1_000; look++) {
      if ((await this.get(file, {}, 'HEAD')).header('x-cache') !== 'MISS') return;
    }
    throw new Error('nothing was recorded');
  }

  get(file: TestFile, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
    return rawRequest(this.larder.port, file.address, headers, method);
  }

  getRange(file: TestFile, start: number, end: number): Promise<RawResponse> {
    return this.get(file, { Range: `bytes=${start}-${end - 1}` });
  }

  /** Bytes of [start, end), all of them and of the present version. */
  async expectRange(file: TestFile, start: number, end: number): Promise<RawResponse> {
    const response = await this.getRange(file, start, end);
    expect([response.status, response.body.length]).toEqual([206, end - start]);
    this.origin.assertBody(file.path, response.body, start);
    return response;
  }

  /** The whole file, of the present version. */
  async expectWhole(file: TestFile, sizeBytes = FILE_BYTES): Promise<RawResponse> {
    const response = await this.get(file);
    expect([response.status, response.isWhole, response.body.length]).toEqual([200, true, sizeBytes]);
    this.origin.assertBody(file.path, response.body);
    return response;
  }

  /** The origin is well again: so is the file, whatever was kept of it. */
  async expectHealed(file: TestFile, sizeBytes = FILE_BYTES): Promise<void> {
    this.origin.behave(file.path, null);
    if (sizeBytes > PART_BYTES) await this.expectRange(file, sizeBytes - 100, sizeBytes);
    await this.expectWhole(file, sizeBytes);
  }

  /** A status and its reason, before the first byte. */
  async expectRefused(file: TestFile, status: number, reason: RegExp, range?: [number, number]): Promise<RawResponse> {
    const response = await (range === undefined ? this.get(file) : this.getRange(file, ...range));
    expect([response.status, response.isWhole]).toEqual([status, true]);
    expect(response.header('content-type')).toStartWith('text/plain');
    expect(Buffer.from(response.body).toString()).toMatch(reason);
    return response;
  }

  /** A head that promises the whole file, right bytes of one version, and then the connection is cut. */
  async expectCut(file: TestFile, seed: number = this.origin.seedOf(file.path)): Promise<void> {
    using connection = await RawConnection.open(this.larder.port);
    connection.send('GET', file.address);
    const head = await connection.readHead();
    expect(head.status).toBe(200);
    await expectCutBody(connection, head, seed);
  }

  /**
   * A fault that stays, met at the first open and again when a part of the file is cached: what is cached is served,
   * for what is missing a reader hears a status, and one that is in mid-stream is cut.
   */
  async expectContained(fault: OriginBehaviour, status: number, reason: RegExp, laterStatus = status): Promise<void> {
    const unknown = this.newFile({ behaviour: fault });
    await this.expectRefused(unknown, status, reason, [1_000, 2_000]);
    await this.expectHealed(unknown);

    const known = await this.newCachedFile({ behaviour: fault });
    expect((await this.expectRange(known, 1_000, PART_BYTES)).header('x-cache')).toBe('HIT');
    await this.expectRefused(known, laterStatus, reason, [2_000_000, 2_000_100]);
    await this.expectCut(known);
    await this.expectHealed(known);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The origin first: a Larder that stops waits for what its origin still says.
    await this.origin.stop();
    await this.larder[Symbol.asyncDispose]();
  }
}

/** What comes is of version `seed`, is less than was promised, and ends with the connection. */
export async function expectCutBody(
  connection: RawConnection,
  head: RawHead,
  seed: number,
  offset = 0,
): Promise<Uint8Array> {
  const promised = Number(head.header('content-length'));
  // Fewer bytes than that come only when the connection ends.
  const body = await connection.readBytes(promised);
  expect(body.length).toBeLessThan(promised);
  assertContent(body, seed, offset);
  return body;
}

/** Turns the clock until `condition` holds, and not further than `maxMs`. @returns how far it turned */
export async function turnUntil(clock: FakeClock, condition: () => boolean, maxMs: number): Promise<number> {
  const startedAtMs = clock.monotonicMs();
  while (!condition()) {
    const turnedMs = clock.monotonicMs() - startedAtMs;
    if (turnedMs >= maxMs) throw new Error(`it did not become so within ${turnedMs} ms of the test's clock`);
    // Not faster than real sockets can follow: what is under way on them is not to run into a deadline of this clock.
    await clock.run(20, 4);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return clock.monotonicMs() - startedAtMs;
}
