// Answers that are remembered for a while, and questions that are under way: who asks the same at the same time shares
// one request. Bounded by count; what was not used for longest goes first.
import type { Clock } from '../../clock.ts';

export interface Answer<Value> {
  readonly value: Value;
  /** Nothing is remembered for 0. */
  readonly keepMs: number;
}

export class AnswerMemory<Value> {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #kept = new Map<string, { readonly value: Value; readonly untilMs: number }>();
  readonly #underWay = new Map<string, Promise<Value>>();
  #cleared = 0;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** What is remembered, without asking. */
  peek(key: string): Value | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.untilMs > this.#clock.monotonicMs() ? kept.value : undefined;
  }

  /** @param isFresh - what is remembered does not count; a request that is under way does */
  async get(key: string, isFresh: boolean, ask: () => Promise<Answer<Value>>): Promise<Value> {
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const value = isFresh ? undefined : this.peek(key);
    if (value !== undefined) {
      this.#touch(key);
      return value;
    }
    const asking = this.#ask(key, ask);
    this.#underWay.set(key, asking);
    try {
      return await asking;
    } finally {
      if (this.#underWay.get(key) === asking) this.#underWay.delete(key);
    }
  }

  keep(key: string, value: Value, keepMs: number): void {
    this.#kept.delete(key);
    if (keepMs <= 0) return;
    this.#kept.set(key, { value, untilMs: this.#clock.monotonicMs() + keepMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(oldest);
    }
  }

  /** What is under way is still answered, and not remembered. */
  clear(): void {
    this.#cleared += 1;
    this.#kept.clear();
    this.#underWay.clear();
  }

  async #ask(key: string, ask: () => Promise<Answer<Value>>): Promise<Value> {
    const cleared = this.#cleared;
    const { value, keepMs } = await ask();
    if (cleared === this.#cleared) this.keep(key, value, keepMs);
    return value;
  }

  #touch(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
  }
}
