// The keeper of the space against a model of a disk: random sequences of everything that can happen to it, and what must
// be true after each step (DESIGN.md §5, invariants 6 and 7).
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { UseLog } from '../../src/chunks/use-log.ts';
import { LarderError } from '../../src/errors.ts';
import { DISK_LOOK_IDLE_MS, DISK_LOOK_MS, DISK_RETRY_IDLE_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { type DiskSpace, SpaceKeeper, type SpacePolicy } from '../../src/offline/space-keeper.ts';
import { deriveCap, policyOf } from '../../src/offline/space-policy.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { runs } from '../support/property.ts';
import { createRandom } from '../support/random.ts';

const MB = 1_000_000;
const GB = 1_000 * MB;

interface ModelEntry {
  readonly id: number;
  bytes: number;
  lastUsedAt: number;
  pinned: boolean;
  users: number;
}

interface Reservation {
  readonly entry: ModelEntry;
  left: number;
  /** Of what is left, so much is on the disk already. */
  written: number;
}

interface ModelOptions {
  readonly policy?: SpacePolicy;
  readonly diskBytes?: number;
}

/** The disk, the rows, and whoever holds room: all that a keeper is told of. */
class Model {
  readonly clock = new FakeClock();
  readonly uses = new UseLog(this.clock, 0);
  readonly entries = new Map<number, ModelEntry>();
  readonly reservations = new Set<Reservation>();
  readonly strays = new Map<number, number>();
  readonly events: { kind: string; subject: string; text: string }[] = [];
  readonly logLines: string[] = [];
  readonly evicted: number[] = [];
  readonly faults: string[] = [];
  policy: SpacePolicy;
  othersBytes = 0;
  refusesWrites: string | null = null;
  /** Removals cannot be written down while the ballast is there and the disk is full. */
  ballast = 0;
  ballastGivenUp = 0;
  isWanted = true;
  readonly diskBytes: number;
  /** How often others took bytes, and how often they had when the disk was last seen: nobody can keep a floor between. */
  #takes = 0;
  #seenTakes = 0;
  #steps = 0;
  #listedAtStep = -1;
  #lastId = 0;
  readonly keeper: SpaceKeeper;

  constructor(options: ModelOptions = {}) {
    this.policy = options.policy ?? { capBytes: 100 * MB, floorBytes: 20 * MB };
    this.diskBytes = options.diskBytes ?? 300 * MB;
    this.keeper = new SpaceKeeper(0, {
      policy: () => this.policy,
      lookAtDisk: async (): Promise<DiskSpace> => {
        const seen = { freeBytes: this.freeBytes, totalBytes: this.diskBytes };
        const takes = this.#takes;
        await turnLoop();
        this.#seenTakes = takes;
        return seen;
      },
      listEvictable: async (limit, cursor) => {
        await turnLoop();
        // Further pages are of the same list.
        if (cursor === null) this.#listedAtStep = this.#steps;
        return this.#evictable()
          .filter((entry) => entry.bytes > 0)
          .filter((entry) => cursor === null || isBehind(entry, { lastUsedAt: cursor.lastUsedAt, id: cursor.entryId }))
          .slice(0, limit)
          .map((entry) => ({
            entryId: entry.id,
            lastUsedAt: entry.lastUsedAt,
            source: 'films',
            path: `${entry.id}.mkv`,
          }));
      },
      evict: (id) => this.#evict(id),
      isWanted: () => this.isWanted,
      changed: () => undefined,
      tryToWrite: async () => {
        if (this.refusesWrites !== null) throw new Error(this.refusesWrites);
        if (this.freeBytes < 64 * 1024) throw systemError('ENOSPC');
      },
      giveUpBallast: async () => {
        const had = this.ballast > 0;
        this.ballastGivenUp += 1;
        this.ballast = 0;
        return had;
      },
      restoreBallast: async () => {
        this.ballast = 2 * MB;
      },
      noteEvent: async (kind, subject, text) => {
        this.events.push({ kind, subject, text });
        return true;
      },
      clock: this.clock,
      log: createLog({ level: 'info', write: (line) => this.logLines.push(line), nowMs: () => 0 }),
    });
  }

  get usedBytes(): number {
    return sum([...this.entries.values()].map((entry) => entry.bytes)) + sum([...this.strays.values()]);
  }

  get reservedBytes(): number {
    return sum([...this.reservations].map((reservation) => reservation.left));
  }

  get freeBytes(): number {
    const written = sum([...this.reservations].map((reservation) => reservation.written));
    return this.diskBytes - this.othersBytes - this.usedBytes - written - this.ballast;
  }

  /** Marks that something changed that the keeper has to be told by another look. */
  step(): void {
    this.#steps += 1;
  }

  add(bytes = 0): ModelEntry {
    const entry = { id: ++this.#lastId, bytes, lastUsedAt: this.uses.nextMs(), pinned: false, users: 0 };
    this.entries.set(entry.id, entry);
    return entry;
  }

  reserve(entry: ModelEntry, bytes: number): number {
    const granted = this.keeper.reserve(bytes);
    if (granted < 0 || granted > bytes) this.faults.push(`${granted} of ${bytes} bytes were granted`);
    if (granted === 0) return 0;
    entry.users += 1;
    this.reservations.add({ entry, left: granted, written: 0 });
    if (this.usedBytes + this.reservedBytes > this.policy.capBytes) this.faults.push('granted past the cap');
    const unwritten = sum([...this.reservations].map(({ left, written }) => left - written));
    if (this.#takes === this.#seenTakes && this.freeBytes - unwritten < this.policy.floorBytes) {
      this.faults.push(`granted into the floor: ${this.freeBytes} free, ${unwritten} to be written`);
    }
    return granted;
  }

  write(reservation: Reservation, bytes: number): void {
    reservation.written = Math.min(reservation.left, reservation.written + bytes);
  }

  record(reservation: Reservation, bytes: number): void {
    const recorded = Math.min(bytes, reservation.written);
    if (recorded === 0) return;
    reservation.left -= recorded;
    reservation.written -= recorded;
    reservation.entry.bytes += recorded;
    this.keeper.stored(recorded, recorded);
    if (reservation.left === 0) this.end(reservation);
  }

  /** What was written and not recorded lies about until the file goes. */
  end(reservation: Reservation): void {
    this.reservations.delete(reservation);
    reservation.entry.users -= 1;
    this.keeper.release(reservation.left);
    if (reservation.written === 0) return;
    const bytes = (this.strays.get(reservation.entry.id) ?? 0) + reservation.written;
    this.strays.set(reservation.entry.id, bytes);
    this.keeper.strayed(reservation.entry.id, bytes);
  }

  remove(entry: ModelEntry): void {
    this.entries.delete(entry.id);
    this.keeper.removed(entry.bytes);
    this.strays.delete(entry.id);
    this.keeper.strayed(entry.id, 0);
  }

  othersTake(bytes: number): void {
    if (bytes > 0) this.#takes += 1;
    this.othersBytes = Math.max(0, Math.min(this.othersBytes + bytes, this.othersBytes + this.freeBytes));
  }

  /** Lets rounds of evictions, looks and tries that are under way come to their end. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await turnLoop();
    await this.keeper.makeRoom(0);
    await turnLoop();
  }

  check(): void {
    const { usedBytes, reservedBytes } = this.keeper.state;
    if (usedBytes !== this.usedBytes) this.faults.push(`${usedBytes} bytes in its books, ${this.usedBytes} in truth`);
    if (reservedBytes !== this.reservedBytes) this.faults.push(`${reservedBytes} reserved in its books`);
    for (const [bad, good] of [
      ['no-room', 'room-again'],
      ['disk-refused', 'disk-well'],
    ]) {
      const told = this.events.filter(({ kind }) => kind === bad || kind === good).map(({ kind }) => kind);
      if (told.some((kind, index) => kind !== (index % 2 === 0 ? bad : good))) this.faults.push(`told ${told.join()}`);
    }
    if (this.events.filter(({ kind }) => kind === 'evicted').length !== this.evicted.length) {
      this.faults.push('an eviction without an event, or an event without one');
    }
    expect(this.faults).toEqual([]);
  }

  #evictable(): ModelEntry[] {
    return [...this.entries.values()]
      .filter((entry) => !entry.pinned)
      .toSorted((a, b) => a.lastUsedAt - b.lastUsedAt || a.id - b.id);
  }

  async #evict(id: number): Promise<number | null> {
    const entry = this.entries.get(id);
    if (entry === undefined) return 0;
    if (entry.users > 0) return null;
    if (this.freeBytes <= 0 && this.diskBytes > 0 && this.ballast > 0) {
      throw new LarderError('storage', 'database or disk is full', { cause: new Error('SQLITE_FULL') });
    }
    // What was pinned or used since the list was made is not its fault.
    if (this.#steps === this.#listedAtStep) {
      if (entry.pinned) this.faults.push(`entry ${id} is pinned and went`);
      const older = this.#evictable().find((other) => other.users === 0 && other.bytes > 0 && isBehind(entry, other));
      if (older !== undefined) this.faults.push(`entry ${id} went before ${older.id}`);
    }
    const bytes = entry.bytes;
    this.remove(entry);
    // Its label goes after it.
    await turnLoop();
    this.evicted.push(id);
    return bytes;
  }
}

function isBehind(a: { lastUsedAt: number; id: number }, b: { lastUsedAt: number; id: number }): boolean {
  return a.lastUsedAt > b.lastUsedAt || (a.lastUsedAt === b.lastUsedAt && a.id > b.id);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code });
}

async function startModel(options: ModelOptions = {}): Promise<Model> {
  const model = new Model(options);
  await model.keeper.start();
  await model.rest();
  return model;
}

/** An entry that somebody fetched and left. */
function stored(model: Model, bytes: number): ModelEntry {
  const entry = model.add();
  expect(model.reserve(entry, bytes)).toBe(bytes);
  const reservation = [...model.reservations].at(-1)!;
  model.write(reservation, bytes);
  model.record(reservation, bytes);
  return entry;
}

/** Random sequences of everything that can happen, with a look at what must be true after each step. */
async function checkSequences(count: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = createRandom(seed);
      const floorBytes = random.pick([0, 20 * MB, 290 * MB]);
      const model = await startModel({ policy: { capBytes: random.pick([1, 7, 100, 400]) * MB, floorBytes } });
      const anyEntry = () => random.pick([...model.entries.values()]);
      const anyReservation = () => random.pick([...model.reservations]);
      for (let step = 0; step < 60; step++) {
        const kind = random.between(0, 13);
        if (kind <= 3 || model.entries.size === 0) {
          const entry = model.entries.size > 0 && random.chance(0.3) ? anyEntry() : model.add();
          model.reserve(entry, random.between(1, random.pick([50_000, 5 * MB, 60 * MB])));
        } else if (kind <= 6 && model.reservations.size > 0) {
          const reservation = anyReservation();
          model.write(reservation, random.between(1, 40 * MB));
          if (random.chance(0.7)) model.record(reservation, random.between(1, 40 * MB));
        } else if (kind === 7 && model.reservations.size > 0) {
          model.end(anyReservation());
        } else if (kind === 8) {
          const entry = anyEntry();
          entry.lastUsedAt = model.uses.nextMs();
        } else if (kind === 9) {
          const entry = anyEntry();
          entry.pinned = !entry.pinned;
        } else if (kind === 10) {
          model.othersTake(random.between(-100 * MB, 60 * MB));
        } else if (kind === 11) {
          const entry = anyEntry();
          if (entry.users === 0) model.remove(entry);
        } else if (kind === 12) {
          model.keeper.refused(systemError(random.pick(['ENOSPC', 'EROFS', 'EIO', 'EDQUOT'])));
        } else {
          model.policy = { ...model.policy, capBytes: random.pick([1, 7, 100, 400]) * MB };
          // A round that runs already may have looked before: the next one has not.
          await model.keeper.makeRoom(0);
          await model.keeper.makeRoom(0);
        }
        model.step();
        if (random.chance(0.5)) await turnLoop();
        if (random.chance(0.2)) await model.clock.run(random.between(1, 70_000), 3);
        model.check();
      }
      // Nobody wants anything any more, and others take nothing: the cache comes within its bounds.
      for (const reservation of [...model.reservations]) model.end(reservation);
      for (const entry of model.entries.values()) entry.pinned = false;
      model.step();
      await model.clock.run(2 * DISK_LOOK_IDLE_MS, 5);
      await model.rest();
      model.check();
      expect(model.keeper.state.reservedBytes).toBe(0);
      const isOver = model.usedBytes > model.policy.capBytes || model.freeBytes < model.policy.floorBytes;
      if (isOver) expect(sum([...model.entries.values()].map((entry) => entry.bytes))).toBe(0);
      await model.keeper.stop();
    }),
    runs(count),
  );
}

