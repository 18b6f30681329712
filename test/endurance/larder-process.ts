// The compiled binary as a process that may be killed at any moment, also before it listens. Ended by its own id only;
// whatever is left of it ends with this process.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { binary } from '../runtime/program.ts';

/** Absolute path of the binary under test. @throws Error in one clear line when it is not there */
export function larderBinary(): string {
  const file = resolve(process.env.LARDER_BINARY ?? binary);
  if (!existsSync(file)) throw new Error(`${file} does not exist: run "npm run build" or set LARDER_BINARY`);
  return file;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const KEPT_TEXT = 4_000;
const FREEZE_LIMIT_MS = 2_000;
/** CONTRACT.md: at most 5 s from the signal to the exit; the rest is for a machine that is busy with other things. */
const STOP_LIMIT_MS = 8_000;
const LISTEN_LIMIT_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class LarderProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<Exit>;
  readonly #listening: Promise<number>;
  readonly #startedAtMs = performance.now();
  #output = '';
  /** From the start of the process to its line; null before. */
  startMs: number | null = null;

  /** @param launcher - a command that replaces itself by the one that follows it */
  constructor(dataFolder: string, args: readonly string[], launcher: readonly string[] = []) {
    // Sources are not gone through: what they are asked here is asked by players.
    const own = ['--host', '127.0.0.1', '--port', '0', '--sync-every', '0'];
    const command = [...launcher, larderBinary(), 'serve', '--data', dataFolder, ...own, ...args];
    this.#child = spawn(command[0]!, command.slice(1), {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        running.delete(this.#child);
        resolve({ code, signal });
      });
    });
    this.#listening = new Promise((resolve, reject) => {
      this.#child.stdout!.on('data', (data: Buffer) => {
        this.#note(data);
        const port = /larder listening on http:\/\/\S+:(\d+)\n/.exec(this.#output)?.[1];
        if (port === undefined || this.startMs !== null) return;
        this.startMs = performance.now() - this.#startedAtMs;
        resolve(Number(port));
      });
      this.#exited.then(() => reject(new Error(`it ended before it listened: ${this.#output}`)), reject);
    });
    this.#listening.catch(() => undefined); // killed before: nobody waits for it then
    this.#child.stderr!.on('data', (data: Buffer) => this.#note(data));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The last of what it printed. */
  get lastWords(): string {
    return this.#output;
  }

  get exited(): Promise<Exit> {
    return this.#exited;
  }

  /** Resolves with its port. @throws Error when it ends before, or is silent for too long */
  listening(): Promise<number> {
    return within(LISTEN_LIMIT_MS, this.#listening, () => `it did not listen within 30 s: ${this.#output}`);
  }

  /** Every thread stands still when this returns, and what they did can be looked at before `kill`. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
    const deadlineMs = performance.now() + FREEZE_LIMIT_MS;
    while (!this.#isFrozen()) {
      if (performance.now() > deadlineMs) throw new Error(`process ${this.pid} did not stop within 2 s`);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM. @returns how long it took. @throws Error when it was too long, or ended in any other way than with 0 */
  async terminate(): Promise<number> {
    const startedAtMs = performance.now();
    this.#child.kill('SIGTERM');
    const exit = await within(STOP_LIMIT_MS, this.#exited, () => `it did not stop within 8 s: ${this.#output}`);
    if (exit.code !== 0) {
      throw new Error(`it ended with ${exit.signal ?? `exit code ${exit.code}`} after SIGTERM: ${this.#output}`);
    }
    return performance.now() - startedAtMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #note(data: Buffer): void {
    this.#output = (this.#output + data.toString()).slice(-KEPT_TEXT);
  }

  #isFrozen(): boolean {
    const folder = `/proc/${this.pid}/task`;
    return readdirSync(folder).every((thread) => {
      const text = readFileSync(`${folder}/${thread}/stat`, 'utf8');
      return text[text.lastIndexOf(')') + 2] === 'T';
    });
  }
}

async function within<T>(limitMs: number, result: Promise<T>, complaint: () => string): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), limitMs);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
