// Composition root: builds the parts, starts them in order, stops them in reverse. No part knows another that is not
// handed to it here.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { migrations } from '../migrations/index.ts';
import type { CachedFile } from './chunks/cached-file.ts';
import { ChunkManager } from './chunks/chunk-manager.ts';
import { FileChunkStore } from './chunks/file-chunk-store.ts';
import type { Clock } from './clock.ts';
import { type Configuration, withStored } from './config.ts';
import { type Database, openDatabase } from './db/database.ts';
import { DownloadQueueTable } from './db/download-queue.ts';
import { EntryTable } from './db/entries.ts';
import { lockFolder } from './db/folder-lock.ts';
import { GenerationTable } from './db/generations.ts';
import { migrate } from './db/migrate.ts';
import { PreferenceTable } from './db/preferences.ts';
import { SourceTable } from './db/sources.ts';
import { StatisticsTable } from './db/statistics.ts';
import { describeError } from './errors.ts';
import type { Log } from './log.ts';
import { DownloadRunner } from './offline/download-runner.ts';
import { BufferPool } from './proxy/buffer-pool.ts';
import { StreamHandler } from './proxy/stream-handler.ts';
import { FetchQueue } from './scheduler/fetch-queue.ts';
import { ThreadPool } from './scheduler/thread-pool.ts';
import { HttpSource, parseSourceSetting } from './sources/http-source.ts';
import { Bookkeeper, emptyCounters } from './upkeep/bookkeeper.ts';
import { reconcile, removeSuperseded } from './upkeep/reconcile.ts';
import { SourceHealth } from './upkeep/source-health.ts';
import { Actions } from './web/actions.ts';
import { createApp } from './web/app.tsx';
import { HomeModel } from './web/home-model.ts';
import { HttpServer } from './web/http-server.ts';

export interface ApplianceOptions {
  readonly configuration: Configuration;
  readonly version: string;
  readonly processId: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly startThread: (role: 'download' | 'upkeep') => Worker;
}

export interface Appliance {
  readonly host: string;
  readonly port: number;
  /** Resolves when every recorded byte is safe and the folder is free again. */
  stop(): Promise<void>;
}

const ID_BYTES = 6;

function randomId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** Things to undo at the stop, newest first. */
class Teardown {
  readonly #steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  async run(log: Log): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        log.error('a part did not stop in order', { error: describeError(error) });
      }
    }
  }
}

