// What a person can do with one entry. Pages, the API and jobs call these; results are values, and what goes wrong is a
// LarderError whose words can be shown as they are.
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { Clock } from '../clock.ts';
import type { EntryAddress, EntryTable } from '../db/entries.ts';
import type { QualityRow } from '../db/library.ts';
import { LarderError } from '../errors.ts';
import type { MediaSource } from '../sources/media-source.ts';
import { describeBytes } from '../words.ts';
import type { Removals } from './removals.ts';

/** Works off wishes for whole entries. */
export interface Downloads {
  enqueue(entryId: number, requestedBy: 'person'): Promise<void>;
  cancel(entryId: number): Promise<void>;
}

export interface Verifier {
  verify(
    entryId: number,
    progress: { readonly signal: AbortSignal; readonly advanced: (bytes: number) => void },
  ): Promise<{ readonly verifiedBytes: number; readonly damagedBytes: number }>;
}

export interface EntryActionServices {
  readonly manager: Pick<ChunkManager, 'findOpen' | 'open' | 'remove' | 'setPinned'>;
  readonly entries: EntryTable;
  readonly downloads: Downloads;
  readonly removals: Removals;
  readonly verifier: Verifier;
  readonly findSource: (name: string) => MediaSource | undefined;
  /** What may be kept at most. */
  readonly capBytes: () => number;
  readonly noteEvent: (kind: string, subject: string, text: string) => unknown;
  readonly clock: Clock;
}

export interface DroppedEntry extends EntryAddress {
  readonly bytes: number;
  /** How long it can be brought back. */
  readonly undoMs: number;
}

/** `asked`: it did not answer in time and is still being asked. `unknown`: it did not say. */
export type RecheckVerdict = 'same' | 'changed' | 'missing' | 'asked' | 'unknown';

export interface RecheckedEntry extends EntryAddress {
  readonly verdict: RecheckVerdict;
  /** Why the origin has no such file, or did not say. */
  readonly reason: string | null;
  readonly hint: string | null;
}

export interface VerifiedEntry extends EntryAddress {
  readonly verifiedBytes: number;
  readonly damagedBytes: number;
}

/** Before a browser gives up on a form (15 s, `htmxConfig` in views/layout.tsx). */
const RECHECK_ANSWER_MS = 10_000;

export class EntryActions {
  readonly #services: EntryActionServices;

  constructor(services: EntryActionServices) {
    this.#services = services;
  }

  /**
   * Has the rest of it fetched, behind whatever somebody watches.
   * @throws LarderError `conflict` when the cache cannot hold it
   */
  async fetch(entryId: number): Promise<EntryAddress> {
    const address = await this.#find(entryId);
    const summary = await this.#services.entries.findSummary(entryId);
    this.#refuseTooLarge(address.path, summary?.totalBytes ?? null);
    await this.restoreIfDropped(entryId);
    await this.#services.downloads.enqueue(entryId, 'person');
    return address;
  }

  /** The entry of a quality that may never have been opened, and is to be fetched. */
  async ensureEntry(quality: QualityRow, source: string): Promise<number> {
    if (quality.entryId !== null) return quality.entryId;
    this.#refuseTooLarge(quality.path, quality.sizeBytes);
    const { entries, clock } = this.#services;
    const found = this.#findSource(source);
    const description = { ...found.describe(quality.path), sourceId: found.id };
    const { entryId } = await entries.ensure(description, clock.nowMs());
    return entryId;
  }

  async stop(entryId: number): Promise<EntryAddress> {
    const address = await this.#find(entryId);
    await this.#services.downloads.cancel(entryId);
    return address;
  }

