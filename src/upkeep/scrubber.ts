// Compares all that is kept with its checksums, slowly and in the background: bits turn while nobody reads them. What is
// damaged is given up, so that it is fetched again when it is wanted next.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { FetchThreads } from '../chunks/fetch-scheduler.ts';
import type { Clock, Timer } from '../clock.ts';
import type { GenerationTable, ScrubCandidate } from '../db/generations.ts';
import { describeError, LarderError } from '../errors.ts';
import { SCRUB_LOOK_MS, SCRUB_PERIOD_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { type VerifyResult, verifyFile } from './verify-file.ts';

export interface ScrubberServices {
  readonly generations: GenerationTable;
  readonly threads: Pick<FetchThreads, 'checksum'>;
  /** Gives up damaged bytes. @returns how many there were */
  readonly loseBytes: (generationId: number, range: ByteRange, reason: string) => Promise<number>;
  /** 0 turns it off. */
  readonly bytesPerSecond: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

export class Scrubber {
  readonly #services: ScrubberServices;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Generations that could not be checked in this life of the program. */
  readonly #skipped = new Set<number>();

  constructor(services: ScrubberServices) {
    this.#services = services;
  }

  start(): void {
    this.#timer = this.#services.clock.every(SCRUB_LOOK_MS, () => this.#run());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#wake?.();
    await this.#running;
  }

  /** Compares one generation as a whole, no faster than the given rate. @throws LarderError when it cannot be read */
  async #scrub(candidate: ScrubCandidate, bytesPerSecond: number): Promise<VerifyResult> {
    const { generations, threads, loseBytes, clock } = this.#services;
    const { generationId } = candidate;
    const result = await verifyFile(candidate, {
      generations,
      checksum: (fileName, spans) => threads.checksum(fileName, spans),
      damaged: (span) => loseBytes(generationId, span, 'a check found that they are not what was fetched'),
      summed: (checksums) => generations.recordChecksums(generationId, checksums),
      afterStep: async (bytes) => {
        await this.#pause((bytes * 1_000) / bytesPerSecond, clock);
        return !this.#stopped;
      },
    });
    if (!this.#stopped) await generations.recordVerified(generationId, clock.nowMs());
    return result;
  }

  #run(): void {
    this.#running ??= this.#scrubDue()
      .catch((error: unknown) => {
        this.#services.log.warning('the background check stopped', { error: describeError(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #scrubDue(): Promise<void> {
    const { generations, bytesPerSecond, loseBytes, clock, log } = this.#services;
    while (!this.#stopped && bytesPerSecond() > 0) {
      const nowMs = clock.nowMs();
      const candidate = await generations.findScrubCandidate(nowMs - SCRUB_PERIOD_MS, nowMs, [...this.#skipped]);
      if (candidate === null) return;
      try {
        const { verifiedBytes, damagedBytes } = await this.#scrub(candidate, bytesPerSecond());
        log.debug('a file was verified', { file: candidate.fileName, bytes: verifiedBytes, damaged: damagedBytes });
      } catch (error) {
        if (error instanceof LarderError && error.code === 'file-lost') {
          await loseBytes(candidate.generationId, { start: 0, end: Number.MAX_SAFE_INTEGER }, 'the file is not there');
          await generations.recordVerified(candidate.generationId, clock.nowMs());
          continue;
        }
        // One that cannot be read now does not hold up the others; the next start tries it again.
        this.#skipped.add(candidate.generationId);
        log.warning('a file could not be checked', { file: candidate.fileName, error: describeError(error) });
      }
    }
  }

  #pause(delayMs: number, clock: Clock): Promise<void> {
    if (this.#stopped || !(delayMs > 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.after(delayMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