async function openAndMigrate(dataFolder: string, options: ApplianceOptions): Promise<Database> {
  const database = await openDatabase(join(dataFolder, 'larder.db'));
  try {
    await mkdir(join(dataFolder, 'backups'), { recursive: true, mode: 0o700 });
    const result = await migrate(database.client, {
      migrations,
      nowMs: () => options.clock.nowMs(),
      backupFile: (version) => join(dataFolder, 'backups', `schema-${version}-${options.clock.nowMs()}.db`),
    });
    if (result.backupFile !== null) {
      options.log.info('the database was brought up to date', { to: result.to, backup: result.backupFile });
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws LarderError that names the setting at fault and what to do */
export async function startAppliance(options: ApplianceOptions): Promise<Appliance> {
  const teardown = new Teardown();
  try {
    return await start(options, teardown);
  } catch (error) {
    await teardown.run(options.log);
    throw error;
  }
}

async function start(options: ApplianceOptions, teardown: Teardown): Promise<Appliance> {
  const { clock, log, version } = options;
  const declared = options.configuration.settings.source.map(parseSourceSetting);
  const dataFolder = options.configuration.settings.data;

  const lock = await lockFolder(dataFolder, options.processId);
  teardown.add(() => lock.release());
  const database = await openAndMigrate(dataFolder, options);
  teardown.add(() => database.close());
  const { tables } = database;
  const preferences = new PreferenceTable(tables);
  let configuration = withStored(options.configuration, await preferences.all());
  const { settings } = configuration;

  const entries = new EntryTable(tables);
  const generations = new GenerationTable(tables);
  const statistics = new StatisticsTable(tables);
  const queue = new DownloadQueueTable(tables);
  const sourceTable = new SourceTable(tables);
  for (const source of declared) await sourceTable.declare(source.name, source.url, clock.nowMs());
  const sourceRows = await sourceTable.list();
  const sources = sourceRows
    .filter((row) => row.kind === 'http')
    .map((row) => {
      const authorization = declared.find((source) => source.name === row.name)?.authorization ?? null;
      return new HttpSource(row.id, { name: row.name, url: row.url, authorization });
    });
  const sourcesByName = new Map(sources.map((source) => [source.name, source]));
  const findSource = (name: string) => sourcesByName.get(name);
  const health = new SourceHealth(sourceTable, clock, log.part('sources'));
  health.load(sourceRows);

  const chunkFolder = join(dataFolder, 'chunks');
  const store = new FileChunkStore(chunkFolder);
  const counters = emptyCounters();
  await removeSuperseded({ generations, store, clock, log });

  const threads = new ThreadPool({
    threadCount: settings.threads,
    chunkFolder,
    startThread: () => options.startThread('download'),
    log: log.part('threads'),
  });
  teardown.add(() => threads.stop());
  const bookkeeper = new Bookkeeper({
    statistics,
    entries,
    counters,
    takeUses: () => manager.takeUses(),
    databaseFile: join(dataFolder, 'larder.db'),
    startUpkeepThread: () => options.startThread('upkeep'),
    clock,
    log: log.part('upkeep'),
  });
  const scheduler = new FetchQueue({
    clock,
    connectionsPerSource: settings.connectionsPerSource,
    connectionsTotal: settings.connectionsTotal,
  });
  let ownPort = 0;
  const manager: ChunkManager = new ChunkManager({
    scheduler,
    threads,
    generations,
    entries,
    store,
    clock,
    log: log.part('chunks'),
    counters,
    random: Math.random,
    readAheadMaxBytes: () => settings.readAhead,
    ownPort: () => ownPort,
    sourceAnswered: (sourceId, error) => health.note(sourceId, error),
    newId: randomId,
    fileOpened: (file) => fillInBackground(file),
  });
  const downloads = new DownloadRunner({ queue, entries, manager, findSource, clock, log: log.part('offline') });
  function fillInBackground(file: CachedFile): void {
    if (!configuration.settings.backgroundFill || file.isComplete) return;
    downloads.enqueue(file.identity.entryId, 'background').catch((error: unknown) => {
      log.warning('background fill could not be queued', { error: describeError(error) });
    });
  }

  const actions = new Actions({
    manager,
    entries,
    downloads,
    randomId,
    backgroundFillLockedBy: () => {
      const origin = configuration.origins.backgroundFill;
      return origin === 'default' || origin === 'database' ? null : `the ${origin}`;
    },
    setBackgroundFill: async (on) => {
      await preferences.set('backgroundFill', on, clock.nowMs());
      configuration = withStored(options.configuration, await preferences.all());
      if (!on) await downloads.cancelBackground();
    },
  });
  const model = new HomeModel({
    manager,
    entries,
    statistics,
    counters,
    queue,
    sources: () => sources,
    health,
    backgroundFill: () => configuration.settings.backgroundFill,
    dataFolder,
    clock,
  });
  const access = { allowedHosts: settings.allowedHosts, streamAccess: settings.streamAccess };
  const { basePath } = settings;
  const app = createApp({ model, actions, access, basePath, version, isReady: () => ownPort > 0, clock, log });
  const pool = new BufferPool();
  const streams = new StreamHandler({ manager, findSource, pool, clock, log: log.part('proxy'), randomId });
  const server = new HttpServer({ app, streams, access, basePath });

  bookkeeper.start();
  teardown.add(() => bookkeeper.stop());
  teardown.add(() => manager.stop());
  await downloads.start();
  teardown.add(() => downloads.stop());
  const address = await server.listen(settings.host, settings.port);
  ownPort = address.port;
  teardown.add(() => server.stop());
  teardown.add(() => app.stop());
  threads.warmUp();
  log.info('started', { version, data: dataFolder, sources: sources.length });

  // Requests are served meanwhile: what is wrong with a file is found by who reads it, too.
  const reconciled = reconcile({ generations, store, clock, log: log.part('upkeep') }).then(
    (result) => {
      if (result.correctedRows + result.orphanFiles > 0) log.info('files and rows agree again', { ...result });
    },
    (error: unknown) => log.error('files and rows could not be compared', { error: describeError(error) }),
  );
  teardown.add(() => reconciled);
  return { host: settings.host, port: address.port, stop: () => teardown.run(log) };
}
