// Who is gone through when: each source once when it is new, then once in a while, and whenever the owner asks. A round
// that a stop or a kill cut off goes on; one that its source broke off is tried again.
import type { Clock, Timer } from '../clock.ts';
import type { CatalogueTable, SyncCounts, SyncRow } from '../db/catalogue.ts';
import { describeError, LarderError } from '../errors.ts';
import { CATALOGUE_FIRST_MS, CATALOGUE_LOOK_MS, CATALOGUE_RETRY_MS, CATALOGUE_SYNCS_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import type { CatalogueSource } from '../sources/catalogue-source.ts';
import { CatalogueSync } from './catalogue-sync.ts';
import type { MediaCatalogue } from './media-catalogue.ts';

export interface CatalogueSyncsServices {
  readonly table: CatalogueTable;
  readonly media: Pick<MediaCatalogue, 'putMedia'>;
  readonly sources: () => readonly { readonly id: number; readonly name: string }[];
  /** Null when there is no such source any more. */
  readonly open: (sourceId: number) => CatalogueSource | null;
  /** How long after a round began the next one does; 0: only when asked for. */
  readonly everyMs: () => number;
  /** Folders of a source that may be read at the same time. */
  readonly atOnce: (sourceId: number) => number;
  readonly answered: (sourceId: number, error: LarderError | null) => void;
  readonly noteEvent: (kind: string, subject: string, text: string) => unknown;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SyncError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** How far a source was gone through. */
export interface SyncState extends SyncCounts {
  /** `waiting`: it was asked for, and others come first. */
  readonly state: 'idle' | 'waiting' | 'running' | 'failed';
  /** Files that there are, as far as is known: those of the last whole round. */
  readonly total: number | null;
  readonly startedAtMs: number | null;
  /** When the source was last gone through to the end. */
  readonly finishedAtMs: number | null;
  readonly error: SyncError | null;
}

interface Running {
  readonly sync: CatalogueSync;
  readonly done: Promise<void>;
}

const NEVER: SyncCounts = { seen: 0, added: 0, changed: 0, missing: 0, skipped: 0 };

export class CatalogueSyncs {
  readonly #services: CatalogueSyncsServices;
  readonly #rows = new Map<number, SyncRow>();
  readonly #running = new Map<number, Running>();
  /** Asked for by hand, in this order. */
  readonly #asked = new Set<number>();
  /** Of those that failed: not before. */
  readonly #retryAtMs = new Map<number, number>();
  #timer: Timer | undefined;
  #soon: Timer | undefined;
  #isStopped = false;

  constructor(services: CatalogueSyncsServices) {
    this.#services = services;
  }

  async start(): Promise<void> {
    const { table, clock } = this.#services;
    for (const row of await table.listSyncs()) this.#rows.set(row.sourceId, row);
    this.#timer = clock.every(CATALOGUE_LOOK_MS, () => this.#look());
    // Whoever starts with us comes first: players, downloads.
    this.#lookIn(CATALOGUE_FIRST_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#soon?.cancel();
    const running = [...this.#running.values()];
    for (const { sync } of running) sync.cancel();
    await Promise.all(running.map(({ done }) => done));
  }

  stateOf(sourceId: number): SyncState {
    const row = this.#rows.get(sourceId);
    const running = this.#running.get(sourceId);
    const { seen, added, changed, missing, skipped } = running?.sync.counts ?? row ?? NEVER;
    const isShown = running === undefined && row !== undefined && row.errorText !== null;
    return {
      state: this.#stateName(row, running !== undefined, sourceId),
      seen,
      added,
      changed,
      missing,
      skipped,
      total: totalOf(row, running?.sync),
      startedAtMs: row?.startedAt ?? null,
      finishedAtMs: row?.finishedAt ?? null,
      error: isShown ? { code: row.errorCode ?? 'failed', message: row.errorText ?? '', hint: row.errorHint } : null,
    };
  }

  #stateName(row: SyncRow | undefined, isRunning: boolean, sourceId: number): SyncState['state'] {
    if (isRunning) return 'running';
    if (this.#asked.has(sourceId)) return 'waiting';
    // One that a stop cut off and that waits for its turn.
    if (row?.state === 'running') return 'waiting';
    return row?.state ?? 'idle';
  }

  /** Goes through the source now, unless that is under way. */
  request(sourceId: number): SyncState {
    if (!this.#running.has(sourceId)) {
      this.#asked.add(sourceId);
      this.#look();
    }
    return this.stateOf(sourceId);
  }

  /** Resolves when the round has ended. What was found stays. */
  async cancel(sourceId: number): Promise<SyncState> {
    this.#asked.delete(sourceId);
    const running = this.#running.get(sourceId);
    if (running !== undefined) {
      running.sync.cancel();
      // At once, or it would go on as one that a stop cut off.
      await this.#record(sourceId, { state: 'idle' });
      await running.done;
    }
    return this.stateOf(sourceId);
  }

  /** The source is new, or at another address: it is gone through soon. */
  sourceChanged(sourceId: number): void {
    this.#retryAtMs.delete(sourceId);
    if (this.#services.everyMs() === 0 || this.#isStopped) return;
    this.#asked.add(sourceId);
    this.#lookIn(CATALOGUE_FIRST_MS / 5);
  }

  /** The source was removed. */
  async forget(sourceId: number): Promise<void> {
    await this.cancel(sourceId);
    this.#rows.delete(sourceId);
    this.#retryAtMs.delete(sourceId);
  }

  #lookIn(delayMs: number): void {
    this.#soon?.cancel();
    this.#soon = this.#services.clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    if (this.#isStopped) return;
    const due = this.#services.sources().filter(({ id }) => !this.#running.has(id) && this.#isDue(id));
    const ordered = [...due.filter(({ id }) => this.#asked.has(id)), ...due.filter(({ id }) => !this.#asked.has(id))];
    for (const { id, name } of ordered) {
      if (this.#running.size >= CATALOGUE_SYNCS_MAX) break;
      this.#begin(id, name);
    }
  }

  #isDue(sourceId: number): boolean {
    if (this.#asked.has(sourceId)) return true;
    const { clock, everyMs } = this.#services;
    const row = this.#rows.get(sourceId);
    if (row?.state === 'running') return true;
    if (everyMs() === 0) return false;
    if (row === undefined) return true;
    const retryAtMs = this.#retryAtMs.get(sourceId);
    if (row.state === 'failed' && retryAtMs !== undefined) return clock.monotonicMs() >= retryAtMs;
    const ageMs = clock.nowMs() - row.startedAt;
    // A clock that was set back says nothing of when it was.
    return ageMs < 0 || ageMs >= everyMs();
  }

  #begin(sourceId: number, name: string): void {
    const source = this.#services.open(sourceId);
    if (source === null) return;
    const isAsked = this.#asked.delete(sourceId);
    const before = this.#rows.get(sourceId);
    // What broke off goes on; who asks wants to know how it is now.
    const goesOn = before !== undefined && before.state !== 'idle' && !isAsked;
    const counts = before ?? NEVER;
    const kept = goesOn ? counts : { ...counts, seen: 0, added: 0, changed: 0, skipped: 0 };
    const sync = new CatalogueSync(source, kept, {
      table: this.#services.table,
      media: this.#services.media,
      atOnce: () => this.#services.atOnce(sourceId),
      answered: (error) => this.#services.answered(sourceId, error),
      clock: this.#services.clock,
      log: this.#services.log,
    });
    const done = this.#run(sourceId, name, sync, goesOn ? before : null).finally(() => {
      this.#running.delete(sourceId);
      this.#look();
    });
    this.#running.set(sourceId, { sync, done });
  }

  async #run(sourceId: number, name: string, sync: CatalogueSync, resumed: SyncRow | null): Promise<void> {
    const { table, clock, log } = this.#services;
    try {
      const row = resumed ?? (await table.startRound(sourceId, clock.nowMs()));
      this.#rows.set(sourceId, row);
      log.debug('a source is gone through', { source: name, round: row.round, goesOn: resumed !== null });
      await sync.run(row.round);
      this.#retryAtMs.delete(sourceId);
      const { seen } = sync.counts;
      const problem = sync.firstProblem;
      await this.#record(sourceId, {
        state: 'idle',
        finishedAt: clock.nowMs(),
        total: seen,
        errorCode: problem?.code ?? null,
        errorText: problem?.message ?? null,
        errorHint: problem?.hint ?? null,
        ...sync.counts,
      });
      this.#tell(name, row, sync);
    } catch (error) {
      await this.#fail(sourceId, name, sync, error);
    }
  }

  async #fail(sourceId: number, name: string, sync: CatalogueSync, error: unknown): Promise<void> {
    const { clock, log } = this.#services;
    const why = error instanceof LarderError ? error : new LarderError('storage', describeError(error));
    // Called off: a stop goes on at the next start, whoever called it off says so himself.
    if (why.code === 'stopped') {
      await this.#record(sourceId, sync.counts);
      return;
    }
    const wasFailing = this.#rows.get(sourceId)?.errorText === why.message;
    log[wasFailing ? 'debug' : 'info']('a source could not be gone through', { source: name, error: why.message });
    if (why.retry !== 'never') this.#retryAtMs.set(sourceId, clock.monotonicMs() + CATALOGUE_RETRY_MS);
    await this.#record(sourceId, {
      state: 'failed',
      errorCode: why.code,
      errorText: why.message,
      errorHint: why.hint ?? null,
      ...sync.counts,
    });
  }

  async #record(sourceId: number, change: Partial<SyncRow>): Promise<void> {
    const row = this.#rows.get(sourceId);
    if (row === undefined) return;
    this.#rows.set(sourceId, { ...row, ...change });
    try {
      await this.#services.table.recordState(sourceId, change);
    } catch (error) {
      // Where the database takes nothing, whoever records bytes says so; the round is looked at again at the next start.
      this.#services.log.debug('the state of a sync could not be written', { error: describeError(error) });
    }
  }

  /** For the owner: what there is at first, and what is different later. */
  #tell(name: string, row: SyncRow, sync: CatalogueSync): void {
    const { log, noteEvent } = this.#services;
    const { seen, added, changed, missing, skipped } = sync.counts;
    const newlyMissing = missing - row.missing;
    log.info('a source was gone through', { source: name, seen, added, changed, missing, skipped });
    if (row.finishedAt === null) {
      noteEvent('catalogue', name, `${count(seen, 'file')} of films and music found.`);
      return;
    }
    const told = [
      ...(added > 0 ? [`${added} new`] : []),
      ...(changed > 0 ? [`${changed} changed`] : []),
      ...(newlyMissing > 0 ? [`${newlyMissing} gone from there`] : []),
      ...(newlyMissing < 0 ? [`${-newlyMissing} there again`] : []),
    ];
    if (told.length > 0) noteEvent('catalogue', name, `${count(seen, 'file')}: ${told.join(', ')}.`);
  }
}

/** Files that there are: as the source says now, else those of the last whole round. */
function totalOf(row: SyncRow | undefined, sync: CatalogueSync | undefined): number | null {
  const expected = sync?.expected ?? 0;
  return expected > 0 ? Math.max(expected, row?.total ?? 0) : (row?.total ?? null);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
