// Compares all that is kept with its checksums, at once and by hand.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import { readConfiguration } from '../config.ts';
import { describeError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Command, CommandContext } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';
import { optionHelp } from './option-help.ts';

/** Files looked up in one statement. */
const PAGE_FILES = 200;

export const verify: Command = {
  name: 'verify',
  summary: 'compare everything that is kept with its checksums',
  describe:
    () => `Reads every kept byte and compares it with the checksum taken when it was fetched. What is damaged is named and
given up, so that it is fetched again when it is wanted; while a Larder runs on the folder, it is only named: that one
finds it by itself, or run this again after it was stopped.

Exits with 0 when all is right, with 1 when something was damaged.

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
      return await verifyFolder(context, path, isRunning);
    } finally {
      lock?.release();
    }
  },
};

async function verifyFolder(context: CommandContext, path: string, isRunning: boolean): Promise<number> {
  const { openDatabase } = await import('../db/database.ts');
  const { GenerationTable } = await import('../db/generations.ts');
  const { FileChunkStore } = await import('../chunks/file-chunk-store.ts');
  const { computeChecksums } = await import('../chunks/span-checksums.ts');
  const { StoredBytes } = await import('../chunks/stored-bytes.ts');
  const { verifyFile } = await import('../upkeep/verify-file.ts');
  const { clock } = context;
  const database = await openDatabase(join(path, 'larder.db'));
  const generations = new GenerationTable(database.tables);
  const store = new FileChunkStore(join(path, 'chunks'));
  const log = createLog({ level: 'error', write: context.complain, nowMs: () => clock.nowMs() });
  const noSpace = {
    refusal: () => null,
    reserve: () => 0,
    release: () => undefined,
    stored: () => undefined,
    removed: () => undefined,
    strayed: () => undefined,
    refused: (error: unknown) => log.error('the damage could not be written down', { error: describeError(error) }),
  };

  async function giveUp(generationId: number, range: ByteRange): Promise<number> {
    if (isRunning) return rangeLength(range);
    const generation = await generations.find(generationId);
    if (generation === null) return 0;
    const ranges = await generations.listRanges(generationId);
    const services = { generations, store, space: noSpace, clock, log };
    return new StoredBytes(generation, ranges, new RangeSet(), services).lose(
      range,
      'larder verify found them damaged',
    );
  }

  const total = { files: 0, verifiedBytes: 0, damagedBytes: 0 };
  try {
    for (let afterId = 0; ; ) {
      const page = await generations.listFiles(PAGE_FILES, afterId);
      const last = page.at(-1);
      if (last === undefined) break;
      afterId = last.generationId;
      for (const file of page) {
        if (file.lengthAtLeast === 0) continue;
        total.files += 1;
        const damaged = async (span: ByteRange) => {
          context.print(`damaged: ${file.fileName}, bytes ${span.start} to ${span.end - 1}`);
          return giveUp(file.generationId, span);
        };
        try {
          const result = await verifyFile(file, {
            generations,
            checksum: (fileName, spans) => computeChecksums(store, fileName, spans),
            damaged,
            afterStep: () => Promise.resolve(true),
          });
          total.verifiedBytes += result.verifiedBytes;
          total.damagedBytes += result.damagedBytes;
          if (!isRunning && result.damagedBytes === 0)
            await generations.recordVerified(file.generationId, clock.nowMs());
        } catch (error) {
          context.print(`missing: ${file.fileName} (${describeError(error)})`);
          total.damagedBytes += await giveUp(file.generationId, { start: 0, end: file.lengthAtLeast });
        }
      }
    }
  } finally {
    database.close();
  }
  context.print(`${total.files} files: ${total.verifiedBytes} bytes are right, ${total.damagedBytes} are damaged`);
  if (total.damagedBytes === 0) return 0;
  context.print(
    isRunning
      ? 'a Larder runs on this folder: stop it and run this again, and what is damaged is fetched anew'
      : 'what is damaged was given up and is fetched again when it is wanted',
  );
  return 1;
}