describe('the keeper of the space against a model', () => {
  test('invariants 6 and 7: never past the cap or into the floor, nothing in use or pinned goes, the oldest goes first', async () => {
    await checkSequences(200);
  }, 30_000);

  test('using an entry again protects it: the one that was not used for longest goes', async () => {
    const model = await startModel({ policy: { capBytes: 10 * MB, floorBytes: 0 } });
    const [a, b] = [stored(model, 3 * MB), stored(model, 3 * MB), stored(model, 3 * MB)];
    a.lastUsedAt = model.uses.nextMs();
    model.step();
    await model.keeper.makeRoom(2 * MB);
    expect(model.evicted).toEqual([b.id]);
    model.check();
  });

  for (const [direction, yearsOff] of [
    ['back ten years', -10],
    ['ahead ten years, and back again', 10],
  ] as const) {
    test(`a clock that jumps ${direction}: the order of uses decides who goes, not the clock`, async () => {
      const model = await startModel({ policy: { capBytes: 10 * MB, floorBytes: 0 } });
      const wall = { nowMs: () => offMs + model.clock.nowMs() };
      let offMs = 0;
      const uses = new UseLog({ ...wall, monotonicMs: () => 0, after: () => never, every: () => never }, 0);
      const entries = [stored(model, 3 * MB), stored(model, 3 * MB), stored(model, 3 * MB)];
      const years = yearsOff * 365 * 86_400_000;
      for (const [index, entry] of entries.entries()) {
        offMs = index === 1 ? years : 0;
        entry.lastUsedAt = uses.nextMs();
      }
      model.step();
      for (let round = 0; round < 3; round++) await model.keeper.makeRoom((3 * round + 2) * MB);
      expect(model.evicted).toEqual(entries.map((entry) => entry.id));
      for (const { text } of model.events.filter(({ kind }) => kind === 'evicted')) expect(text).not.toContain('-');
    });
  }

  test('when everything is pinned or in use nothing is granted, it is said once, and room comes back by itself', async () => {
    const model = await startModel({ policy: { capBytes: 10 * MB, floorBytes: 0 } });
    const pinned = stored(model, 5 * MB);
    pinned.pinned = true;
    const used = stored(model, 5 * MB);
    used.users = 1;
    model.step();
    await model.keeper.makeRoom(1 * MB);
    for (let round = 0; round < 20; round++) {
      expect(model.reserve(model.add(), 1 * MB)).toBe(0);
      expect(model.keeper.refusal(1 * MB)?.message).toMatch(/pinned/);
      await model.clock.run(10_000, 5);
    }
    expect(model.events.map(({ kind }) => kind)).toEqual(['no-room']);
    used.users = 0;
    await model.clock.run(DISK_RETRY_IDLE_MS, 5);
    expect(model.keeper.refusal(1 * MB)).toBeNull();
    expect(model.events.map(({ kind }) => kind)).toEqual(['no-room', 'evicted', 'room-again']);
    expect(model.entries.has(pinned.id)).toBe(true);
    model.check();
  });

  test('a file larger than the cap is refused, and nothing goes for it', async () => {
    const model = await startModel({ policy: { capBytes: 10 * MB, floorBytes: 0 } });
    stored(model, 5 * MB);
    expect(model.keeper.refusal(10 * MB + 1)?.message).toMatch(/larger than the cache/);
    expect(model.keeper.refusal(10 * MB)).toBeNull();
    await model.rest();
    expect(model.evicted).toEqual([]);
    expect(model.events).toEqual([]);
  });

  test('a disk that refuses a thousand times is said once, tried again, and is well by itself', async () => {
    const model = await startModel();
    model.refusesWrites = 'EROFS: read-only file system';
    for (let index = 0; index < 1_000; index++) model.keeper.refused(systemError('EROFS'));
    await model.clock.run(10 * DISK_RETRY_IDLE_MS, 3);
    expect(model.logLines.filter((line) => /level=(error|warning)/.test(line))).toHaveLength(1);
    expect(model.events).toHaveLength(1);
    expect(model.events[0]!.text).toMatch(/read-only/);
    model.refusesWrites = null;
    await model.clock.run(DISK_RETRY_IDLE_MS, 5);
    expect(model.keeper.refusal(1)).toBeNull();
    expect(model.events.map(({ kind }) => kind)).toEqual(['disk-refused', 'disk-well']);
  });

  test('rows of what was removed in the same moment are no trouble of the disk', async () => {
    const model = await startModel();
    model.keeper.refused(new Error('SQLITE_CONSTRAINT: FOREIGN KEY constraint failed'));
    expect(model.keeper.refusal(1)).toBeNull();
    expect(model.events).toEqual([]);
  });

  test('what the database says is understood also when its layer wraps it', async () => {
    const wrapped = (text: string) =>
      new Error('Failed query: insert into "cache_chunks" … params: 7,secret.mkv', { cause: new Error(text) });
    const model = await startModel();
    model.keeper.refused(wrapped('SQLITE_CONSTRAINT: FOREIGN KEY constraint failed'));
    expect(model.keeper.refusal(1)).toBeNull();
    model.refusesWrites = 'still full';
    model.keeper.refused(wrapped('SQLITE_FULL: database or disk is full'));
    expect(model.keeper.refusal(1)?.hint).toMatch(/make room/);
    expect(model.keeper.state.trouble?.why).not.toMatch(/params/);
  });

  test('invariant 6: two looks at the disk that overlap do not make bytes out of nothing', async () => {
    const model = await startModel({ policy: { capBytes: 1_000 * MB, floorBytes: 0 } });
    stored(model, 100 * MB);
    model.clock.advance(DISK_LOOK_MS + 1);
    model.reserve(model.add(), 1); // looks
    await model.keeper.makeRoom(0); // looks, too
    await turnLoop();
    model.reserve(model.add(), 299 * MB);
    model.check();
  });

  test('with not a byte left the ballast is given up, so that something can go', async () => {
    const model = await startModel({ policy: { capBytes: 200 * MB, floorBytes: 20 * MB } });
    const oldest = stored(model, 60 * MB);
    stored(model, 60 * MB);
    model.ballast = 2 * MB;
    model.othersTake(Number.MAX_SAFE_INTEGER);
    expect(model.freeBytes).toBe(0);
    await model.keeper.makeRoom(0);
    expect(model.evicted).toEqual([oldest.id]);
    // Given up, and put back when there was room.
    expect(model.ballastGivenUp).toBe(1);
    expect(model.ballast).toBe(2 * MB);
    expect(model.keeper.state.trouble).toBeNull();
  });
});

