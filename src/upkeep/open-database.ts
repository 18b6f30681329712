// Opens the database of a data folder, brings it up to date, and starts a new one where the old one is damaged. The
// damaged one is kept beside, for whoever wants to look.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { checkDatabase, type Database, isDatabaseDamage, openDatabase } from '../db/database.ts';
import { type Migration, migrate } from '../db/migrate.ts';
import { describeError, LarderError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface OpenServices {
  readonly dataFolder: string;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenedDatabase {
  readonly database: Database;
  /** There was none, or it was damaged: the rows are to be made from what the files tell, and `rebuilt` called then. */
  readonly isNew: boolean;
  /** Until this was called the next start goes on with making the rows. */
  readonly rebuilt: () => Promise<void>;
  /** Where the damaged one was put; null when it was not damaged. */
  readonly damagedFolder: string | null;
}

const DATABASE_NAME = 'larder.db';
/** Beside the database: a running Larder found it damaged. */
const SUSPECT_NAME = 'larder.db.suspect';
/** Beside a database that is being made from the files. */
const REBUILDING_NAME = 'larder.db.rebuilding';

export function databaseFile(dataFolder: string): string {
  return join(dataFolder, DATABASE_NAME);
}

/** Its presence says that the database may be damaged: the next start looks. */
export function suspectFile(dataFolder: string): string {
  return join(dataFolder, SUSPECT_NAME);
}

/** @throws LarderError `data-folder` when it cannot be opened for another reason than damage */
export async function openOrRebuild(services: OpenServices): Promise<OpenedDatabase> {
  const { dataFolder, clock, log } = services;
  const suspect = suspectFile(dataFolder);
  const rebuilding = join(dataFolder, REBUILDING_NAME);
  const rebuilt = () => rm(rebuilding, { force: true });
  // Before there is a database that a start that comes too early would take for whole.
  if (!existsSync(databaseFile(dataFolder)) && existsSync(join(dataFolder, 'chunks'))) await mark(rebuilding);
  const onDamage = () => {
    writeFile(suspect, '').catch(() => undefined); // the next start finds the damage in another way then
    log.error('the database is damaged; Larder makes a new one from its files when it is started again');
  };
  try {
    const opened = await openAndMigrate(services, onDamage);
    const problems = existsSync(suspect) ? await checkDatabase(opened.database) : [];
    if (problems.length === 0) {
      await rm(suspect, { force: true });
      return { ...opened, isNew: opened.isNew || existsSync(rebuilding), damagedFolder: null, rebuilt };
    }
    opened.database.close();
    log.error('the database is damaged', { problem: problems[0] });
  } catch (error) {
    if (!isDatabaseDamage(error)) throw error;
    log.error('the database is damaged', { problem: describeError(error) });
  }
  await mark(rebuilding);
  const damagedFolder = await putAside(dataFolder, clock);
  await rm(suspect, { force: true });
  log.warning('a new database is made from what the files tell', { damaged: damagedFolder });
  const { database } = await openAndMigrate(services, onDamage);
  return { database, isNew: true, damagedFolder, rebuilt };
}

async function mark(file: string): Promise<void> {
  try {
    await writeFile(file, '');
  } catch (error) {
    throw new LarderError('data-folder', `a new database cannot be made: ${describeError(error)}`, {
      cause: error,
      hint: 'nothing was changed; make room on the disk of the data folder and let Larder write there, then start again',
    });
  }
}

async function openAndMigrate(
  { dataFolder, migrations, clock, log }: OpenServices,
  onDamage: () => void,
): Promise<Pick<OpenedDatabase, 'database' | 'isNew'>> {
  const database = await openDatabase(databaseFile(dataFolder), onDamage);
  try {
    await mkdir(join(dataFolder, 'backups'), { recursive: true, mode: 0o700 });
    const result = await migrate(database.client, {
      migrations,
      nowMs: () => clock.nowMs(),
      backupFile: (version) => join(dataFolder, 'backups', `schema-${version}-${clock.nowMs()}.db`),
    });
    if (result.backupFile !== null) {
      log.info('the database was brought up to date', { to: result.to, backup: result.backupFile });
    }
    return { database, isNew: result.from === 0 };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function putAside(dataFolder: string, clock: Clock): Promise<string> {
  const folder = join(dataFolder, 'damaged', String(clock.nowMs()));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const suffix of ['', '-wal', '-shm']) {
    const name = `${DATABASE_NAME}${suffix}`;
    if (existsSync(join(dataFolder, name))) await rename(join(dataFolder, name), join(folder, name));
  }
  return folder;
}
