// How each source fares, for pages and rows. Written down when it changes, and at most once a minute while it stays.
import type { Clock } from '../clock.ts';
import type { SourceRow, SourceTable } from '../db/sources.ts';
import { describeError, type LarderError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface SourceState {
  readonly lastSuccessAt: number | null;
  readonly lastErrorAt: number | null;
  readonly lastErrorText: string | null;
  readonly hint: string | null;
  /** Since when every request fails; null while they do not. */
  readonly failingSince: number | null;
}

/** What a source says that is well, of a file that it has not, or of a folder. */
const ANSWERS: ReadonlySet<string> = new Set(['not-found', 'out-of-range', 'is-folder', 'no-listing']);

const WRITE_PERIOD_MS = 60_000;

export class SourceHealth {
  readonly #table: SourceTable;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #noteEvent: (kind: string, subject: string, text: string) => unknown;
  readonly #states = new Map<number, SourceState>();
  readonly #names = new Map<number, string>();
  readonly #writtenAtMs = new Map<number, number>();

  /** @param noteEvent - never throws */
  constructor(
    table: SourceTable,
    clock: Clock,
    log: Log,
    noteEvent: (kind: string, subject: string, text: string) => unknown,
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
    this.#noteEvent = noteEvent;
  }

  /** As their rows say it: at the start, and when one was added or changed. */
  load(rows: readonly SourceRow[]): void {
    for (const row of rows) {
      this.#names.set(row.id, row.name);
      const { lastSuccessAt, lastErrorAt, lastErrorText, failingSince } = row;
      this.#states.set(row.id, { lastSuccessAt, lastErrorAt, lastErrorText, hint: null, failingSince });
    }
  }

  forget(sourceId: number): void {
    this.#states.delete(sourceId);
    this.#names.delete(sourceId);
    this.#writtenAtMs.delete(sourceId);
  }

  stateOf(sourceId: number): SourceState | undefined {
    return this.#states.get(sourceId);
  }

  /** The source answered a request, or failed one. A missing file is an answer. */
  note(sourceId: number, error: LarderError | null): void {
    // What a removed source still answers is of no interest.
    if (!this.#names.has(sourceId) || error?.isOfFile === true) return;
    const nowMs = this.#clock.nowMs();
    const before = this.#states.get(sourceId);
    const fault = error === null || ANSWERS.has(error.code) ? null : error;
    const state: SourceState = {
      lastSuccessAt: fault === null ? nowMs : (before?.lastSuccessAt ?? null),
      lastErrorAt: fault === null ? null : nowMs,
      lastErrorText: fault?.message ?? null,
      hint: fault?.hint ?? null,
      failingSince: fault === null ? null : (before?.failingSince ?? nowMs),
    };
    this.#states.set(sourceId, state);
    const wasFailing = before !== undefined && before.failingSince !== null;
    const changed = before === undefined || wasFailing !== (fault !== null) || before.lastSuccessAt === null;
    const name = this.#names.get(sourceId)!;
    // Told once when it begins and once when it ends, however many requests there are meanwhile.
    if (fault !== null && !wasFailing) {
      this.#log.warning('a source fails', { source: name, error: fault.message });
      this.#noteEvent('source-failing', name, `${name} does not answer: ${fault.message}.`);
    }
    if (fault === null && wasFailing) {
      this.#log.info('a source answers again', { source: name });
      const minutes = Math.round((nowMs - (before.failingSince ?? nowMs)) / 60_000);
      this.#noteEvent(
        'source-well',
        name,
        `${name} answers again, after ${minutes < 1 ? 'less than a minute' : `${minutes} min`}.`,
      );
    }
    if (changed || nowMs - (this.#writtenAtMs.get(sourceId) ?? 0) > WRITE_PERIOD_MS)
      this.#write(sourceId, fault, nowMs);
  }

  #write(sourceId: number, fault: LarderError | null, nowMs: number): void {
    this.#writtenAtMs.set(sourceId, nowMs);
    const written =
      fault === null
        ? this.#table.recordSuccess(sourceId, nowMs)
        : this.#table.recordFailure(sourceId, fault.code, fault.message, nowMs);
    // The database's trouble is told by whoever records bytes; this is written again soon.
    written.catch((error: unknown) => {
      this.#log.debug('the state of a source could not be written', { error: describeError(error) });
    });
  }
}
