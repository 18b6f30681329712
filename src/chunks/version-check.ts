// What the origin last said of the version that is stored: whether it is still its own, and whether it has such a file
// at all. Asks anew when that was long ago; nobody waits for the answer.
import type { EntryTable, GenerationRow } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import { LarderError } from '../errors.ts';
import { RECHECK_RETRY_MS } from '../limits.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import type { FetchRequest } from './fetch-request.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { Recheck } from './recheck.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** What it needs of the file that it is of. */
export interface CheckedFile {
  readonly identity: FileIdentity;
  readonly generation: GenerationRow;
  readonly bytes: StoredBytes;
  readonly seekable: boolean;
  /** The origin answered the question, or not: nothing of the check is under way any more. */
  readonly checkEnded: () => void;
  readonly request: (range: OriginRange) => FetchRequest;
  readonly compare: (head: OriginHead) => 'same' | 'other' | 'unknown';
  /** The origin has another version. */
  readonly changed: () => void;
  /** Writes rows in order with what is recorded. */
  readonly write: (action: () => Promise<void>) => void;
}

export interface VersionCheckServices
  extends Pick<FileServices, 'scheduler' | 'threads' | 'clock' | 'random' | 'recheckAfterMs' | 'sourceAnswered'> {
  readonly generations: Pick<GenerationTable, 'recordChecked'>;
  readonly entries: Pick<EntryTable, 'recordMissing' | 'recordFound'>;
}

export class VersionCheck {
  readonly #file: CheckedFile;
  readonly #services: VersionCheckServices;
  #isMissing: boolean;
  #checkedAtMs: number;
  #notBeforeMs = 0;
  #running: Recheck | undefined;

  /** @param isMissing - whether the origin said last that it has no such file */
  constructor(file: CheckedFile, isMissing: boolean, services: VersionCheckServices) {
    this.#file = file;
    this.#services = services;
    this.#isMissing = isMissing;
    this.#checkedAtMs = file.generation.checkedAt ?? file.generation.createdAt;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get isDue(): boolean {
    const { clock, recheckAfterMs } = this.#services;
    const age = clock.nowMs() - this.#checkedAtMs;
    // A clock that was set back says nothing of when it was.
    const isFresh = age >= 0 && age < recheckAfterMs();
    return !isFresh && !this.isRunning && clock.monotonicMs() >= this.#notBeforeMs;
  }

  /** The origin gave the file: it is there, and it is this version. */
  answered(): void {
    const { sourceAnswered, entries, clock } = this.#services;
    const { identity } = this.#file;
    sourceAnswered(identity.sourceId, null);
    this.#checkedAtMs = clock.nowMs();
    if (!this.#isMissing) return;
    this.#isMissing = false;
    this.#file.write(() => entries.recordFound(identity.entryId));
  }

  /** A missing file is no deletion: what is stored is served on, and the page says so. */
  failed(error: LarderError): void {
    const { sourceAnswered, entries, clock } = this.#services;
    const { identity } = this.#file;
    sourceAnswered(identity.sourceId, error);
    if (error.code !== 'not-found' || this.#isMissing) return;
    this.#isMissing = true;
    this.#file.write(() => entries.recordMissing(identity.entryId, error.message, clock.nowMs()));
  }

  /** Asks the origin now, unless that is under way. @throws LarderError when it did not say */
  ask(): Promise<'same' | 'other'> {
    return (this.#running ?? this.#start()).result;
  }

  cancel(): void {
    this.#running?.cancel();
  }

  #start(): Recheck {
    const { scheduler, threads, clock, random } = this.#services;
    const { identity, generation, bytes, seekable, request, compare, checkEnded } = this.#file;
    const recheck = new Recheck({
      sourceId: identity.sourceId,
      scheduler,
      threads,
      clock,
      fileName: generation.fileName,
      // An origin without ranges would send the whole file for it.
      sample: seekable ? bytes.sample(random) : null,
      request,
      compare,
    });
    this.#running = recheck;
    recheck.result
      .then(
        (verdict) => this.#decided(verdict),
        (error: unknown) => {
          // Called off: nothing was learned, and the next who opens the file asks.
          if (error instanceof LarderError && error.code === 'stopped') return;
          if (error instanceof LarderError) this.failed(error);
          this.#notBeforeMs = clock.monotonicMs() + RECHECK_RETRY_MS;
        },
      )
      .finally(() => {
        this.#running = undefined;
        checkEnded();
      });
    return recheck;
  }

  #decided(verdict: 'same' | 'other'): void {
    this.answered();
    const { generation, changed, write } = this.#file;
    if (verdict === 'other') changed();
    else write(() => this.#services.generations.recordChecked(generation.id, this.#checkedAtMs));
  }
}
