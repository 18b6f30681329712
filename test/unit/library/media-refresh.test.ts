// An item that somebody looks at: asked for once, waited for a little, and left alone for a while where it cannot be read.
import { describe, expect, test } from 'bun:test';
import type { MediaFacts } from '../../../src/db/media.ts';
import { LarderError } from '../../../src/errors.ts';
import { ItemRefresh } from '../../../src/library/item-refresh.ts';
import { ITEM_READ_MS, ITEM_READS_MAX, ITEM_TRUST_MS, ITEM_WAIT_MS } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import type { CataloguePage } from '../../../src/sources/catalogue-source.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { FakeClock, turnLoop } from '../../support/fake-clock.ts';

const PAGE: CataloguePage = { items: [], folders: [], media: [] };

function setUp(read: (signal: AbortSignal) => Promise<CataloguePage | null>, kept: Partial<MediaFacts> = {}) {
  const clock = new FakeClock();
  const facts = { mediaId: 1, sourceId: 7, key: 'film', readAt: null, ...kept } as MediaFacts;
  const state = { facts: [facts] as MediaFacts[], reads: 0, noted: 0, changed: 0, answers: [] as (string | null)[] };
  const source = {
    id: 7,
    readItem(key: string, signal: AbortSignal) {
      state.reads += 1;
      expect(key).toBe('film');
      return read(signal);
    },
  } as unknown as MediaSource;
  const refresh = new ItemRefresh({
    media: { findFacts: async () => state.facts },
    catalogue: {
      noteItem: async () => {
        state.noted += 1;
        state.facts = [{ ...facts, readAt: clock.nowMs() }];
      },
    },
    sources: () => [source],
    answered: (_, error) => state.answers.push(error?.code ?? null),
    noted: () => {
      state.changed += 1;
    },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
  });
  return { clock, state, refresh };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 5; turn += 1) await turnLoop();
  return settled;
}

describe('ItemRefresh', () => {
  test('has read the item when it resolves, and leaves no timer', async () => {
    const { refresh, state, clock } = setUp(async () => PAGE);
    await refresh.refresh(1);
    expect(state).toMatchObject({ reads: 1, noted: 1, changed: 1, answers: [null] });
    expect(clock.pendingCount).toBe(0);
  });

  test('asks again only when what was said is too old, or of another time', async () => {
    const { refresh, state, clock } = setUp(async () => PAGE);
    await refresh.refresh(1);
    clock.advance(ITEM_TRUST_MS - 1);
    await refresh.refresh(1);
    expect(state.reads).toBe(1);
    clock.advance(1);
    await refresh.refresh(1);
    expect(state.reads).toBe(2);
    state.facts = [{ ...state.facts[0]!, readAt: clock.nowMs() + 1 }];
    await refresh.refresh(1);
    expect(state.reads).toBe(3);
  });

  test('waits for a slow source no longer than people do, and takes what comes later', async () => {
    let answer: (page: CataloguePage) => void = () => undefined;
    const { refresh, state, clock } = setUp(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const waiting = refresh.refresh(1);
    expect(await isSettled(waiting)).toBe(false);
    clock.advance(ITEM_WAIT_MS - 1);
    expect(await isSettled(waiting)).toBe(false);
    clock.advance(1);
    expect(await isSettled(waiting)).toBe(true);
    expect(state.noted).toBe(0);
    // Whoever looks in the meantime joins, and is told when it is there.
    const joining = refresh.refresh(1);
    expect(await isSettled(joining)).toBe(false);
    answer(PAGE);
    await joining;
    expect(state).toMatchObject({ reads: 1, noted: 1 });
    expect(clock.pendingCount).toBe(0);
  });

  test('asks once for all who look at the same time', async () => {
    const { refresh, state } = setUp(async () => PAGE);
    await Promise.all([refresh.refresh(1), refresh.refresh(1), refresh.refresh(1)]);
    expect(state.reads).toBe(1);
  });

  test('asks a source for no more at once than it bears: the others are shown what is known', async () => {
    const { refresh, state } = setUp(() => new Promise(() => undefined));
    const looked = Array.from({ length: 50 }, (_, id) => refresh.refresh(id + 1));
    expect(await isSettled(looked[49]!)).toBe(true);
    expect(await isSettled(looked[0]!)).toBe(false);
    expect(state.reads).toBe(ITEM_READS_MAX);
  });

  test('ends a question that takes too long', async () => {
    let signal: AbortSignal | undefined;
    const { refresh, state, clock } = setUp((given) => {
      signal = given;
      return new Promise((_, reject) => {
        given.addEventListener('abort', () => reject(new LarderError('stopped', 'called off')));
      });
    });
    const waiting = refresh.refresh(1);
    expect(await isSettled(waiting)).toBe(false);
    clock.advance(ITEM_READ_MS);
    expect(await isSettled(waiting)).toBe(true);
    expect(signal?.aborted).toBe(true);
    expect(state.noted).toBe(0);
  });

  const failures: [string, () => Promise<CataloguePage | null>, (string | null)[]][] = [
    ['that fails', () => Promise.reject(new LarderError('origin-silent', 'no', { retry: 'soon' })), ['origin-silent']],
    ['that is refused for good', () => Promise.reject(new LarderError('origin-refused', 'no')), []],
    ['that is not there', async () => null, [null]],
  ];
  for (const [what, read, answers] of failures) {
    test(`leaves an item ${what} alone for a while, and tells nobody who looks`, async () => {
      const { refresh, state, clock } = setUp(read);
      await refresh.refresh(1);
      await refresh.refresh(1);
      expect(state).toMatchObject({ reads: 1, noted: 0, answers });
      clock.advance(ITEM_TRUST_MS / 10 + 1);
      await refresh.refresh(1);
      expect(state.reads).toBe(2);
    });
  }

  test('asks nobody for what is not there, or is of a source that cannot be asked', async () => {
    const { refresh, state } = setUp(async () => PAGE, { sourceId: 8 });
    await refresh.refresh(1);
    state.facts = [];
    await refresh.refresh(1);
    expect(state).toMatchObject({ reads: 0, changed: 0 });
  });
});
