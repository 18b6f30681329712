// A form that is sent twice by a double click is acted on once: the second press gets the answer of the first. Its page
// gives the form an id (`once`) of which no two pages have the same.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ActionResult } from './routes.ts';

const KEPT_MS = 30_000;
const KEPT_MAX = 100;

interface Kept {
  readonly atMs: number;
  readonly answer: Promise<ActionResult | Response>;
}

export class OnceAnswers {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param facts who sent what where: what differs in any of it is another form */
  async run(facts: unknown, act: () => Promise<ActionResult | Response>): Promise<ActionResult | Response> {
    // Of a password only this is kept.
    const key = createHash('sha256').update(JSON.stringify(facts)).digest('base64');
    const nowMs = this.#clock.monotonicMs();
    for (const [old, { atMs }] of this.#kept) {
      if (nowMs - atMs > KEPT_MS || this.#kept.size >= KEPT_MAX) this.#kept.delete(old);
    }
    const earlier = this.#kept.get(key);
    if (earlier !== undefined) {
      const result = await earlier.answer;
      if (isDone(result)) return result;
    }
    const answer = act();
    this.#kept.set(key, { atMs: nowMs, answer });
    const result = await answer;
    if (!isDone(result)) this.#kept.delete(key);
    return result;
  }
}

/** What was not done may be tried again, and a page of its own can be sent only once. */
function isDone(result: ActionResult | Response): result is ActionResult {
  return !(result instanceof Response) && result.notice?.tone !== 'failed';
}
