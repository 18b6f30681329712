// A machine for tests of what disks do: a small disk of its own that another program can fill, files and rows as they
// lie there, and waits that end.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/clock.ts';
import { connect } from '../../src/db/database.ts';
import { systemCode } from '../../src/errors.ts';
import { RawConnection, type RawHead } from './raw-client.ts';

export const MB = 1_000_000;
const HURRY = 10;
const LABEL = /\.larder\.json$/;

/** Real time, so much faster: a disk that is tried again every five seconds costs a test half a second. */
export function hurriedBy(factor: number): Clock {
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs() * factor,
    after: (delayMs, action) => systemClock.after(delayMs / factor, action),
    every: (periodMs, action) => systemClock.every(periodMs / factor, action),
  };
}

export const hurriedClock: Clock = hurriedBy(HURRY);

/** Looks until it is so. @throws Error that says what did not become so */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 10_000) {
  const startedAtMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAtMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  freeBytes(): number;
  /** Another program fills it, but for so many bytes. */
  fill(leaveBytes?: number): void;
  /** What the other program wrote is gone. */
  empty(): Promise<void>;
  /** @returns whether the system did it */
  remount(mode: 'ro' | 'rw'): boolean;
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args).status === 0;
}

/** Whether this machine lets us; where it must (in CI), not letting us is a failure. */
export const canMount: boolean = (() => {
  const path = spawnSync('mktemp', ['-d']).stdout.toString().trim();
  const could = mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path);
  if (could) spawnSync('umount', [path]);
  spawnSync('rmdir', [path]);
  if (!could && process.env.CI !== undefined) throw new Error('tests of full disks need to mount a tmpfs: run as root');
  return could;
})();

/** A tmpfs; `existing` folders are mounted over. */
export async function smallDisk(mebibytes: number, existing?: string): Promise<SmallDisk> {
  const path = existing ?? (await mkdtemp(join(tmpdir(), 'larder-disk-')));
  if (!mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)) throw new Error(`cannot mount at ${path}`);
  const filler = join(path, 'filler');
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    freeBytes,
    fill(leaveBytes = 0) {
      const file = openSync(filler, 'a');
      try {
        while (freeBytes() > leaveBytes) writeSync(file, Buffer.alloc(Math.min(65_536, freeBytes() - leaveBytes)));
      } catch (error) {
        if (systemCode(error) !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    empty: () => rm(filler, { force: true }),
    remount: (mode) => mount('-o', `remount,${mode}`, path),
    async [Symbol.asyncDispose]() {
      spawnSync('umount', ['-l', path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Chunk files, without the labels beside them. */
export async function chunkFiles(dataFolder: string): Promise<string[]> {
  const entries = await readdir(join(dataFolder, 'chunks'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !LABEL.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

export async function chunkFileOf(dataFolder: string, name: string): Promise<string> {
  const found = (await chunkFiles(dataFolder)).find((file) => file.includes(name));
  if (found === undefined) throw new Error(`there is no chunk file of ${name}`);
  return found;
}

/** What files of a folder take of the disk, and how many there are. */
export async function diskUse(folder: string): Promise<{ bytes: number; files: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  let files = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
    if (found === null) continue;
    bytes += found.blocks * 512;
    files += 1;
  }
  return { bytes, files };
}

export type Row = Record<string, string | number | null>;

/** Rows as another program sees them, while Larder runs or not. */
export async function query(dataFolder: string, sql: string): Promise<Row[]> {
  const client = connect(join(dataFolder, 'larder.db'));
  try {
    const result = await client.execute(sql);
    return result.rows.map((row) => Object.fromEntries(result.columns.map((column) => [column, row[column]])) as Row);
  } finally {
    client.close();
  }
}

export async function eventsOf(dataFolder: string, kind?: string): Promise<{ kind: string; text: string }[]> {
  const rows = await query(dataFolder, 'SELECT kind, subject, text FROM events ORDER BY id');
  return (rows as unknown as { kind: string; text: string }[]).filter((row) => kind === undefined || row.kind === kind);
}

/** A reader that takes what it is told to, and checks every byte. */
export class Viewer implements Disposable {
  readonly connection: RawConnection;
  readonly head: RawHead;
  position = 0;
  readonly #check: (bytes: Uint8Array, offset: number) => void;

  private constructor(connection: RawConnection, head: RawHead, check: (bytes: Uint8Array, offset: number) => void) {
    this.connection = connection;
    this.head = head;
    this.#check = check;
  }

  static async open(port: number, path: string, check: (bytes: Uint8Array, offset: number) => void): Promise<Viewer> {
    const connection = await RawConnection.open(port);
    connection.send('GET', path);
    return new Viewer(connection, await connection.readHead(), check);
  }

  get promisedBytes(): number {
    return Number(this.head.header('content-length'));
  }

  /** @returns whether all of them came */
  async take(bytes: number): Promise<boolean> {
    const end = Math.min(this.position + bytes, this.promisedBytes);
    while (this.position < end) {
      const piece = await this.connection.readBytes(Math.min(256 * 1024, end - this.position));
      if (piece.length === 0) return false;
      this.#check(piece, this.position);
      this.position += piece.length;
    }
    return true;
  }

  /** The rest; @returns whether the file came whole */
  takeRest(): Promise<boolean> {
    return this.take(Number.POSITIVE_INFINITY);
  }

  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }
}
