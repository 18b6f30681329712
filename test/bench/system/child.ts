// A program started by the bench. It is known and ended by its own process id, and its last words are kept for errors.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { listProcessTree } from './process-tree.ts';

const KEPT_LINES = 12;
const STOP_LIMIT_MS = 6_000;

export interface ChildOptions {
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #lastLines: string[] = [];
  readonly #lineListeners = new Set<(line: string) => void>();
  readonly #ended: Promise<void>;
  #isAlive = true;

  constructor(options: ChildOptions) {
    const [program, ...programArguments] = options.command;
    this.#name = program;
    this.#process = spawn(program, programArguments, {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#keep(error.message);
        this.#isAlive = false;
        resolve();
      });
      this.#process.once('exit', () => {
        this.#isAlive = false;
        resolve();
      });
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    }
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.#name} could not be started: ${this.lastWords}`);
    return this.#process.pid;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get lastWords(): string {
    return this.#lastLines.join(' | ');
  }

  #keep(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    for (const listener of this.#lineListeners) listener(line);
  }

  /** The first line of output that matches, also one already printed. Throws when the program ends or is silent. */
  waitForLine(pattern: RegExp, limitMs = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#lineListeners.delete(listener);
        outcome();
      };
      const fail = (what: string) =>
        settle(() => reject(new Error(`${this.#name} ${what} before it printed ${pattern}: ${this.lastWords}`)));
      const listener = (line: string) => {
        const match = pattern.exec(line);
        if (match) settle(() => resolve(match));
      };
      const timer = setTimeout(() => fail('was silent'), limitMs);
      this.#lineListeners.add(listener);
      for (const line of [...this.#lastLines]) listener(line);
      // A late line may still be in the pipe when the exit is reported.
      void this.#ended.then(() => setTimeout(() => fail('ended'), 50));
    });
  }

  /** Asks the program to end, waits, then ends it and its children by force. */
  async stop(): Promise<void> {
    if (!this.#isAlive || this.#process.pid === undefined) return;
    const tree = listProcessTree(this.#process.pid);
    this.#process.kill('SIGTERM');
    const limit = new Promise<void>((resolve) => setTimeout(resolve, STOP_LIMIT_MS).unref());
    await Promise.race([this.#ended, limit]);
    if (this.#isAlive) killAll(tree);
  }

  /** For the last moments of the bench: no waiting. */
  kill(): void {
    if (this.#isAlive && this.#process.pid !== undefined) killAll(listProcessTree(this.#process.pid));
  }
}

function killAll(processIds: readonly number[]): void {
  for (const processId of processIds) {
    try {
      process.kill(processId, 'SIGKILL');
    } catch {
      // It was gone already, which is what we want.
    }
  }
}
