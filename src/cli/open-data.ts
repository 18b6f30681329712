// Opens the database for a command that changes a few rows of it, whether a Larder runs on the folder or not.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import type { Database } from '../db/database.ts';
import { LarderError } from '../errors.ts';
import type { CommandContext } from './command.ts';

export interface OpenData {
  readonly database: Database;
  readonly isRunning: boolean;
  close(): void;
}

/**
 * Brings the database of a stopped Larder up to date first, and makes it where there is none yet.
 * @param path of the data folder, prepared
 * @throws LarderError `data-folder`
 */
export async function openData(context: CommandContext, path: string): Promise<OpenData> {
  // Only now: the database driver needs the add-on that was prepared with the folder.
  const { isHeld } = await import('../db/inspect.ts');
  const { lockFolder } = await import('../db/folder-lock.ts');
  const { openDatabase } = await import('../db/database.ts');
  const { migrate, schemaOf } = await import('../db/migrate.ts');
  const { mkdir } = await import('node:fs/promises');
  const file = join(path, 'larder.db');
  const isRunning = await isHeld(path);
  if (!existsSync(file) && (isRunning || existsSync(join(path, 'chunks')))) {
    throw new LarderError('data-folder', `the data folder ${path} has lost its database`, {
      hint: 'start Larder on it once, which makes a new one from the files, then run this again',
    });
  }
  const lock = isRunning ? null : await lockFolder(path, context.processId);
  let database: Database | null = null;
  try {
    database = await openDatabase(file);
    if (isRunning) {
      const schema = await schemaOf(database.client);
      if (schema !== migrations.at(-1)!.version) {
        throw new LarderError(
          'data-folder',
          `the Larder that runs on ${path} is of another version (schema ${schema})`,
          {
            hint: 'use the same version for this command, or stop it first',
          },
        );
      }
    } else {
      await mkdir(join(path, 'backups'), { recursive: true, mode: 0o700 });
      await migrate(database.client, {
        migrations,
        nowMs: () => context.clock.nowMs(),
        backupFile: (version) => join(path, 'backups', `schema-${version}-${context.clock.nowMs()}.db`),
      });
    }
    const open = database;
    return {
      database: open,
      isRunning,
      close: () => {
        open.close();
        lock?.release();
      },
    };
  } catch (error) {
    database?.close();
    lock?.release();
    throw error;
  }
}
