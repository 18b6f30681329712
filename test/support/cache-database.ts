// A migrated database of its own, in a temporary folder, with the tables on top.
import { dirname, join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { DownloadQueueTable } from '../../src/db/download-queue.ts';
import { type EntryDescription, EntryTable } from '../../src/db/entries.ts';
import { GenerationTable, type NewGeneration } from '../../src/db/generations.ts';
import { migrate } from '../../src/db/migrate.ts';
import { SourceTable } from '../../src/db/sources.ts';
import { StatisticsTable } from '../../src/db/statistics.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface CacheDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly folder: string;
  readonly file: string;
  readonly sources: SourceTable;
  readonly entries: EntryTable;
  readonly generations: GenerationTable;
  readonly queue: DownloadQueueTable;
  readonly statistics: StatisticsTable;
  /** Rows of any statement, for what no table class asks. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
}

export const NOW_MS: number = Date.UTC(2026, 0, 1);

export function entryOf(sourceId: number, name: string, details: Partial<EntryDescription> = {}): EntryDescription {
  const defaults = {
    sourceId,
    mediaKey: name,
    quality: 'original',
    title: name,
    year: null,
    path: name,
    container: 'mkv',
  };
  return { ...defaults, type: 'video', ...details };
}

export function generationOf(entryId: number, fileName: string, details: Partial<NewGeneration> = {}): NewGeneration {
  const facts = { etag: '"v"', lastModified: null, totalBytes: 1_000_000, seekable: true };
  return {
    entryId,
    fileName,
    ...facts,
    contentType: null,
    contentLanguage: null,
    contentDisposition: null,
    ...details,
  };
}

/** A new one in a folder of its own, or the one in `existing`, which stays there. */
export async function openCacheDatabase(existing?: { readonly file: string }): Promise<CacheDatabase> {
  const folder = existing === undefined ? await temporaryFolder() : null;
  const file = existing?.file ?? folder!.file('larder.db');
  const database = await openDatabase(file);
  await migrate(database.client, {
    migrations,
    nowMs: () => NOW_MS,
    backupFile: (version) => join(dirname(file), `backup-${version}.db`),
  });
  const { tables, client } = database;
  return {
    database,
    folder: dirname(file),
    file,
    sources: new SourceTable(tables),
    entries: new EntryTable(tables),
    generations: new GenerationTable(tables),
    queue: new DownloadQueueTable(tables),
    statistics: new StatisticsTable(tables),
    async rows(sql) {
      const result = await client.execute(sql);
      return result.rows.map((row) => Object.fromEntries(result.columns.map((column) => [column, row[column]])));
    },
    async [Symbol.asyncDispose]() {
      database.close();
      await folder?.[Symbol.asyncDispose]();
    },
  };
}
