// Keeps the cache within its cap and the disk above its floor of free bytes (DESIGN.md §5, invariants 6 and 7). Room is
// taken before it is written. When there is too little, the least recently used entry that nobody uses and nobody
// pinned goes; when nothing may go, or the disk refuses bytes, files are told so and pass on what they fetch.
import type { Space } from '../chunks/space.ts';
import type { Clock, Timer } from '../clock.ts';
import { isMissingReference } from '../db/database.ts';
import type { EntryCursor, EvictableEntry } from '../db/entries.ts';
import { describeError, LarderError, rootCause } from '../errors.ts';
import {
  DISK_LOOK_IDLE_MS,
  DISK_LOOK_MS,
  DISK_RETRY_IDLE_MS,
  DISK_RETRY_MS,
  HEADROOM_BYTES,
  ROOM_MIN_BYTES,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { describeAge, describeBytes } from '../words.ts';

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface SpacePolicy {
  /** Cached bytes at most, those in flight included. */
  readonly capBytes: number;
  /** Bytes of the disk that stay free. */
  readonly floorBytes: number;
}

export interface SpaceServices {
  readonly policy: (disk: DiskSpace) => SpacePolicy;
  readonly lookAtDisk: () => Promise<DiskSpace>;
  /** Entries that nobody pinned, least recently used first; uses up to now are written down before. */
  readonly listEvictable: (limit: number, cursor: EntryCursor | null) => Promise<EvictableEntry[]>;
  /** @returns the bytes that went; null when the entry is in use */
  readonly evict: (entryId: number) => Promise<number | null>;
  /** Whether somebody waits for room. */
  readonly isWanted: () => boolean;
  /** Files are to look again at what room there is. */
  readonly changed: () => void;
  /** Writes something for good and removes it, on the disk and in the database. @throws when one of them refuses */
  readonly tryToWrite: () => Promise<void>;
  /** A file that is there to be given up. @returns whether there was one */
  readonly giveUpBallast: () => Promise<boolean>;
  readonly restoreBallast: () => Promise<void>;
  /** @returns whether it was written */
  readonly noteEvent: (kind: string, subject: string, text: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SpaceTrouble {
  /** The disk or the database refuses bytes, or there is no room for any. */
  readonly kind: 'refused' | 'full';
  readonly why: string;
  readonly hint: string | null;
  /** Wall clock. */
  readonly sinceMs: number;
}

export interface SpaceState extends SpacePolicy, DiskSpace {
  readonly usedBytes: number;
  readonly reservedBytes: number;
  /** Why nothing is written now, and what to do; null when all is well. */
  readonly trouble: SpaceTrouble | null;
}

const EVICTABLE_PAGE = 50;

export class SpaceKeeper implements Space {
  readonly #services: SpaceServices;
  #policy: SpacePolicy = { capBytes: 0, floorBytes: 0 };
  #disk: DiskSpace = { freeBytes: 0, totalBytes: 0 };
  /** Bytes that the last look at the disk has not seen written, at most. */
  #unseenBytes = 0;
  #usedBytes: number;
  #reservedBytes = 0;
  readonly #strays = new Map<number, number>();
  #strayBytes = 0;
  /** The disk or the database refuses. */
  #broken: LarderError | null = null;
  #brokenSinceMs = 0;
  /** There is no room, and none can be made. */
  #full: LarderError | null = null;
  #fullSinceMs = 0;
  /** It was told that there is no room, and not yet that there is. */
  #isFullTold = false;
  readonly #tooLarge = new LarderError('storage', 'the file is larger than the cache', {
    retry: 'never',
    hint: 'give the cache more room',
  });
  #lookedAtMs = 0;
  /** When there was nothing that could be evicted. */
  #untold: { readonly kind: string; readonly text: string } | null = null;
  #isBallastGone = false;
  #lookCount = 0;
  #foundNoneAtMs = Number.NEGATIVE_INFINITY;
  /** Room that is to be there after the running round of evictions. */
  #targetBytes = 0;
  #making: Promise<void> | undefined;
  #lookingNow: Promise<void> | undefined;
  #retry: Timer | undefined;
  #looking: Timer | undefined;
  #stopped = false;

  /** @param usedBytes - what the rows say is cached */
  constructor(usedBytes: number, services: SpaceServices) {
    this.#usedBytes = usedBytes;
    this.#services = services;
  }

  /** Looks at the disk, and brings the cache within its bounds. */
  async start(): Promise<void> {
    await this.#look();
    this.#looking = this.#services.clock.every(DISK_LOOK_IDLE_MS, () => void this.makeRoom(0));
    void this.makeRoom(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#looking?.cancel();
    await this.#making;
  }

  get state(): SpaceState {
    const trouble = this.#broken ?? this.#full;
    return {
      ...this.#policy,
      ...this.#disk,
      usedBytes: this.#usedBytes + this.#strayBytes,
      reservedBytes: this.#reservedBytes,
      trouble:
        trouble === null
          ? null
          : {
              kind: this.#broken === null ? 'full' : 'refused',
              why: trouble.message,
              hint: trouble.hint ?? null,
              sinceMs: this.#broken === null ? this.#fullSinceMs : this.#brokenSinceMs,
            },
    };
  }

  refusal(totalBytes: number | null): LarderError | null {
    if (this.#broken !== null) return this.#broken;
    if (totalBytes !== null && totalBytes > this.#policy.capBytes) return this.#tooLarge;
    // What was in use a moment ago may be evicted by now.
    const age = this.#services.clock.monotonicMs() - this.#lookedAtMs;
    if (this.#full !== null && age > DISK_LOOK_MS) void this.makeRoom(this.#headroomBytes());
    return this.#full;
  }

  reserve(bytes: number): number {
    const room = this.#roomBytes();
    const granted = Math.max(0, Math.min(bytes, room));
    this.#reservedBytes += granted;
    this.#unseenBytes += granted;
    const isShort = granted < bytes || room - granted < this.#headroomBytes();
    // Where there is no room it is looked for now and then, not with each wish.
    if (isShort && this.#full === null) void this.makeRoom(this.#headroomBytes());
    else if (this.#services.clock.monotonicMs() - this.#lookedAtMs > DISK_LOOK_MS) this.#lookAgain();
    return granted;
  }

  release(bytes: number): void {
    // What it wrote may be on the disk all the same: the next look at the disk tells.
    this.#reservedBytes -= bytes;
  }

  stored(reserved: number, added: number): void {
    this.#reservedBytes -= reserved;
    this.#usedBytes += added;
  }

  removed(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  strayed(generationId: number, bytes: number): void {
    this.#strayBytes += bytes - (this.#strays.get(generationId) ?? 0);
    if (bytes === 0) this.#strays.delete(generationId);
    else this.#strays.set(generationId, bytes);
  }

  refused(error: unknown): void {
    const { log, noteEvent } = this.#services;
    const words = wordsOf(error);
    // Nothing is wrong with the disk: rows of something that was removed in the same moment, or a mistake of ours.
    if (isMissingReference(error)) {
      log.debug('rows of what is gone were refused', { error: words });
      return;
    }
    if (/constraint failed/.test(words)) {
      log.error('rows were refused; what they tell of is passed on and not kept', { error: words });
      return;
    }
    if (this.#broken === null) {
      const hint = hintFor(error);
      this.#broken = new LarderError('storage', words, { retry: 'later', hint });
      this.#brokenSinceMs = this.#services.clock.nowMs();
      log.error('the disk refuses bytes; streams go on uncached', { error: words, hint });
      const text = `Nothing can be cached from now on: ${words}. Streams go on uncached; ${hint}.`;
      // A database that takes no rows takes no event: it is written when it does.
      this.#untold = { kind: 'disk-refused', text };
      void noteEvent('disk-refused', 'disk', text).then((isNoted) => {
        if (isNoted) this.#untold = null;
      });
      this.#services.changed();
    }
    this.#retryLater();
  }

  /** Evicts until `targetBytes` may be written, if it can. Rounds do not overlap. */
  makeRoom(targetBytes: number): Promise<void> {
    this.#targetBytes = Math.max(this.#targetBytes, targetBytes);
    this.#making ??= this.#makeRoom()
      .catch((error: unknown) => {
        this.#targetBytes = 0;
        this.refused(error);
      })
      .finally(() => {
        this.#making = undefined;
        // What was asked for while files were told of this round is for the next one.
        if (this.#targetBytes > 0 && !this.#stopped) void this.makeRoom(0);
      });
    return this.#making;
  }

  /** The owner set other bounds: they hold from now on. Resolves when what has to go for them has gone. */
  async policyChanged(): Promise<void> {
    this.#applyPolicy();
    await this.#making;
    // What could not go under the old bounds is looked for anew.
    this.#foundNoneAtMs = Number.NEGATIVE_INFINITY;
    await this.makeRoom(0);
  }

  #roomBytes(): number {
    const inCap = this.#policy.capBytes - this.#usedBytes - this.#strayBytes - this.#reservedBytes;
    const onDisk = this.#disk.freeBytes - this.#policy.floorBytes - this.#unseenBytes;
    return Math.min(inCap, onDisk);
  }

  #headroomBytes(): number {
    return Math.min(HEADROOM_BYTES, Math.floor(this.#policy.capBytes / 16));
  }

  /** The disk cannot be asked: what was last known of it counts on. */
  #lookAgain(): void {
    this.#look().catch((error: unknown) => {
      this.#services.log.debug('the disk could not be looked at', { error: describeError(error) });
    });
  }

  #applyPolicy(): void {
    this.#policy = this.#services.policy(this.#disk);
  }

  /** One look at a time: what was granted while the disk was asked is counted to that look. */
  #look(): Promise<void> {
    this.#lookingNow ??= this.#lookOnce().finally(() => {
      this.#lookingNow = undefined;
    });
    return this.#lookingNow;
  }

  async #lookOnce(): Promise<void> {
    this.#lookedAtMs = this.#services.clock.monotonicMs();
    // What is reserved now may or may not be seen by this look; it is counted as not seen.
    const reservedBefore = this.#reservedBytes;
    const grantedBefore = this.#unseenBytes;
    this.#disk = await this.#services.lookAtDisk();
    this.#lookCount += 1;
    this.#unseenBytes = reservedBefore + (this.#unseenBytes - grantedBefore);
    this.#applyPolicy();
  }

  async #makeRoom(): Promise<void> {
    const roomBefore = this.#roomBytes();
    const refusalBefore = this.#broken ?? this.#full;
    await this.#look();
    const { clock } = this.#services;
    // Looking through all entries in vain is not for each reservation.
    const mayEvict = clock.monotonicMs() - this.#foundNoneAtMs > DISK_LOOK_MS;
    while (mayEvict && !this.#stopped && this.#roomBytes() < this.#targetBytes) {
      if (await this.#evictOne()) continue;
      this.#foundNoneAtMs = clock.monotonicMs();
      break;
    }
    this.#targetBytes = 0;
    if (this.#isBallastGone && this.#roomBytes() > ROOM_MIN_BYTES) {
      this.#isBallastGone = false;
      await this.#services.restoreBallast();
    }
    this.#judge();
    const isChanged = this.#roomBytes() !== roomBefore || (this.#broken ?? this.#full) !== refusalBefore;
    if (isChanged) this.#services.changed();
  }

  /** Whether there is room for anything at all. */
  #judge(): void {
    const { log, noteEvent } = this.#services;
    const isFull = this.#roomBytes() < Math.min(ROOM_MIN_BYTES, this.#headroomBytes());
    if (isFull && this.#full === null) {
      const byCap = this.#policy.capBytes - this.#usedBytes <= this.#disk.freeBytes - this.#policy.floorBytes;
      const why = byCap
        ? 'the cache is at its size, and everything in it is in use or pinned'
        : 'the disk has no more than the bytes that are to stay free, and nothing may be evicted';
      this.#full = new LarderError('storage', why, {
        retry: 'later',
        hint: byCap ? 'unpin something, or give the cache more with --cache-size' : 'make room on the disk',
      });
      if (!this.#isFullTold) this.#fullSinceMs = this.#services.clock.nowMs();
      // A disk that refuses was told of already.
      if (!this.#isFullTold && this.#broken === null) {
        this.#isFullTold = true;
        log.warning('there is no room; streams go on uncached', { why });
        void noteEvent('no-room', 'disk', `Streams go on uncached: ${why}.`);
      }
    } else if (!isFull) {
      this.#full = null;
      // A reader that left makes room for the next: that is not worth telling. Room for more is.
      if (this.#isFullTold && this.#roomBytes() >= this.#headroomBytes() * 2) {
        this.#isFullTold = false;
        log.info('there is room again; caching goes on');
        void noteEvent('room-again', 'disk', 'There is room again; caching goes on.');
      }
    }
    if (this.#full !== null) this.#retryLater();
  }

  /** @returns whether something went */
  async #evictOne(): Promise<boolean> {
    const { listEvictable } = this.#services;
    let cursor: EntryCursor | null = null;
    for (;;) {
      const page: EvictableEntry[] = await listEvictable(EVICTABLE_PAGE, cursor);
      for (const entry of page) if (await this.#evict(entry)) return true;
      cursor = page.at(-1) ?? null;
      if (cursor === null) return false;
    }
  }

  async #evict(entry: EvictableEntry): Promise<boolean> {
    const { evict, giveUpBallast, noteEvent, clock } = this.#services;
    const why = this.#describeNeed();
    const lookBefore = this.#lookCount;
    let bytes: number | null;
    try {
      bytes = await evict(entry.entryId);
    } catch (error) {
      // On a disk without a byte left even a removal cannot be written down.
      if (!isFullError(error) || !(await giveUpBallast())) throw error;
      this.#isBallastGone = true;
      bytes = await evict(entry.entryId);
    }
    if (bytes === null) return false;
    // Some file systems give room back late: it is believed until the next look, unless that came meanwhile.
    if (this.#lookCount === lookBefore) {
      this.#disk = { ...this.#disk, freeBytes: this.#disk.freeBytes + bytes };
    }
    const used = describeAge(clock.nowMs() - entry.lastUsedAt);
    const reason = entry.isRemoved ? 'dropped by hand before' : `of all that may go the least recently used (${used})`;
    const text = `${describeBytes(bytes)} went, ${reason}, because ${why}.`;
    void noteEvent('evicted', `${entry.source}/${entry.path}`, text);
    return true;
  }

  #describeNeed(): string {
    const { capBytes, floorBytes } = this.#policy;
    const inCap = capBytes - this.#usedBytes - this.#strayBytes - this.#reservedBytes;
    return inCap <= this.#disk.freeBytes - floorBytes - this.#unseenBytes
      ? `the cache is at its size of ${describeBytes(capBytes)}`
      : `${describeBytes(floorBytes)} of the disk are to stay free`;
  }

  #retryLater(): void {
    if (this.#retry !== undefined || this.#stopped) return;
    const delayMs = this.#services.isWanted() ? DISK_RETRY_MS : DISK_RETRY_IDLE_MS;
    this.#retry = this.#services.clock.after(delayMs, () => {
      this.#retry = undefined;
      void this.#try();
    });
  }

  /** Whether the disk takes bytes again, and whether there is room by now. */
  async #try(): Promise<void> {
    const { tryToWrite, noteEvent, log } = this.#services;
    if (this.#broken !== null) {
      try {
        await tryToWrite();
        await this.#look();
      } catch (error) {
        // Where it is room that is missing, something may go.
        if (isFullError(error) && this.#services.isWanted()) await this.makeRoom(this.#headroomBytes());
        this.#retryLater();
        return;
      }
      // A disk with a handful of free bytes takes the trial, and refuses the next film.
      if (this.#disk.freeBytes < ROOM_MIN_BYTES * 4) {
        await this.makeRoom(this.#headroomBytes());
        if (this.#disk.freeBytes < ROOM_MIN_BYTES * 4) {
          this.#retryLater();
          return;
        }
      }
      this.#broken = null;
      const untold = this.#untold;
      this.#untold = null;
      if (untold !== null) await noteEvent(untold.kind, 'disk', untold.text);
      log.info('the disk takes bytes again; caching goes on');
      void noteEvent('disk-well', 'disk', 'The disk takes bytes again; caching goes on.');
      this.#services.changed();
    }
    // Nothing is evicted for nobody: whoever comes next finds out whether there is room.
    if (this.#services.isWanted()) await this.makeRoom(this.#headroomBytes());
    else this.#full = null;
  }
}

/** What went wrong, without the query that it went wrong in. */
function wordsOf(error: unknown): string {
  return error instanceof LarderError ? error.message : describeError(rootCause(error));
}

/** By its words: a code does not come along from a thread. */
function isFullError(error: unknown): boolean {
  return /SQLITE_FULL|disk is full|ENOSPC|EDQUOT/.test(wordsOf(error));
}

function hintFor(error: unknown): string {
  if (isFullError(error)) return 'make room on the disk of the data folder';
  if (/SQLITE_READONLY|readonly|EROFS/.test(wordsOf(error))) {
    return 'the disk of the data folder is read-only: check it, and mount it for writing';
  }
  return 'check the disk of the data folder, and who may write there';
}
