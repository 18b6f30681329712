// Downloader between a real origin on real sockets and a chunk store: what it writes, what it says and in which order.
import { describe, expect, test } from 'bun:test';
import { crc32 } from 'node:zlib';
import { RangeSet } from '../../src/bytes/range-set.ts';
import type { ChunkStore } from '../../src/chunks/chunk-store.ts';
import { Downloader } from '../../src/chunks/downloader.ts';
import type { FetchAccept, FromThread } from '../../src/chunks/fetch-messages.ts';
import { FileChunkStore } from '../../src/chunks/file-chunk-store.ts';
import type { ChunkChecksum } from '../../src/db/generations.ts';
import {
  CHUNK_BYTES,
  PROGRESS_BYTES,
  RECORD_BYTES,
  RECORD_INTERVAL_MS,
  RECORD_MAX_BYTES,
  STALL_TIMEOUT_MS,
  UNRECORDED_MAX_BYTES,
} from '../../src/limits.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import type { OriginRange } from '../../src/sources/origin-response.ts';
import { assertContent, contentOf } from '../support/content.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FILE = 'films/Film-1.mkv';
const PATH = 'film.mkv';
type Message<Kind extends FromThread['kind']> = Extract<FromThread, { kind: Kind }>;

/** One fetch, with everything it said. */
class Run {
  readonly clock = new FakeClock();
  readonly messages: FromThread[] = [];
  readonly downloader: Downloader;
  /** What it says is durable gets its rows in the same moment. */
  recordsAtOnce = true;
  #listeners: (() => void)[] = [];

  constructor(store: ChunkStore) {
    const client = new OriginClient(this.clock);
    const post = (message: FromThread) => {
      this.messages.push(message);
      if (message.kind === 'durable' && this.recordsAtOnce) {
        queueMicrotask(() => this.downloader.recorded({ kind: 'recorded', fetchId: 1, position: message.end }));
      }
      for (const listener of this.#listeners.splice(0)) listener();
    };
    this.downloader = new Downloader(1, { client, store, clock: this.clock, post });
  }

  start(origin: TestOrigin, range: OriginRange | null = { kind: 'from', start: 0, end: null }): void {
    const request = {
      url: origin.url + PATH,
      headers: {},
      baseUrl: origin.url,
      ownPort: 1,
      local: null,
      range,
      ifRange: null,
      expectsMedia: true,
    };
    void this.downloader.run({ kind: 'start', fetchId: 1, request });
  }

  accept(details: Partial<FetchAccept> = {}): void {
    this.downloader.accept({
      kind: 'accept',
      fetchId: 1,
      fileName: FILE,
      mayCreate: true,
      sample: null,
      writeFrom: 0,
      end: null,
      credit: Number.POSITIVE_INFINITY,
      toMemory: false,
      totalBytes: null,
      ...details,
    });
  }

  all<Kind extends FromThread['kind']>(kind: Kind): Message<Kind>[] {
    return this.messages.filter((message): message is Message<Kind> => message.kind === kind);
  }

  /** Resolves with the message once it was said and fulfils `condition`. */
  async said<Kind extends FromThread['kind']>(
    kind: Kind,
    condition: (message: Message<Kind>) => boolean = () => true,
  ): Promise<Message<Kind>> {
    for (;;) {
      const found = this.all(kind).find(condition);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  durable(): RangeSet {
    return RangeSet.of(this.all('durable'));
  }
}

/** The whole of one fetch that is accepted as it comes. */
async function runToEnd(
  store: ChunkStore,
  origin: TestOrigin,
  range: OriginRange | null = { kind: 'from', start: 0, end: null },
  details: Partial<FetchAccept> = {},
): Promise<Run> {
  const run = new Run(store);
  run.start(origin, range);
  const { head } = await run.said('opened');
  run.accept({ writeFrom: head.start, ...details });
  await run.said('ended');
  return run;
}

async function contentOn(store: ChunkStore, start: number, end: number): Promise<Uint8Array> {
  const reader = await store.openReader(FILE);
  const buffer = new Uint8Array(end - start);
  const count = await reader.read(buffer, start);
  await reader.close();
  return buffer.subarray(0, count);
}

describe('Downloader', () => {
  test('run() puts every byte at its own offset and closes whole when the origin is polite', async () => {
    await using folder = await temporaryFolder();
    const sizeBytes = 2 * CHUNK_BYTES + 777;
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes } } });
    const store = new FileChunkStore(folder.file('chunks'));
    const run = await runToEnd(store, origin);
    assertContent(await contentOn(store, 0, sizeBytes), origin.seedOf(PATH), 0);
    expect(run.all('closed')).toEqual([
      { kind: 'closed', fetchId: 1, position: sizeBytes, bodyEnded: true, error: null },
    ]);
    expect(run.durable().toArray()).toEqual([{ start: 0, end: sizeBytes }]);
    expect(run.messages.at(-1)).toEqual({ kind: 'ended', fetchId: 1, error: null });
  });