const never = { cancel: () => undefined };

describe('the policy', () => {
  const disk = { freeBytes: 600 * GB, totalBytes: 1_000 * GB };
  const automatic = { cacheSize: null, keepFree: null, derivedCapBytes: 480 * GB };

  test('the cap is the smaller of 80 % of what is free and the disk less 10 %', () => {
    expect(deriveCap(disk)).toBe(480 * GB);
    expect(deriveCap({ freeBytes: 1_000 * GB, totalBytes: 1_000 * GB })).toBe(800 * GB);
    expect(deriveCap({ freeBytes: 0, totalBytes: 1_000 * GB })).toBe(0);
    // Free may be more than the total less 10 % only where a file system counts so.
    expect(deriveCap({ freeBytes: 2_000 * GB, totalBytes: 1_000 * GB })).toBe(900 * GB);
  });

  test('a derived cap stays what it was when the disk fills', () => {
    expect(policyOf(automatic, disk).capBytes).toBe(480 * GB);
    expect(policyOf(automatic, { ...disk, freeBytes: 1 }).capBytes).toBe(480 * GB);
  });

  test('the floor is 5 % of a small disk and 10 GiB of a large one', () => {
    expect(policyOf(automatic, { freeBytes: 0, totalBytes: 100 * GB }).floorBytes).toBe(5 * GB);
    expect(policyOf(automatic, disk).floorBytes).toBe(10 * 2 ** 30);
  });

  test('sizes are bytes, and shares are of the disk', () => {
    const settings = { ...automatic, cacheSize: { bytes: 7 }, keepFree: { share: 0.5 } };
    expect(policyOf(settings, disk)).toEqual({ capBytes: 7, floorBytes: 500 * GB });
    expect(policyOf({ ...automatic, cacheSize: { share: 0.25 }, keepFree: { bytes: 0 } }, disk)).toEqual({
      capBytes: 250 * GB,
      floorBytes: 0,
    });
  });
});
