// One act on many entries, as a job that can be watched and called off. What cannot be done to one entry does not hold
// up the others: it is told with its reason. Jobs live in memory; after a restart what they did is done, the rest not.
import type { Clock } from '../clock.ts';
import { describeError, LarderError } from '../errors.ts';
import { JOBS_KEPT, JOBS_RUNNING_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { EntryActions } from './entry-actions.ts';
import type { Selection, Selections, SelectionTarget } from './selections.ts';

export const BULK_ACTIONS = ['fetch', 'stop', 'pin', 'unpin', 'drop', 'restore', 'verify', 'recheck'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

export interface JobFailure {
  readonly entryId: number | null;
  readonly mediaId: number;
  readonly title: string;
  readonly message: string;
  readonly hint: string | null;
}

export interface JobState {
  readonly id: string;
  readonly action: BulkAction;
  readonly state: 'waiting' | 'running' | 'done' | 'stopped';
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Items that were selected when it began; what they were changes as it goes on. */
  readonly itemCount: number;
  readonly itemsDone: number;
  readonly entriesDone: number;
  /** That there was nothing to do for. */
  readonly entriesSkipped: number;
  /** Compared with their checksums, or dropped. */
  readonly bytesDone: number;
  readonly damagedBytes: number;
  readonly failureCount: number;
  /** The first of them. */
  readonly failures: readonly JobFailure[];
  /** A title, where it is about one. */
  readonly title: string | null;
  /** The one entry that it is about; null where there are more. */
  readonly entryId: number | null;
  /** Whether a job can bring back what this one dropped. */
  readonly canRestore: boolean;
}

export interface JobServices {
  readonly actions: EntryActions;
  readonly selections: Selections;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

const FAILURES_KEPT = 100;

/** A job while it runs. */
class Job {
  readonly id: string;
  readonly action: BulkAction;
  readonly selection: Selection;
  readonly itemCount: number;
  readonly title: string | null;
  readonly startedAt: number;
  readonly abort = new AbortController();
  readonly failures: JobFailure[] = [];
  /** What it dropped, to bring it back. */
  readonly dropped: number[] = [];
  state: JobState['state'] = 'waiting';
  endedAt: number | null = null;
  itemsDone = 0;
  entriesDone = 0;
  entriesSkipped = 0;
  bytesDone = 0;
  damagedBytes = 0;
  failureCount = 0;

  constructor(facts: Pick<Job, 'id' | 'action' | 'selection' | 'itemCount' | 'title' | 'startedAt'>) {
    this.id = facts.id;
    this.action = facts.action;
    this.selection = facts.selection;
    this.itemCount = facts.itemCount;
    this.title = facts.title;
    this.startedAt = facts.startedAt;
  }

  get view(): JobState {
    const { id, action, state, startedAt, endedAt, itemCount, itemsDone, entriesDone, entriesSkipped } = this;
    const { bytesDone, damagedBytes, failureCount, failures, title } = this;
    return {
      id,
      action,
      state,
      startedAt,
      endedAt,
      itemCount,
      itemsDone,
      entriesDone,
      entriesSkipped,
      bytesDone,
      damagedBytes,
      failureCount,
      failures: [...failures],
      title,
      entryId: this.#onlyEntryId(),
      canRestore: this.dropped.length > 0,
    };
  }

  #onlyEntryId(): number | null {
    const { selection } = this;
    return selection.kind === 'entries' && selection.entryIds.length === 1 ? selection.entryIds[0]! : null;
  }
}

export class BulkJobs {
  readonly #services: JobServices;
  /** Oldest first. */
  readonly #jobs = new Map<string, Job>();
  readonly #working = new Set<Promise<void>>();
  #stopped = false;

  constructor(services: JobServices) {
    this.#services = services;
  }

  /** Newest first. */
  list(): JobState[] {
    return [...this.#jobs.values()].map((job) => job.view).reverse();
  }

  find(id: string): JobState | null {
    return this.#jobs.get(id)?.view ?? null;
  }

  /** @throws LarderError `missing` when nothing is selected, `overloaded` when too many wait */
  async start(action: BulkAction, selection: Selection): Promise<JobState> {
    const { selections, newId, clock } = this.#services;
    if (this.#open().length >= JOBS_KEPT) {
      throw new LarderError('overloaded', 'too many jobs wait to be done', {
        retry: 'later',
        hint: 'wait until some are over, or stop one',
      });
    }
    const { itemCount, title } = await selections.count(selection);
    if (itemCount === 0) throw new LarderError('missing', 'nothing is selected any more');
    const job = new Job({ id: newId(), action, selection, itemCount, title, startedAt: clock.nowMs() });
    this.#jobs.set(job.id, job);
    this.#forgetOld();
    this.#startWaiting();
    return job.view;
  }

  /** Brings back what a job dropped. */
  async restore(id: string): Promise<JobState> {
    const job = this.#jobs.get(id);
    if (job === undefined || job.dropped.length === 0) {
      throw new LarderError('missing', 'nothing of that can be brought back any more');
    }
    const restoring = await this.start('restore', { kind: 'entries', entryIds: job.dropped.splice(0) });
    return restoring;
  }

  /** What was done stays done. */
  cancel(id: string): JobState {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new LarderError('missing', 'there is no such job any more');
    if (job.state === 'waiting') this.#end(job, 'stopped');
    job.abort.abort();
    return job.view;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const job of this.#jobs.values()) job.abort.abort();
    await Promise.all(this.#working);
  }

  #open(): Job[] {
    return [...this.#jobs.values()].filter((job) => job.endedAt === null);
  }

  #forgetOld(): void {
    for (const job of this.#jobs.values()) {
      if (this.#jobs.size <= JOBS_KEPT) return;
      if (job.endedAt !== null) this.#jobs.delete(job.id);
    }
  }

  #startWaiting(): void {
    for (const job of this.#open()) {
      if (this.#stopped || this.#working.size >= JOBS_RUNNING_MAX) return;
      if (job.state !== 'waiting') continue;
      job.state = 'running';
      const work = this.#run(job).finally(() => {
        this.#working.delete(work);
        this.#startWaiting();
      });
      this.#working.add(work);
    }
  }

  #end(job: Job, state: 'done' | 'stopped'): void {
    job.state = state;
    job.endedAt = this.#services.clock.nowMs();
  }

  async #run(job: Job): Promise<void> {
    const { selections, log } = this.#services;
    const { signal } = job.abort;
    try {
      for await (const targets of selections.targets(job.selection)) {
        for (const target of targets) {
          if (signal.aborted) break;
          await this.#actOn(job, target);
          if (!target.isPart) job.itemsDone += 1;
          await yieldTurn();
        }
        if (signal.aborted) break;
      }
    } catch (error) {
      log.error('a job ended early', { action: job.action, error: describeError(error) });
      this.#note(job, { mediaId: 0, title: 'the rest' }, null, error);
    }
    this.#end(job, signal.aborted ? 'stopped' : 'done');
  }

  /** All entries of an item, or the ones that were named. */
  async #actOn(job: Job, target: SelectionTarget): Promise<void> {
    let entryIds: readonly number[];
    try {
      entryIds = await this.#entriesFor(job.action, target);
    } catch (error) {
      this.#note(job, target, null, error);
      return;
    }
    // A series is acted on by its episodes, which come behind it.
    if (entryIds.length === 0 && target.qualities.length > 0) job.entriesSkipped += 1;
    for (const entryId of entryIds) {
      if (job.abort.signal.aborted) return;
      try {
        await this.#act(job, entryId);
        job.entriesDone += 1;
      } catch (error) {
        if (error instanceof LarderError && error.code === 'stopped') return;
        this.#note(job, target, entryId, error);
      }
    }
  }

  async #entriesFor(action: BulkAction, target: SelectionTarget): Promise<readonly number[]> {
    if (target.entryIds !== null) return target.entryIds;
    const kept = target.qualities.flatMap((quality) => {
      const { entryId, removedAt, totalBytes, cachedBytes } = quality;
      if (entryId === null || (removedAt !== null) !== (action === 'restore')) return [];
      if (action === 'fetch' && totalBytes !== null && cachedBytes === totalBytes) return [];
      return entryId;
    });
    const isUntouched = target.qualities.every((quality) => quality.entryId === null || quality.removedAt !== null);
    const best = target.qualities.find(({ refusal }) => refusal === null);
    if (action !== 'fetch' || !isUntouched || best === undefined) return kept;
    // Nothing of it was ever opened: the one that the source offers first, its best.
    return [await this.#services.actions.ensureEntry(best, target.source)];
  }

  async #act(job: Job, entryId: number): Promise<void> {
    const { actions } = this.#services;
    switch (job.action) {
      case 'fetch':
        return void (await actions.fetch(entryId));
      case 'stop':
        return void (await actions.stop(entryId));
      case 'pin':
      case 'unpin':
        return void (await actions.setPinned(entryId, job.action === 'pin'));
      case 'restore':
        return void (await actions.restore(entryId));
      case 'drop':
        job.bytesDone += (await actions.drop(entryId)).bytes;
        job.dropped.push(entryId);
        return;
      case 'verify': {
        const { signal } = job.abort;
        const { damagedBytes } = await actions.verify(entryId, signal, (bytes) => {
          job.bytesDone += bytes;
        });
        job.damagedBytes += damagedBytes;
        return;
      }
      case 'recheck': {
        const { verdict, reason, hint } = await actions.recheck(entryId);
        if (verdict === 'same' || verdict === 'changed') return;
        const code = verdict === 'missing' ? 'not-found' : 'origin-silent';
        throw new LarderError(code, reason ?? 'its origin has not said yet', hint === null ? {} : { hint });
      }
    }
  }

  #note(job: Job, target: { mediaId: number; title: string }, entryId: number | null, error: unknown): void {
    job.failureCount += 1;
    if (job.failures.length >= FAILURES_KEPT) return;
    const hint = error instanceof LarderError ? (error.hint ?? null) : null;
    const { mediaId, title } = target;
    job.failures.push({ entryId, mediaId, title, message: describeError(error), hint });
  }
}
