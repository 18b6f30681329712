// Compares all that is kept with its checksums, at once and by hand.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { Space } from '../chunks/space.ts';
import { readConfiguration } from '../config.ts';
import { describeError, LarderError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Command, CommandContext } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';
import { optionHelp } from './option-help.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'compare everything that is kept with its checksums',
  describe:
    () => `Reads every kept byte and compares it with the checksum taken when it was fetched. What is damaged is named and
given up, so that it is fetched again when it is wanted; while a Larder runs on the folder, it is only named: that one
finds it by itself, or run this again after it was stopped.

Exits with 0 when all is right, with 1 when something was damaged or could not be checked.

${optionHelp()}`,
  async run(context) {
    const { settings } = readConfiguration(context);
    const { path } = prepareDataFolder(settings.data);
    if (!existsSync(join(path, 'larder.db'))) {
      context.print('nothing is kept yet');
      return 0;
    }
    // Only now: the database driver needs the add-on.
    const { isHeld } = await import('../db/inspect.ts');
    const isRunning = await isHeld(path);
    const { lockFolder } = await import('../db/folder-lock.ts');
    const lock = isRunning ? null : await lockFolder(path, context.processId);
    try {
      return await verifyData(context, path, isRunning);
    } finally {
      lock?.release();
    }
  },
};

/** What is found damaged beside a running Larder is that one's to give up: it believes what it has in memory. */
async function verifyData(context: CommandContext, path: string, isRunning: boolean): Promise<number> {
  const { openDatabase } = await import('../db/database.ts');
  const { schemaOf } = await import('../db/migrate.ts');
  const { GenerationTable } = await import('../db/generations.ts');
  const { FileChunkStore } = await import('../chunks/file-chunk-store.ts');
  const { StoredBytes } = await import('../chunks/stored-bytes.ts');
  const { verifyFolder } = await import('../upkeep/verify-folder.ts');
  const { clock } = context;
  const database = await openDatabase(join(path, 'larder.db'));
  const schema = await schemaOf(database.client).catch(() => 0);
  if (schema !== migrations.at(-1)!.version) {
    database.close();
    throw new LarderError('data-folder', `the database is of schema ${schema}, not of this Larder`, {
      hint: 'start this Larder on the folder once, then run this again',
    });
  }
  const generations = new GenerationTable(database.tables);
  const store = new FileChunkStore(join(path, 'chunks'));
  const log = createLog({ level: 'error', write: context.complain, nowMs: () => clock.nowMs() });
  const space = new UncountedSpace((error) =>
    log.error('the damage could not be written down', { error: describeError(error) }),
  );

  async function giveUp(generationId: number, range: ByteRange): Promise<number> {
    if (isRunning) return rangeLength(range);
    const generation = await generations.find(generationId);
    if (generation === null) return 0;
    const ranges = await generations.listRanges(generationId);
    const stored = new StoredBytes(generation, ranges, new RangeSet(), { generations, store, space, clock, log });
    return stored.lose(range, 'larder verify found them damaged');
  }

  try {
    const { fileCount, uncheckedCount, verifiedBytes, damagedBytes } = await verifyFolder({
      generations,
      store,
      giveUp,
      verified: async (file, result) => {
        if (isRunning || result.damagedBytes > 0) return;
        await generations.recordVerified(file.generationId, clock.nowMs());
      },
      say: context.print,
    });
    context.print(`${fileCount} files: ${verifiedBytes} bytes are right, ${damagedBytes} are damaged`);
    if (uncheckedCount > 0) {
      context.print(`${uncheckedCount} files could not be checked; nothing was changed of them`);
      if (damagedBytes === 0) return 1;
    }
    if (damagedBytes === 0) return 0;
  } finally {
    database.close();
  }
  context.print(
    isRunning
      ? 'a Larder runs on this folder: stop it and run this again, and what is damaged is fetched anew'
      : 'what is damaged was given up and is fetched again when it is wanted',
  );
  return 1;
}

/** Nothing is written here that room would have to be kept for. */
class UncountedSpace implements Space {
  readonly refused: (error: unknown) => void;

  constructor(refused: (error: unknown) => void) {
    this.refused = refused;
  }

  refusal(): null {
    return null;
  }

  reserve(): number {
    return 0;
  }

  release(): void {
    // Nothing was reserved.
  }

  stored(): void {
    // As above.
  }

  removed(): void {
    // The next start counts anew.
  }

  strayed(): void {
    // As above.
  }
}
