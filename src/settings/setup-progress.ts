// The pages that lead a new owner from the claim to the first film. They begin with a claim, go on where they were left,
// leave out what flags, environment or file have settled, and are gone when they were gone through.

export const SETUP_STEPS = ['storage', 'source', 'play'] as const;
export type SetupStepName = (typeof SETUP_STEPS)[number];

export interface SetupStep {
  readonly name: SetupStepName;
  /** What it is about, in a word or two: `Storage`. */
  readonly title: string;
  /** What settled it, such as `LARDER_CACHE_SIZE`: then it is not asked. Null when it is to be asked. */
  readonly settledBy: () => string | null;
}

export interface SetupStepState {
  readonly name: SetupStepName;
  readonly title: string;
  readonly state: 'open' | 'done' | 'skipped';
}

/** Where the progress is kept. */
export interface SetupStore {
  all(): Promise<ReadonlyMap<string, unknown>>;
  change(values: ReadonlyMap<string, unknown>, nowMs: number): Promise<void>;
}

const KEY = 'setup';

export class SetupProgress {
  readonly #store: SetupStore;
  readonly #nowMs: () => number;
  readonly #steps = new Map<SetupStepName, SetupStep>();

  constructor(store: SetupStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** A page for this step exists. */
  offer(step: SetupStep): void {
    this.#steps.set(step.name, step);
  }

  /** What lies ahead of who claims this Larder now. */
  offered(): readonly SetupStepState[] {
    return this.#asked().map(({ name, title }) => ({ name, title, state: 'open' }));
  }

  /** Somebody has just become the first owner. */
  async begin(): Promise<void> {
    await this.#write({});
  }

  /** Null when there is nothing to go through: it was gone through, or never begun. */
  async steps(): Promise<readonly SetupStepState[] | null> {
    const marks = await this.#read();
    if (marks === null) return null;
    return this.#asked().map(({ name, title }) => ({ name, title, state: marks[name] ?? 'open' }));
  }

  /** The step to go on with; null when none is left. */
  async next(): Promise<SetupStepName | null> {
    const steps = await this.steps();
    return steps?.find(({ state }) => state === 'open')?.name ?? null;
  }

  /** @returns the next one, or null when this was the last: then it is over */
  async pass(name: SetupStepName, as: 'done' | 'skipped'): Promise<SetupStepName | null> {
    const marks = await this.#read();
    if (marks === null) return null;
    await this.#write({ ...marks, [name]: as });
    const next = await this.next();
    if (next === null) await this.finish();
    return next;
  }

  /** From here on there are no set-up pages any more. */
  async finish(): Promise<void> {
    await this.#store.change(new Map([[KEY, null]]), this.#nowMs());
  }

  #asked(): SetupStep[] {
    return SETUP_STEPS.flatMap((name) => this.#steps.get(name) ?? []).filter((step) => step.settledBy() === null);
  }

  async #read(): Promise<Partial<Record<SetupStepName, 'done' | 'skipped'>> | null> {
    const kept = (await this.#store.all()).get(KEY);
    if (typeof kept !== 'object' || kept === null) return null;
    const marks: Partial<Record<SetupStepName, 'done' | 'skipped'>> = {};
    for (const name of SETUP_STEPS) {
      const mark = (kept as Record<string, unknown>)[name];
      if (mark === 'done' || mark === 'skipped') marks[name] = mark;
    }
    return marks;
  }

  async #write(marks: Partial<Record<SetupStepName, 'done' | 'skipped'>>): Promise<void> {
    await this.#store.change(new Map([[KEY, marks]]), this.#nowMs());
  }
}
