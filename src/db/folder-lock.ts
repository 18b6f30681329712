// One Larder per data folder. The lock is an exclusive transaction on a database file of its own, held for life: the
// kernel drops it when the process dies, however that happens, so no stale lock can keep an appliance from starting.
// The pid stands in a file beside it, only to be named to a person.
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, LarderError } from '../errors.ts';
import { connect } from './database.ts';

export interface FolderLock {
  release(): void;
}

/** @throws LarderError `data-folder` when another process holds the folder or it cannot be written */
export async function lockFolder(folder: string, processId: number): Promise<FolderLock> {
  const pidFile = join(folder, 'larder.pid');
  let client: ReturnType<typeof connect> | undefined;
  try {
    const lockFile = join(folder, 'larder.lock');
    client = connect(lockFile, 0);
    // By name: opening and closing the file beside SQLite would drop its lock. The journal gets the same mode.
    await chmod(lockFile, 0o600).catch(() => undefined); // somebody else's file: locking it says what is wrong
    const transaction = await client.transaction('write');
    await transaction.execute('CREATE TABLE IF NOT EXISTS held (since INTEGER)');
    // Only to be named to a person: a full disk keeps nobody from starting.
    await writeFile(pidFile, `${processId}\n`, { mode: 0o600 }).catch(() => undefined);
    const held = client;
    return {
      release() {
        transaction.close();
        held.close();
      },
    };
  } catch (error) {
    client?.close();
    if (/SQLITE_BUSY|database is locked/.test(describeError(error))) {
      const holder = await readFile(pidFile, 'utf8').catch(() => 'unknown');
      throw new LarderError(
        'data-folder',
        `the data folder ${folder} is in use by another Larder (pid ${holder.trim()})`,
        {
          hint: 'stop that one first, or give this one a folder of its own with --data DIR',
        },
      );
    }
    throw new LarderError('data-folder', `the data folder ${folder} cannot be used: ${describeError(error)}`, {
      cause: error,
      hint: `check that the disk has room and that the user Larder runs as may write there`,
    });
  }
}
