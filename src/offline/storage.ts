// The disk as its owner sees it: what takes how much, what goes next and why, and what another cap or floor would do,
// told before it is done. The order is the one in which the space keeper evicts: both ask the same list.
import type { Clock } from '../clock.ts';
import type { EntryCursor, EvictableEntry } from '../db/entries.ts';
import type { StorageTable, StoredEntry } from '../db/storage.ts';
import { LarderError } from '../errors.ts';
import { options, type Settings } from '../options.ts';
import { describeAge, describeBytes } from '../words.ts';
import type { DiskSpace, SpaceKeeper, SpacePolicy, SpaceState } from './space-keeper.ts';

export type StorageSetting = 'cacheSize' | 'keepFree';
export const storageSettings: readonly StorageSetting[] = ['cacheSize', 'keepFree'];

/** As they are written in a flag or a form: `500GB`, `60%`, `auto`. What is left out stays. */
export type StorageChanges = Readonly<Partial<Record<StorageSetting, string>>>;

export interface StorageSettings {
  readonly current: () => Pick<Settings, StorageSetting>;
  /** What fixes a setting outside, in its owner's words; null when it can be changed here. */
  readonly lockedBy: (name: StorageSetting) => string | null;
  /**
   * Keeps the changes, all or none, and resolves when what has to go for them has gone.
   * @throws LarderError `invalid` for what cannot be read, or is fixed outside
   */
  readonly change: (changes: StorageChanges) => Promise<void>;
}

/** A file in memory, as far as it takes room. */
export interface UsedFile {
  readonly entryId: number;
  readonly isUsed: boolean;
  readonly bytes: number;
}

export interface StorageServices {
  readonly space: Pick<SpaceKeeper, 'state'>;
  readonly table: Pick<StorageTable, 'describe' | 'listPinned'>;
  /** As the space keeper asks it. */
  readonly listEvictable: (limit: number, cursor: EntryCursor | null) => Promise<EvictableEntry[]>;
  readonly files: () => Iterable<UsedFile>;
  readonly policyOf: (settings: Pick<Settings, StorageSetting>, disk: DiskSpace) => SpacePolicy;
  readonly settings: StorageSettings;
  readonly clock: Clock;
}

export interface StorageSettingState {
  /** As it would be written: `500GB`, `60%`, `auto`. */
  readonly text: string;
  /** What it comes to on this disk. */
  readonly bytes: number;
  readonly automaticBytes: number;
  readonly lockedBy: string | null;
}

export interface StorageState extends SpaceState {
  /** Of what is kept: never goes · is read or fetched now · may go. */
  readonly pinnedBytes: number;
  readonly inUseBytes: number;
  readonly removableBytes: number;
  /** Taken on the disk by anything but the cache. */
  readonly otherBytes: number;
  /** What may still be kept. */
  readonly roomBytes: number;
  /** What the cache can come to: less than its cap where the disk is smaller or other programs fill it. */
  readonly effectiveCapBytes: number;
  readonly settings: Readonly<Record<StorageSetting, StorageSettingState>>;
}

export interface EntryToGo extends StoredEntry {
  readonly reason: string;
}

export interface StoragePreview {
  readonly before: SpacePolicy;
  readonly after: SpacePolicy;
  readonly isChanged: boolean;
  /** What would go, in this order; of many only the first are listed. */
  readonly goes: { readonly count: number; readonly bytes: number; readonly items: readonly EntryToGo[] };
  /** Bytes above the new bounds that stay: of the cache, because they are pinned or in use, and of other programs. */
  readonly shortBytes: number;
  readonly shortOwnBytes: number;
  readonly shortOtherBytes: number;
  readonly roomBytes: number;
  readonly remarks: readonly string[];
}

const PAGE = 100;
const LISTED_MAX = 50;
/** Adding up what is pinned looks at every pinned entry: not with each look at the page. */
const PINNED_AGE_MS = 5_000;

