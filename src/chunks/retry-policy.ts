import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from '../limits.ts';

/** Pause before try number `attempt` + 1, doubling, with half of it left to chance so that many do not come at once. */
export function backoffDelayMs(attempt: number, random: () => number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return full / 2 + (random() * full) / 2;
}
