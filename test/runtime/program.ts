// Starts the program as a user would, as a process of its own, and talks to it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dir, '../..');
export const binary = join(root, 'dist/larder');

export interface ProgramOptions {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends the signal and resolves with how it ended. */
  end(signal?: NodeJS.Signals): Promise<Finished>;
}

function start(options: ProgramOptions) {
  const [file = '', ...args] = options.command;
  const child = spawn(file, args, {
    cwd: options.cwd ?? root,
    // Nothing of this process's environment: what a user has is named by the test.
    env: { PATH: process.env.PATH ?? '', ...options.environment },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let wake: () => void = Function.prototype as () => void;
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    wake();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    wake();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  return { child, finished, changed, stdout: () => stdout, stderr: () => stderr };
}

/** Runs a command that ends by itself. */
export function run(options: ProgramOptions): Promise<Finished> {
  return start(options).finished;
}

/** Starts an appliance and resolves when it listens. @throws Error with what it said when it does not */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { child, finished, changed, stdout, stderr } = start(options);
  const listening = /larder listening on http:\/\/\S+:(\d+)\n/;
  let ended = false;
  void finished.then(() => {
    ended = true;
  });
  while (!listening.test(stdout())) {
    if (ended) throw new Error(`it ended before it listened: ${stdout()}${stderr()}`);
    await Promise.race([changed(), finished]);
  }
  const end = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return finished;
  };
  return {
    port: Number(listening.exec(stdout())![1]),
    pid: child.pid!,
    stdout,
    stderr,
    end,
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}

/** Path of a command, or null; in CI a missing one is a failure of the test that needs it. */
export function findCommand(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined && process.env.CI === 'true') throw new Error(`${name} is not installed`);
  return found ?? null;
}

/** The pinned Deno. */
export function denoFile(): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const file = join(root, `node_modules/@deno/linux-${architecture}-glibc/deno`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm install"`);
  return file;
}