  test('run() writes behind 4 GiB when the range starts there', async () => {
    await using folder = await temporaryFolder();
    const start = 2 ** 32 + 12_345;
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: start + 300_000 } } });
    const store = new FileChunkStore(folder.file('chunks'));
    const run = await runToEnd(store, origin, { kind: 'from', start, end: null });
    assertContent(await contentOn(store, start, start + 300_000), origin.seedOf(PATH), start);
    expect(run.durable().toArray()).toEqual([{ start, end: start + 300_000 }]);
  });

  test('run() tells its first bytes at once and then at least every step', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    const store = new MemoryChunkStore();
    const run = await runToEnd(store, origin);
    const positions = run.all('progress').map((message) => message.position);
    const writes = store.events.flatMap((event) => (event.kind === 'write' ? [event] : []));
    expect(positions[0]).toBe(writes[0]!.end);
    expect(positions).toEqual([...positions].sort((left, right) => left - right));
    expect(positions.at(-1)).toBe(3_000_000);
    // The body comes in pieces of the socket's choosing: a step is over with the first piece that fills it.
    const largest = Math.max(...writes.map((write) => write.end - write.start));
    for (let index = 1; index < positions.length; index++) {
      expect(positions[index]! - positions[index - 1]!).toBeLessThan(PROGRESS_BYTES + largest);
    }
  });

  test('run() tells the last bytes before it closes, when they are fewer than a step', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: PROGRESS_BYTES + 5 } } });
    const { messages } = await runToEnd(new MemoryChunkStore(), origin);
    const last = messages.findLastIndex((message) => message.kind === 'progress');
    expect(messages[last]).toMatchObject({ position: PROGRESS_BYTES + 5 });
    expect(messages.findIndex((message) => message.kind === 'closed')).toBeGreaterThan(last);
  });

  test('run() tells what a thin line brought without waiting for a full step', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 500_000 } } });
    origin.behave(PATH, { stallAfterBytes: 70_000 });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept();
    await run.said('progress');
    while (!run.messages.some((message) => message.kind === 'progress' && message.position === 70_000))
      await run.clock.run(20);
    run.downloader.stop();
    await run.said('ended');
  });

  test('invariant 1: run() says durable only of bytes that were written and synced before', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3 * RECORD_BYTES + 99 } } });
    const store = new MemoryChunkStore();
    store.beforeSync = turnLoop; // writes go on while the disk works
    const run = new Run(store);
    const claimed: boolean[] = [];
    const { post } = { post: run.messages.push.bind(run.messages) };
    run.messages.push = (message) => {
      // Looked at in the moment of the claim: nothing that happens later can make it true.
      if (message.kind === 'durable') claimed.push(store.durableRanges(FILE).contains(message.start, message.end));
      return post(message);
    };
    run.start(origin);
    await run.said('opened');
    run.accept();
    await run.said('ended');
    expect(claimed.length).toBeGreaterThan(1);
    expect(claimed).not.toContain(false);
    expect(run.durable().toArray()).toEqual([{ start: 0, end: 3 * RECORD_BYTES + 99 }]);
    store.crash();
    assertContent(await contentOn(store, 0, 3 * RECORD_BYTES + 99), origin.seedOf(PATH), 0);
  });

  test('invariant 1: run() claims nothing durable and ends with the error when syncing fails', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 1_000_000 } } });
    const store = new MemoryChunkStore();
    store.refuseSyncs = 'EIO';
    const run = await runToEnd(store, origin);
    expect(run.all('durable')).toEqual([]);
    expect(run.all('ended')[0]!.error).toMatchObject({ code: 'storage', retry: 'later' });
  });

  test('run() ends with a hint and keeps what it brought when the disk is full', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 5_000_000 } } });
    const store = new MemoryChunkStore();
    const run = new Run(store);
    run.start(origin);
    await run.said('opened');
    run.accept({ credit: 1_000_000 });
    await run.said('progress', (message) => message.position === 1_000_000);
    store.refuseWrites = 'ENOSPC';
    run.downloader.setCredit({ kind: 'credit', fetchId: 1, credit: 5_000_000, end: null });
    const closed = await run.said('closed');
    expect(closed.error).toMatchObject({ code: 'storage', retry: 'later' });
    expect(closed.error?.hint).toContain('full');
    await run.said('ended');
    expect(run.durable().byteCount).toBe(closed.position);
    assertContent(await contentOn(store, 0, closed.position), origin.seedOf(PATH), 0);
    await origin.until(() => origin.openCount(PATH) === 0);
  });

  test('run() ends with the error when the file cannot be made', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 1_000 } } });
    const store = new MemoryChunkStore();
    store.openWriter = () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }));
    const run = await runToEnd(store, origin);
    expect(run.all('closed')[0]!.error).toMatchObject({ code: 'storage' });
    expect(run.all('durable')).toEqual([]);
  });

  test('run() records what it has after a while when the line trickles', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 500_000 } } });
    origin.behave(PATH, { stallAfterBytes: 10_000 });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept();
    await run.said('progress');
    run.downloader.tick();
    await turnLoop();
    expect(run.all('durable')).toEqual([]);
    run.clock.advance(RECORD_INTERVAL_MS + 1);
    run.downloader.tick();
    expect((await run.said('durable')).start).toBe(0);
    run.downloader.stop();
    await run.said('ended');
  });

  test('run() syncs in long steps where the disk is quicker than the line, and in shorter ones where it is not', async () => {
    const sizeBytes = 8 * UNRECORDED_MAX_BYTES;
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes } } });
    const longestSteps = async (store: MemoryChunkStore) => {
      const run = await runToEnd(store, origin);
      expect(run.durable().byteCount).toBe(sizeBytes);
      return run.all('durable').map(({ start, end }) => end - start);
    };
    const quick = await longestSteps(new MemoryChunkStore());
    for (const bytes of quick.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(RECORD_MAX_BYTES);
    const slowStore = new MemoryChunkStore();
    let syncedBytes = 0;
    // So slow that all the room fills while it works.
    slowStore.beforeSync = async () => {
      const lengthOf = async () => (await slowStore.findLength(FILE)) ?? 0;
      const endBytes = await lengthOf();
      while ((await lengthOf()) < Math.min(sizeBytes, syncedBytes + UNRECORDED_MAX_BYTES)) await turnLoop();
      syncedBytes = endBytes;
    };
    const slow = await longestSteps(slowStore);
    // The first one measures.
    for (const bytes of slow.slice(1, -1)) expect(bytes).toBeLessThanOrEqual(RECORD_BYTES + PROGRESS_BYTES * 4);
  }, 20_000);

  test('run() does not sync each small step that its reader lets it go on', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 2_000_000 } } });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept({ credit: 100_000 });
    for (let credit = 200_000; credit <= 1_000_000; credit += 100_000) {
      await run.said('progress', (message) => message.position === credit - 100_000);
      run.downloader.setCredit({ kind: 'credit', fetchId: 1, credit, end: null });
    }
    await run.said('progress', (message) => message.position === 1_000_000);
    for (let turn = 0; turn < 20; turn++) await turnLoop();
    expect(run.all('durable')).toEqual([]);
    // What its reader leaves lying is recorded all the same.
    run.clock.advance(RECORD_INTERVAL_MS + 1);
    run.downloader.tick();
    expect(await run.said('durable')).toMatchObject({ start: 0, end: 1_000_000 });
    run.downloader.stop();
    await run.said('ended');
  });

  test('run() takes no byte behind its end when it was given one', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 20_000_000 } } });
    const store = new MemoryChunkStore();
    const run = await runToEnd(store, origin, { kind: 'from', start: 0, end: null }, { end: 333_333 });
    expect(run.all('closed')[0]).toMatchObject({ position: 333_333, bodyEnded: false, error: null });
    expect(await store.findLength(FILE)).toBe(333_333);
    expect(run.durable().toArray()).toEqual([{ start: 0, end: 333_333 }]);
    await origin.until(() => origin.openCount(PATH) === 0);
    expect(origin.bytesSent(PATH)).toBeLessThan(20_000_000);
  });

  test('run() pauses at its credit, records what it has and goes on when more comes', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 40_000_000 } } });
    const store = new MemoryChunkStore();
    const run = new Run(store);
    run.start(origin);
    await run.said('opened');
    run.accept({ credit: 1_000_000 });
    const paused = await run.said('progress', (message) => message.position >= 1_000_000);
    run.clock.advance(RECORD_INTERVAL_MS + 1);
    run.downloader.tick();
    await run.said('durable', (message) => message.end >= 1_000_000);
    for (let turn = 0; turn < 20; turn++) await turnLoop();
    expect(run.all('progress').at(-1)?.position).toBe(paused.position);
    // Invariant 6: what is not granted is not written.
    expect(paused.position).toBe(1_000_000);
    expect(await store.findLength(FILE)).toBe(1_000_000);
    run.downloader.setCredit({ kind: 'credit', fetchId: 1, credit: 40_000_000, end: 12_000_000 });
    expect(await run.said('closed')).toMatchObject({ position: 12_000_000, error: null });
    await run.said('ended');
    assertContent(await contentOn(store, 0, 12_000_000), origin.seedOf(PATH), 0);
  });

  test('stop() keeps what it brought and hangs up when the body runs', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 50_000_000 } } });
    const store = new MemoryChunkStore();
    const run = new Run(store);
    run.start(origin);
    await run.said('opened');
    run.accept();
    await run.said('progress', (message) => message.position > 1_000_000);
    run.downloader.stop();
    const closed = await run.said('closed');
    expect(closed.error).toBeNull();
    await run.said('ended');
    expect(run.durable().toArray()).toEqual([{ start: 0, end: closed.position }]);
    await origin.until(() => origin.openCount(PATH) === 0);
    expect(origin.bytesSent(PATH)).toBeLessThan(50_000_000);
  });

  test('stop() ends the fetch when it waits for headers, for the word, for credit or for the origin', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 50_000_000 } } });
    for (const moment of ['headers', 'word', 'credit', 'origin'] as const) {
      origin.behave(
        PATH,
        moment === 'headers' ? { stallBeforeHead: true } : moment === 'origin' ? { stallAfterBytes: 5_000 } : null,
      );
      const run = new Run(new MemoryChunkStore());
      run.start(origin);
      await origin.until(() => origin.openCount(PATH) > 0);
      if (moment !== 'headers') await run.said('opened');
      if (moment === 'credit' || moment === 'origin') run.accept({ credit: moment === 'credit' ? 1_000 : 1e9 });
      if (moment === 'credit' || moment === 'origin') await run.said('progress');
      run.downloader.stop();
      expect((await run.said('closed')).error).toBeNull();
      expect((await run.said('ended')).error).toBeNull();
      await origin.until(() => origin.openCount(PATH) === 0);
    }
  });

  test('run() says that the body ended early and keeps its bytes when the origin breaks off', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    origin.behave(PATH, { cutAfterBytes: 500_000 });
    const store = new MemoryChunkStore();
    const run = await runToEnd(store, origin);
    const [closed] = run.all('closed');
    expect(closed).toMatchObject({ bodyEnded: false, error: { code: 'origin-failed', retry: 'soon' } });
    expect(run.durable().byteCount).toBe(closed!.position);
    expect(closed!.position).toBeLessThanOrEqual(500_000);
    if (closed!.position > 0) assertContent(await contentOn(store, 0, closed!.position), origin.seedOf(PATH), 0);
  });

  test('run() says that the body ended early when a chunked answer is shorter than its Content-Range', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    origin.behave(PATH, { hideLength: true, partBytesMax: 1_000, contentRange: 'bytes 0-2999999/3000000' });
    const run = await runToEnd(new MemoryChunkStore(), origin);
    expect(run.all('closed')[0]).toMatchObject({ position: 1_000, bodyEnded: false, error: { code: 'origin-failed' } });
  });

  test('run() refuses the excess when the origin sends more than it announced', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    origin.behave(PATH, { hideLength: true, extraBytes: 50_000 });
    const store = new MemoryChunkStore();
    const run = await runToEnd(store, origin, { kind: 'from', start: 0, end: 10_000 });
    const [closed] = run.all('closed');
    expect(closed!.position).toBeLessThanOrEqual(10_000);
    expect((await store.findLength(FILE)) ?? 0).toBeLessThanOrEqual(10_000);
  });

  test('run() gives up and hangs up when the origin stalls in the body', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    origin.behave(PATH, { stallAfterBytes: 100_000 });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept();
    while (run.all('progress').at(-1)?.position !== 100_000) await run.clock.run(20);
    run.clock.advance(STALL_TIMEOUT_MS - 1_000);
    run.downloader.tick();
    await turnLoop();
    expect(run.all('closed')).toEqual([]);
    run.clock.advance(1_001);
    run.downloader.tick();
    expect(await run.said('closed')).toMatchObject({
      position: 100_000,
      error: { code: 'origin-silent', retry: 'soon' },
    });
    await run.said('ended');
    expect(run.durable().byteCount).toBe(100_000);
    await origin.until(() => origin.openCount(PATH) === 0);
  });

  test('run() does not take a paused player for a stalled origin', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 30_000_000 } } });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept({ credit: 100_000 });
    await run.said('progress', (message) => message.position >= 100_000);
    run.clock.advance(3_600_000);
    run.downloader.tick();
    run.downloader.setCredit({ kind: 'credit', fetchId: 1, credit: 5_000_000, end: 5_000_000 });
    expect(await run.said('closed')).toMatchObject({ position: 5_000_000, error: null });
    await run.said('ended');
  });

  test('run() passes over what is known when a sequential origin starts at zero again', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 900_000 } } });
    origin.behave(PATH, { ranges: 'none' });
    const store = new MemoryChunkStore();
    const run = await runToEnd(store, origin, { kind: 'from', start: 300_000, end: null }, { writeFrom: 300_000 });
    expect(run.all('opened')[0]!.head).toMatchObject({ start: 0, seekable: false });
    expect(store.events.filter((event) => event.kind === 'write')[0]).toMatchObject({ start: 300_000 });
    assertContent(await contentOn(store, 300_000, 900_000), origin.seedOf(PATH), 300_000);
    expect(run.durable().toArray()).toEqual([{ start: 300_000, end: 900_000 }]);
    expect(run.all('progress').every((message) => message.position > 300_000)).toBe(true);
  });

  test('run() says that the body came to its end when the length was not known', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 700_000 } } });
    origin.behave(PATH, { ranges: 'none', hideLength: true });
    const run = await runToEnd(new MemoryChunkStore(), origin, null);
    expect(run.all('opened')[0]!.head).toMatchObject({ bodyBytes: null });
    expect(run.all('closed')[0]).toMatchObject({ position: 700_000, bodyEnded: true, error: null });
  });

  test('run() ends as whole when the body is empty', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 0 } } });
    const run = await runToEnd(new MemoryChunkStore(), origin, null);
    expect(run.all('closed')[0]).toMatchObject({ position: 0, bodyEnded: true, error: null });
    expect(run.all('durable')).toEqual([]);
  });

  test('run() gives the checksum of every byte that it says is durable', async () => {
    const sizeBytes = 3 * CHUNK_BYTES + 1_234;
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes } } });
    const run = await runToEnd(new MemoryChunkStore(), origin, { kind: 'from', start: 1_000, end: null });
    const spans = new Map<number, ChunkChecksum>();
    for (const message of run.all('durable')) {
      for (const span of message.checksums) spans.set(span.start, span);
      expect(RangeSet.of(message.checksums).contains(message.start, message.end)).toBe(true);
    }
    for (const { start, end, crc32: sum } of spans.values()) {
      expect(sum).toBe(crc32(contentOf(origin.seedOf(PATH), start, end)));
      expect(Math.floor(start / CHUNK_BYTES)).toBe(Math.floor((end - 1) / CHUNK_BYTES));
    }
    expect(RangeSet.of(spans.values()).toArray()).toEqual([{ start: 1_000, end: sizeBytes }]);
  });

  test('run() does not take the end of a bounded request for the end of the file when the total is not told', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 3_000_000 } } });
    origin.behave(PATH, { hideTotal: true });
    const run = await runToEnd(new MemoryChunkStore(), origin, { kind: 'from', start: 0, end: 1_000 });
    // `bodyEnded` with an unknown total is what the file's length is learnt from.
    expect(run.all('closed')[0]).toMatchObject({ position: 1_000, bodyEnded: false });
  });

  test('setCredit() counts when it comes right behind accept(), before the fetch took that up', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 500_000 } } });
    const run = new Run(new MemoryChunkStore());
    run.start(origin);
    await run.said('opened');
    run.accept({ credit: 1_000 });
    run.downloader.setCredit({ kind: 'credit', fetchId: 1, credit: 500_000, end: 500_000 });
    await run.said('progress');
    for (let turn = 0; turn < 3_000 && run.all('closed').length === 0; turn++) await run.clock.run(20);
    expect(run.all('closed')[0]).toMatchObject({ position: 500_000, error: null });
  });

  test('run() writes no more than the bound ahead of the rows, however long the disk or the database takes', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 2 * UNRECORDED_MAX_BYTES } } });
    const store = new MemoryChunkStore();
    let letGo: () => void = () => undefined;
    store.beforeSync = () => new Promise((resolve) => (letGo = resolve));
    const run = new Run(store);
    run.recordsAtOnce = false;
    run.start(origin);
    await run.said('opened');
    run.accept();
    await run.said('progress', (message) => message.position === UNRECORDED_MAX_BYTES);
    for (let turn = 0; turn < 50; turn++) await turnLoop();
    expect(await store.findLength(FILE)).toBe(UNRECORDED_MAX_BYTES);
    store.beforeSync = () => Promise.resolve();
    letGo();
    // Synced is not recorded: it goes on only as far as the rows have come.
    const { end } = await run.said('durable');
    for (let turn = 0; turn < 50; turn++) await turnLoop();
    expect(await store.findLength(FILE)).toBe(UNRECORDED_MAX_BYTES);
    run.downloader.recorded({ kind: 'recorded', fetchId: 1, position: 1_000 });
    await run.said('progress', (message) => message.position === UNRECORDED_MAX_BYTES + 1_000);
    run.recordsAtOnce = true;
    run.downloader.recorded({ kind: 'recorded', fetchId: 1, position: end });
    await run.said('ended');
    expect(run.durable().byteCount).toBe(2 * UNRECORDED_MAX_BYTES);
  }, 20_000);

  test('run() hands the bytes on and writes none when they go to memory', async () => {
    await using origin = await startOrigin({ files: { [PATH]: { sizeBytes: 700_000 } } });
    const store = new MemoryChunkStore();
    store.refuseWrites = 'ENOSPC';
    const run = await runToEnd(store, origin, { kind: 'from', start: 0, end: null }, { toMemory: true });
    let position = 0;
    for (const message of run.all('data')) {
      expect(message.position).toBe(position);
      assertContent(message.bytes, origin.seedOf(PATH), position);
      position += message.bytes.length;
    }
    expect(position).toBe(700_000);
    expect(run.all('closed')[0]).toMatchObject({ position: 700_000, bodyEnded: true, error: null });
    expect(run.all('durable')).toEqual([]);
    expect(store.events).toEqual([]);
  });
});
