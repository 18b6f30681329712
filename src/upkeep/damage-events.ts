// Tells of damaged files: each once in a while, because a dead disk loses a film in thousands of pieces.
import type { Clock } from '../clock.ts';
import { describeBytes } from '../words.ts';

const TELL_AGAIN_MS = 3_600_000;
/** Files that are remembered as told. */
const FILES_MAX = 1_000;

export class DamageEvents {
  readonly #clock: Clock;
  readonly #noteEvent: (kind: string, subject: string, text: string) => Promise<boolean>;
  readonly #toldAtMs = new Map<string, number>();

  constructor(clock: Clock, noteEvent: (kind: string, subject: string, text: string) => Promise<boolean>) {
    this.#clock = clock;
    this.#noteEvent = noteEvent;
  }

  note(subject: string, fromByte: number, lostBytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (lostBytes === 0 || nowMs - (this.#toldAtMs.get(subject) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
    this.#toldAtMs.delete(subject);
    this.#toldAtMs.set(subject, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > FILES_MAX && oldest !== undefined) this.#toldAtMs.delete(oldest);
    const text = `${describeBytes(lostBytes)} from byte ${fromByte} on were not what was fetched, and more may follow. They are given up and fetched again.`;
    void this.#noteEvent('damaged', subject, text);
  }
}