  async setPinned(entryId: number, pinned: boolean): Promise<EntryAddress> {
    const address = await this.#find(entryId);
    if (pinned) await this.restoreIfDropped(entryId);
    if (!(await this.#services.manager.setPinned(entryId, pinned))) throw gone();
    return address;
  }

  /** Hides its bytes; they go for good after a while, or sooner when room is needed. */
  async drop(entryId: number): Promise<DroppedEntry> {
    const { downloads, removals, entries, noteEvent } = this.#services;
    const summary = await entries.findSummary(entryId);
    if (summary === null) throw gone();
    const { source, path, cachedBytes: bytes } = summary;
    await downloads.cancel(entryId);
    await named(path, () => removals.drop(entryId));
    const undoMs = removals.leftMs(entryId) ?? 0;
    noteEvent('dropped', `${source}/${path}`, `${describeBytes(bytes)} dropped by hand.`);
    return { source, path, bytes, undoMs };
  }

  /** @throws LarderError `missing` when its bytes have gone already */
  async restore(entryId: number): Promise<EntryAddress> {
    const { removals, entries } = this.#services;
    const address = await entries.findAddress(entryId);
    if (address !== null && (await this.restoreIfDropped(entryId))) return address;
    if (address !== null && removals.leftMs(entryId) === null) return address; // it is there: nothing to do
    throw new LarderError('missing', 'it cannot be brought back: its bytes have gone', {
      hint: 'play it or fetch it again',
    });
  }

  /** Takes its bytes off the disk at once and for good. */
  async remove(entryId: number): Promise<DroppedEntry> {
    const { downloads, manager, entries, noteEvent } = this.#services;
    const summary = await entries.findSummary(entryId);
    if (summary === null) throw gone();
    const { source, path, cachedBytes: bytes } = summary;
    await downloads.cancel(entryId);
    if (!(await manager.remove(entryId))) {
      throw new LarderError('conflict', `${path} is being read`, { hint: 'stop the player first' });
    }
    noteEvent('removed', `${source}/${path}`, `${describeBytes(bytes)} removed by hand.`);
    return { source, path, bytes, undoMs: 0 };
  }

  /** Compares all of its bytes with their checksums; what is damaged is given up. */
  async verify(
    entryId: number,
    signal: AbortSignal,
    advanced: (bytes: number) => void = () => undefined,
  ): Promise<VerifiedEntry> {
    const { verifier, noteEvent } = this.#services;
    const address = await this.#find(entryId);
    const result = await verifier.verify(entryId, { signal, advanced });
    const all = describeBytes(result.verifiedBytes + result.damagedBytes);
    const text =
      result.damagedBytes === 0
        ? `All ${all} are as they were fetched.`
        : `${describeBytes(result.damagedBytes)} of ${all} were damaged and given up; they are fetched again when they are wanted.`;
    noteEvent('verified', `${address.source}/${address.path}`, text);
    return { ...address, ...result };
  }

  /** Asks the origin whether it still has the stored version. An answer that is late is noted when it comes. */
  async recheck(entryId: number): Promise<RecheckedEntry> {
    const address = await this.#find(entryId);
    const source = this.#findSource(address.source);
    const late = Promise.withResolvers<'asked'>();
    const timer = this.#services.clock.after(RECHECK_ANSWER_MS, () => late.resolve('asked'));
    try {
      const asking = this.#askOrigin(entryId, source, address.path);
      // It may fail when nobody waits for it any more.
      asking.catch(() => undefined);
      const verdict = await Promise.race([asking, late.promise]);
      return { ...address, verdict: verdict === 'other' ? 'changed' : verdict, reason: null, hint: null };
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      const verdict = error.code === 'not-found' ? 'missing' : 'unknown';
      return { ...address, verdict, reason: error.message, hint: error.hint ?? null };
    } finally {
      timer.cancel();
    }
  }

  /** @returns whether it was dropped, and is not any more */
  async restoreIfDropped(entryId: number): Promise<boolean> {
    const { removals, entries, noteEvent } = this.#services;
    if (!(await removals.restore(entryId))) return false;
    const address = await entries.findAddress(entryId);
    if (address !== null)
      noteEvent('restored', `${address.source}/${address.path}`, 'Brought back before it was gone.');
    return address !== null;
  }

  async #find(entryId: number): Promise<EntryAddress> {
    const address = await this.#services.entries.findAddress(entryId);
    if (address === null) throw gone();
    return address;
  }

  #refuseTooLarge(path: string, totalBytes: number | null): void {
    const capBytes = this.#services.capBytes();
    if (totalBytes === null || totalBytes <= capBytes) return;
    const sizes = `${describeBytes(totalBytes)}, and the whole cache holds ${describeBytes(capBytes)}`;
    throw new LarderError('conflict', `${path} is not fetched: it has ${sizes}`, {
      hint: 'give the cache more room under Storage; who plays it gets it from the source meanwhile',
    });
  }

  #findSource(name: string): MediaSource {
    const source = this.#services.findSource(name);
    if (source !== undefined) return source;
    throw new LarderError('missing', `the source ${name} is not there any more`);
  }

  async #askOrigin(entryId: number, source: MediaSource, path: string): Promise<'same' | 'other'> {
    const { manager } = this.#services;
    const open = manager.findOpen(entryId);
    if (open !== undefined) return open.recheck();
    const address = source.describe(path);
    // A playlist is made anew each time, and no file: it can be asked for, and not compared.
    if (source.kind !== 'http' && address.container === 'm3u8') {
      const deadline = new AbortController();
      const timer = this.#services.clock.after(RECHECK_ANSWER_MS, () => deadline.abort());
      try {
        if (await source.openCatalogue().hasFile(path, deadline.signal)) return 'same';
      } finally {
        timer.cancel();
      }
      throw new LarderError('not-found', 'its source has no such film any more');
    }
    // Opened for ourselves: looking is no use of it. From here on the check keeps it open.
    const options = { spec: null, probe: true, internal: true, signal: new AbortController().signal };
    return (await manager.open(source, address, options)).recheck();
  }
}

function gone(): LarderError {
  return new LarderError('missing', 'that entry is not there any more');
}

/** Errors that say `it` name what is meant. */
async function named<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof LarderError) || !error.message.startsWith('it ')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new LarderError(error.code, `${name}${error.message.slice(2)}`, { retry: error.retry, ...hint });
  }
}
