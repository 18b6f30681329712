// Readers that ended, newest first: the last of them in memory, the last thousand in the database. A player makes many
// requests for one film; those that follow upon each other are told as one. Written once the player has been away for
// long enough, many rows at once, so that memory cards are spared.
import type { Clock } from '../clock.ts';
import type { ReaderHistoryRow, ReaderHistoryTable } from '../db/reader-history.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';

export type EndedReader = ReaderHistoryRow;

export interface EndedReaderServices {
  readonly table: Pick<ReaderHistoryTable, 'add' | 'list' | 'findNewestId'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A request this long after the last one of its player begins a new row. */
export const TOGETHER_MS = 60_000;
const KEPT_IN_MEMORY = 100;
/** Rows that wait for a database that takes none. */
const UNWRITTEN_MAX = 1_000;
const USER_AGENT_MAX = 256;

interface Kept {
  row: EndedReader;
  isWritten: boolean;
}

export class EndedReaders {
  readonly #services: EndedReaderServices;
  /** Oldest first, ids without gaps. */
  #kept: Kept[] = [];
  #lastId = 0;

  constructor(services: EndedReaderServices) {
    this.#services = services;
  }

  async load(): Promise<void> {
    const rows = await this.#services.table.list(KEPT_IN_MEMORY, null);
    this.#kept = rows.reverse().map((row) => ({ row, isWritten: true }));
    this.#lastId = rows.at(-1)?.id ?? 0;
  }

  /** A response to a player is over. Its `requestCount` is 1, its id is given here. */
  note(ended: Omit<EndedReader, 'id'>): void {
    const userAgent = ended.userAgent.slice(0, USER_AGENT_MAX);
    const before = this.#kept.findLast(
      ({ row, isWritten }) => !isWritten && isSame(row, ended, userAgent) && follows(ended, row),
    );
    if (before !== undefined) {
      before.row = together(before.row, ended);
      return;
    }
    this.#lastId += 1;
    this.#kept.push({ row: { ...ended, userAgent, id: this.#lastId }, isWritten: false });
    this.#forget();
  }

  /** Newest first, from behind the row `before`. */
  async list(limit: number, before: number | null): Promise<EndedReader[]> {
    const rows = this.#kept
      .map((kept) => kept.row)
      .filter((row) => before === null || row.id < before)
      .reverse()
      .slice(0, limit);
    if (rows.length === limit) return rows;
    const oldest = rows.at(-1)?.id ?? before;
    const older = await this.#services.table.list(limit - rows.length, oldest);
    return [...rows, ...older];
  }

  /** Writes down what is over; `all` also what may still go on. */
  async flush(all = false): Promise<void> {
    const { table, clock, log } = this.#services;
    const nowMs = clock.nowMs();
    const due = this.#kept.filter(({ row, isWritten }) => !isWritten && (all || nowMs - row.endedAt > TOGETHER_MS));
    if (due.length === 0) return;
    try {
      await table.add(due.map((kept) => kept.row));
      for (const kept of due) kept.isWritten = true;
    } catch (error) {
      log.debug('readers that ended could not be written down', { error: describeError(error) });
    }
    this.#forget();
  }

  #forget(): void {
    while (this.#kept.length > KEPT_IN_MEMORY && this.#kept[0]!.isWritten) this.#kept.shift();
    while (this.#kept.length > KEPT_IN_MEMORY + UNWRITTEN_MAX) this.#kept.shift();
  }
}

function isSame(row: EndedReader, ended: Omit<EndedReader, 'id'>, userAgent: string): boolean {
  return (
    row.source === ended.source &&
    row.path === ended.path &&
    row.address === ended.address &&
    row.userAgent === userAgent
  );
}

function follows(ended: Omit<EndedReader, 'id'>, row: EndedReader): boolean {
  return ended.startedAt - row.endedAt <= TOGETHER_MS;
}

/** Of several requests: sums, the worst, and how the last one ended. */
function together(row: EndedReader, ended: Omit<EndedReader, 'id'>): EndedReader {
  const isLater = ended.endedAt >= row.endedAt;
  const { endedAt, position, outcome, reason, sizeBytes } = isLater ? ended : row;
  return {
    ...row,
    entryId: ended.entryId ?? row.entryId,
    endedAt,
    position,
    outcome,
    reason,
    sizeBytes,
    startedAt: Math.min(row.startedAt, ended.startedAt),
    requestCount: row.requestCount + ended.requestCount,
    servedBytes: row.servedBytes + ended.servedBytes,
    servedFromDiskBytes: row.servedFromDiskBytes + ended.servedFromDiskBytes,
    firstByteMs: row.firstByteMs ?? ended.firstByteMs,
    stallCount: row.stallCount + ended.stallCount,
    stalledMs: row.stalledMs + ended.stalledMs,
    worstStallMs: Math.max(row.worstStallMs, ended.worstStallMs),
  };
}