export class Storage {
  readonly #services: StorageServices;
  #pinned: { readonly bytes: number; readonly atMs: number; readonly ids: ReadonlySet<number> } | undefined;

  constructor(services: StorageServices) {
    this.#services = services;
  }

  async state(): Promise<StorageState> {
    const { space } = this.#services;
    const { bytes: pinnedBytes, ids } = await this.#pinnedEntries();
    const state = space.state;
    const inUseBytes = this.#sumInUse(ids);
    const used = Math.max(state.usedBytes, 0);
    return {
      ...state,
      pinnedBytes: Math.min(pinnedBytes, used),
      inUseBytes: Math.min(inUseBytes, Math.max(0, used - pinnedBytes)),
      removableBytes: Math.max(0, used - pinnedBytes - inUseBytes),
      otherBytes: Math.max(0, state.totalBytes - state.freeBytes - used),
      roomBytes: roomOf(state, state),
      effectiveCapBytes: effectiveCapOf(state, state),
      settings: this.#settings(state),
    };
  }

  /** Who goes when the next room is needed, first first. */
  async nextToGo(limit: number): Promise<EntryToGo[]> {
    const found: EntryToGo[] = [];
    for await (const entry of this.#evictionOrder()) {
      found.push(entry);
      if (found.length >= limit) break;
    }
    return found;
  }

  /**
   * What would come of the changes, without making them.
   * @throws LarderError `invalid` that names the setting at fault
   */
  async preview(changes: StorageChanges): Promise<StoragePreview> {
    const { space, policyOf, settings } = this.#services;
    const state = space.state;
    const before = policyOf(settings.current(), state);
    const after = policyOf({ ...settings.current(), ...this.#parse(changes) }, state);
    let missing = -roomOf(state, after);
    const items: EntryToGo[] = [];
    let count = 0;
    let bytes = 0;
    if (missing > 0) {
      for await (const entry of this.#evictionOrder()) {
        count += 1;
        bytes += entry.bytes;
        if (items.length < LISTED_MAX) items.push(entry);
        missing -= entry.bytes;
        if (missing <= 0) break;
      }
    }
    const shortBytes = Math.max(0, missing);
    // What is left of the cache is all that could still make room; the rest of the disk is not ours to remove.
    const shortOwnBytes = Math.min(shortBytes, Math.max(0, state.usedBytes - bytes) + state.reservedBytes);
    return {
      before,
      after,
      isChanged: before.capBytes !== after.capBytes || before.floorBytes !== after.floorBytes,
      goes: { count, bytes, items },
      shortBytes,
      shortOwnBytes,
      shortOtherBytes: shortBytes - shortOwnBytes,
      roomBytes: Math.max(0, -missing),
      remarks: remarksOn(after, state),
    };
  }

  /**
   * Stores the changes and acts on them: what has to go goes before this resolves.
   * @throws LarderError `invalid` for what cannot be read, or is fixed outside
   */
  async change(changes: StorageChanges): Promise<StorageState> {
    await this.#services.settings.change(changes);
    return this.state();
  }

  #parse(changes: StorageChanges): Partial<Pick<Settings, StorageSetting>> {
    const parsed: { -readonly [Name in StorageSetting]?: Settings[Name] } = {};
    for (const name of storageSettings) {
      const text = changes[name];
      if (text === undefined) continue;
      try {
        parsed[name] = options[name].parse([text], options[name].label);
      } catch (error) {
        if (!(error instanceof LarderError)) throw error;
        throw new LarderError('invalid', error.message, error.hint === undefined ? {} : { hint: error.hint });
      }
    }
    return parsed;
  }

  #settings(disk: DiskSpace): Record<StorageSetting, StorageSettingState> {
    const { settings, policyOf } = this.#services;
    const current = settings.current();
    const policy = policyOf(current, disk);
    const automatic = policyOf({ cacheSize: null, keepFree: null }, disk);
    return {
      cacheSize: {
        text: options.cacheSize.format(current.cacheSize)[0] ?? 'auto',
        bytes: policy.capBytes,
        automaticBytes: automatic.capBytes,
        lockedBy: settings.lockedBy('cacheSize'),
      },
      keepFree: {
        text: options.keepFree.format(current.keepFree)[0] ?? 'auto',
        bytes: policy.floorBytes,
        automaticBytes: automatic.floorBytes,
        lockedBy: settings.lockedBy('keepFree'),
      },
    };
  }

