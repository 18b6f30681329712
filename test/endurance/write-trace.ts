// Which files a running program writes to, by strace (Debian package of that name): bytes of its write calls by what
// they are for. What it writes through a mapping (larder.db-shm) is not in it, nor how many pages that makes.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const CALLS = 'write,writev,pwrite64,pwritev,pwritev2';
const ATTACH_LIMIT_MS = 10_000;

/** What a file in the data folder is for; null for what is no file: sockets, pipes, terminals. */
export function writeKindOf(path: string): string | null {
  if (!path.startsWith('/') || path.startsWith('/dev/')) return null;
  if (path.includes('/chunks/')) return /\.larder\.json(?:\.new)?$/.test(path) ? 'labels' : 'chunk files';
  if (path.endsWith('/larder.db-wal')) return 'database log';
  if (path.endsWith('/larder.db')) return 'database';
  return 'other files';
}

/** Reads the lines of `strace -f -y`; a call of one thread may be told in two, with others in between. */
export class WriteSums {
  readonly bytesByKind = new Map<string, number>();
  /** By thread: where the call goes that has not returned. */
  readonly #open = new Map<string, string>();

  addLine(line: string): void {
    const thread = /^(?:\[pid +)?(\d+)/.exec(line)?.[1] ?? '';
    const path = /\bp?writev?(?:64|2)?\(\d+<([^>]*)>/.exec(line)?.[1] ?? this.#open.get(thread);
    if (path === undefined) return;
    if (line.includes('<unfinished')) {
      this.#open.set(thread, path);
      return;
    }
    this.#open.delete(thread);
    const kind = writeKindOf(path);
    const bytes = Number(/\) += (\d+)$/.exec(line)?.[1] ?? 0);
    if (kind !== null && bytes > 0) this.bytesByKind.set(kind, (this.bytesByKind.get(kind) ?? 0) + bytes);
  }
}

export class WriteTrace {
  readonly sums = new WriteSums();
  readonly #strace: ChildProcess;
  readonly #ended: Promise<void>;

  /** Resolves when every thread is watched. @throws Error when strace is not there or may not */
  static async attach(pid: number): Promise<WriteTrace> {
    const trace = new WriteTrace(pid);
    await trace.#attached();
    return trace;
  }

  private constructor(pid: number) {
    // Its calls come on standard error, and so does what it says itself.
    const options = ['-f', '-y', '-s', '0', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-p', String(pid)];
    this.#strace = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#ended = new Promise((resolve, reject) => {
      this.#strace.once('error', (error) => reject(new Error(`apt-get install strace: ${error.message}`)));
      this.#strace.once('close', () => resolve());
    });
  }

  /** Resolves when the program has ended, and strace with it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #attached(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('strace does not attach')), ATTACH_LIMIT_MS);
      createInterface({ input: this.#strace.stderr! }).on('line', (line) => {
        if (/^strace: Process \d+ attached/.test(line)) {
          clearTimeout(timer);
          resolve();
        }
        this.sums.addLine(line);
      });
      this.#ended.then(() => reject(new Error('strace ended: may it look at other processes?')), reject);
    });
  }
}
