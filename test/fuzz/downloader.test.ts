// A download thread's fetch under any sequence of messages, pieces, faults and times, against a model that knows only
// what was said to it: which bytes may be written, and what may be reported of them, in which order.
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Downloader } from '../../src/chunks/downloader.ts';
import type { FromThread } from '../../src/chunks/fetch-messages.ts';
import { findWrongByte } from '../support/content.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';
import { runs } from '../support/property.ts';
import { ScriptedBody } from '../support/scripted-body.ts';
import { DownloaderModel, FILE, type Plain, type Script, type Step } from './downloader-model.ts';

const SEED = 11;
const FETCH_ID = 1;
const MIB = 1024 * 1024;
/** Turns of the event loop within which everything that can end has ended. */
const TURNS_TO_END = 200;

const length = fc.oneof(fc.nat(2_000), fc.nat(300_000), fc.nat(6 * MIB));
const bound = fc.option(length, { nil: null });
const simple = (kind: Plain): fc.Arbitrary<Step> => fc.constant({ kind });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('piece' as const), bytes: length.map((bytes) => bytes + 1) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('credit' as const), ahead: length, end: bound }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(10, 1_000, 3_000, 21_000) }),
  },
  { weight: 4, arbitrary: simple('accept') },
  { weight: 2, arbitrary: simple('hold') },
  { weight: 2, arbitrary: simple('release') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Plain[]>('rest', 'stop', 'end', 'cut', 'refuseWrites', 'refuseSyncs').chain(simple),
  },
);
const scripts: fc.Arbitrary<Script> = fc.record({
  start: fc.oneof(fc.constant(0), fc.nat(5_000_000)),
  bodyBytes: bound,
  skipped: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(200_000) }),
  credit: fc.oneof(length, fc.constant(2 ** 40)),
  end: bound,
  acceptsAtOnce: fc.integer({ min: 0, max: 3 }).map((lot) => lot > 0),
  steps: fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 40 }),
});

/**
 * @param endsBehind an end may be told that the fetch is past already, as the main thread does that hears late of it
 * @returns what was wrong
 */
async function play(script: Script, seen: Set<string>, endsBehind: boolean): Promise<string[]> {
  const { start, bodyBytes, skipped } = script;
  const body = new ScriptedBody(
    {
      start,
      bodyBytes,
      totalBytes: bodyBytes === null ? null : start + bodyBytes,
      seekable: true,
      etag: '"1"',
      lastModified: null,
      contentType: null,
      contentLanguage: null,
      contentDisposition: null,
    },
    SEED,
  );
  const store = new MemoryChunkStore();
  const clock = new FakeClock();
  const model = new DownloaderModel(store);
  const held: (() => void)[] = [];
  let isHolding = false;
  store.beforeSync = () => (isHolding ? new Promise((resolve) => held.push(resolve)) : Promise.resolve());
  const post = (message: FromThread) => {
    seen.add(message.kind === 'closed' ? `closed ${message.error?.code ?? message.bodyEnded}` : message.kind);
    model.hear(message);
  };
  const downloader = new Downloader(FETCH_ID, { client: body.client, store, clock, post });
  const run = downloader.run({
    kind: 'start',
    fetchId: FETCH_ID,
    request: {
      url: 'http://origin/film.mkv',
      headers: {},
      baseUrl: 'http://origin/',
      ownPort: 1,
      local: null,
      range: { kind: 'from', start, end: null },
      ifRange: null,
      expectsMedia: true,
    },
  });

  const release = () => {
    isHolding = false;
    for (const letGo of held.splice(0)) letGo();
  };
  function act(one: Step): void {
    switch (one.kind) {
      case 'accept': {
        if (!model.isOpened || model.isAccepted || model.isStopped) return;
        const end = script.end === null ? null : start + script.end;
        model.accept(start + skipped, end);
        const file = { fileName: FILE, mayCreate: true, sample: null, toMemory: false, writeFrom: start + skipped };
        const totalBytes = bodyBytes === null ? null : start + bodyBytes;
        downloader.accept({
          kind: 'accept',
          fetchId: FETCH_ID,
          ...file,
          end,
          credit: start + script.credit,
          totalBytes,
        });
        return;
      }
      case 'credit': {
        if (!model.isAccepted) return;
        const end = model.credit(one.end === null ? null : start + one.end, endsBehind);
        downloader.setCredit({ kind: 'credit', fetchId: FETCH_ID, credit: model.writtenTo + one.ahead, end });
        return;
      }
      case 'piece':
        body.send(one.bytes);
        return;
      case 'rest':
        if (bodyBytes !== null && body.sentTo < start + bodyBytes) body.send(start + bodyBytes - body.sentTo);
        return;
      case 'tick':
        if (one.ms > 20_000) model.faults.add('silence');
        clock.advance(one.ms);
        downloader.tick();
        return;
      case 'stop':
        model.isStopped = true;
        downloader.stop();
        return;
      case 'end':
        model.faults.add('end');
        body.end();
        return;
      case 'cut':
        model.faults.add('cut');
        body.fail(new Error('ECONNRESET'));
        return;
      case 'hold':
        isHolding = true;
        return;
      case 'release':
        release();
        return;
      default:
        model.faults.add(one.kind);
        store[one.kind] = 'ENOSPC';
    }
  }

  if (script.acceptsAtOnce) {
    for (let turn = 0; turn < 3; turn++) await turnLoop();
    act({ kind: 'accept' });
  }
  for (const [one, turns] of script.steps) {
    act(one);
    for (let turn = 0; turn < turns; turn++) await turnLoop();
  }
  release();
  for (let turn = 0; turn < TURNS_TO_END && model.ended === undefined; turn++) {
    if (turn === TURNS_TO_END / 2) act({ kind: 'stop' });
    await turnLoop();
  }
  if (model.ended !== undefined) await run;
  model.finish(script, body);
  if (model.wrong.length === 0 && model.writtenTo > start + skipped) {
    const written = new Uint8Array(model.writtenTo - start - skipped);
    await (await store.openReader(FILE)).read(written, start + skipped);
    const wrongAt = findWrongByte(written, SEED, start + skipped);
    if (wrongAt !== null) model.wrong.push(`wrong byte at ${wrongAt}`);
  }
  return model.wrong;
}

test('a fetch writes and says only what it may when anything is said to it in any order', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      expect(await play(script, seen, false)).toEqual([]);
    }),
    runs(600),
  );
  // The scripts get everywhere.
  for (const kind of ['opened', 'progress', 'durable', 'ended', 'closed true', 'closed false', 'closed storage']) {
    expect([...seen]).toContain(kind);
  }
  for (const code of ['origin-failed', 'origin-lied', 'origin-silent']) expect([...seen]).toContain(`closed ${code}`);
}, 60_000);

// Downloader.#take: `end - position` is negative then, and Uint8Array.subarray counts a negative end from the back: it
// writes past the end, its position goes back, and what it reported before never becomes durable.
test('a fetch stops where it is when the end that it is told lies behind it', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      expect(await play(script, new Set(), true)).toEqual([]);
    }),
    runs(250),
  );
});
