import type { LarderError } from '../errors.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, READER_WAIT_MAX_MS } from '../limits.ts';

/** Pause before try number `attempt` + 1, doubling, with half of it left to chance so that many do not come at once. */
export function backoffDelayMs(attempt: number, random: () => number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return full / 2 + (random() * full) / 2;
}

/** A longer pause than this is not worth keeping a player waiting for. */
export const READER_PAUSE_MAX_MS = READER_WAIT_MAX_MS / 4;

/** Whether the origin asked to be left alone for longer than a player waits. */
export function isLongPause(pause: LarderError): boolean {
  return (pause.retryAfterMs ?? 0) > READER_PAUSE_MAX_MS;
}