  #usedIds(): Set<number> {
    const ids = new Set<number>();
    for (const file of this.#services.files()) if (file.isUsed) ids.add(file.entryId);
    return ids;
  }

  #sumInUse(pinnedIds: ReadonlySet<number>): number {
    let bytes = 0;
    for (const file of this.#services.files()) if (file.isUsed && !pinnedIds.has(file.entryId)) bytes += file.bytes;
    return bytes;
  }

  async *#evictionOrder(): AsyncGenerator<EntryToGo> {
    const { listEvictable, table, clock } = this.#services;
    const inUse = this.#usedIds();
    const nowMs = clock.nowMs();
    for (let cursor: EntryCursor | null = null; ; ) {
      const page: EvictableEntry[] = await listEvictable(PAGE, cursor);
      const free = page.filter((entry) => !inUse.has(entry.entryId)).map((entry) => entry.entryId);
      const described = new Map((await table.describe(free)).map((entry) => [entry.entryId, entry]));
      for (const entryId of free) {
        const entry = described.get(entryId);
        if (entry !== undefined) yield { ...entry, reason: `last used ${describeAge(nowMs - entry.lastUsedAt)}` };
      }
      cursor = page.at(-1) ?? null;
      if (cursor === null || page.length < PAGE) return;
      await this.#yieldLoop();
    }
  }

  async #pinnedEntries() {
    const { table, clock } = this.#services;
    const nowMs = clock.monotonicMs();
    if (this.#pinned !== undefined && nowMs - this.#pinned.atMs < PINNED_AGE_MS) return this.#pinned;
    const ids = new Set<number>();
    let bytes = 0;
    for (let after = 0; ; ) {
      const page = await table.listPinned(PAGE, after);
      for (const entry of page) {
        ids.add(entry.entryId);
        bytes += entry.bytes;
      }
      if (page.length < PAGE) break;
      after = page.at(-1)!.entryId;
      await this.#yieldLoop();
    }
    this.#pinned = { bytes, atMs: nowMs, ids };
    return this.#pinned;
  }

  /** The driver answers within the turn of the loop: streams get theirs between two pages. */
  #yieldLoop(): Promise<void> {
    return new Promise((resolve) => this.#services.clock.after(0, resolve));
  }
}

/** Below 0: so much is too much. */
function roomOf(state: SpaceState, policy: SpacePolicy): number {
  return Math.min(policy.capBytes - state.usedBytes, state.freeBytes - policy.floorBytes) - state.reservedBytes;
}

function effectiveCapOf(state: SpaceState, policy: SpacePolicy): number {
  const used = Math.max(state.usedBytes, 0);
  return Math.max(0, Math.min(policy.capBytes, used + state.freeBytes - policy.floorBytes));
}

function remarksOn(policy: SpacePolicy, state: SpaceState): string[] {
  const remarks: string[] = [];
  const effective = effectiveCapOf(state, policy);
  if (policy.capBytes > effective && policy.floorBytes < state.totalBytes) {
    const disk = `The disk holds ${describeBytes(state.totalBytes)}`;
    remarks.push(
      `${disk}: besides other programs and what stays free the cache comes to ${describeBytes(effective)} at most, not to ${describeBytes(policy.capBytes)}.`,
    );
  }
  if (policy.capBytes === 0) remarks.push('With a size of 0 nothing is kept: every stream comes from its source.');
  if (policy.floorBytes >= state.totalBytes) {
    remarks.push('All of the disk is to stay free: nothing is kept, every stream comes from its source.');
  }
  return remarks;
}
