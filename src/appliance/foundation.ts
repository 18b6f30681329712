// The first part of a start: the data folder with its lock, key and certificate, the database, the settings, access.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { createAccess } from '../access/create-access.ts';
import { loadSecretKey } from '../access/secret-key.ts';
import { CertificateKeeper, readTlsSettings } from '../access/server-certificate.ts';
import { FileChunkStore } from '../chunks/file-chunk-store.ts';
import { RecentReads } from '../chunks/recent-reads.ts';
import { DownloadQueueTable } from '../db/download-queue.ts';
import { EntryTable } from '../db/entries.ts';
import { EventTable } from '../db/events.ts';
import { lockFolder } from '../db/folder-lock.ts';
import { GenerationTable } from '../db/generations.ts';
import { PreferenceTable } from '../db/preferences.ts';
import { SessionTable } from '../db/sessions.ts';
import { SourceTable } from '../db/sources.ts';
import { StatisticsTable } from '../db/statistics.ts';
import { TokenTable } from '../db/tokens.ts';
import { UserTable } from '../db/users.ts';
import { describeError, rootCause } from '../errors.ts';
import type { LogLevel } from '../log.ts';
import { systemPasswordHash } from '../runtime/password-hash.ts';
import { SettingsService } from '../settings/settings-service.ts';
import { parseSourceSetting } from '../sources/http-source.ts';
import { adoptFiles } from '../upkeep/adopt-files.ts';
import { Ballast } from '../upkeep/ballast.ts';
import { EventLog } from '../upkeep/event-log.ts';
import { LogRing } from '../upkeep/log-ring.ts';
import { openOrRebuild } from '../upkeep/open-database.ts';
import { describeBytes } from '../words.ts';
import type { ApplianceOptions } from './appliance-options.ts';
import type { Teardown } from './teardown.ts';

/** What everything else stands on: still without a scheduler, a thread or a socket. */
export type Foundation = Awaited<ReturnType<typeof openFoundation>>;

/**
 * Takes the folder, opens (or makes anew) the database, reads the settings, and lets in who may come in.
 * @throws LarderError that names the setting at fault and what to do
 */
export async function openFoundation(options: ApplianceOptions, teardown: Teardown) {
  const { clock } = options;
  let logLevel = options.configuration.settings.logLevel;
  const logRing = new LogRing(clock, () => logLevel);
  const log = logRing.around(options.log);
  const declared = options.configuration.settings.source.map(parseSourceSetting);
  const dataFolder = options.configuration.settings.data;

  const tls = readTlsSettings(options.configuration.settings);
  const lock = await lockFolder(dataFolder, options.processId);
  teardown.add(() => lock.release());
  const secretKey = await loadSecretKey(dataFolder);
  if (secretKey.notKeptBecause !== null) {
    log.warning('no key for secrets could be written', { error: secretKey.notKeptBecause });
  }
  const certificates =
    tls === null ? null : new CertificateKeeper({ settings: tls, dataFolder, clock, log: log.part('tls') });
  const certificate = (await certificates?.load()) ?? null;
  const { database, isNew, damagedFolder, rebuilt } = await openOrRebuild({
    dataFolder,
    migrations,
    clock,
    log: log.part('database'),
  });
  teardown.add(() => database.close());
  const { tables } = database;
  const preferences = new PreferenceTable(tables);
  const stored = await preferences.all();

  const entries = new EntryTable(tables);
  const generations = new GenerationTable(tables);
  const statistics = new StatisticsTable(tables);
  const queue = new DownloadQueueTable(tables);
  const sourceTable = new SourceTable(tables);
  const events = new EventLog({ table: new EventTable(tables), clock, log: log.part('events') });
  const noteEvent = (kind: string, subject: string, text: string) => events.note(kind, subject, text);
  const settings = new SettingsService(
    { configuration: options.configuration, store: preferences, noteEvent, clock, log },
    stored,
  );
  for (const warning of settings.warnings) log.warning(warning);
  function setLogLevel(level: LogLevel): void {
    logLevel = level;
    options.setLogLevel?.(level);
  }
  setLogLevel(settings.current.logLevel);
  settings.onChange(['logLevel'], (changed) => setLogLevel(changed.logLevel));
  const ballast = new Ballast(join(dataFolder, 'ballast'));
  /** A disk without a byte left keeps nobody from starting: what is cached is served, and what goes goes uncached. */
  async function tryToWrite(what: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write().catch(async (error: unknown) => {
        if (!(await ballast.giveUp())) throw error;
        await write();
      });
    } catch (error) {
      log.warning(`${what} could not be written`, { error: describeError(rootCause(error)) });
    }
  }
  const access = createAccess({
    users: new UserTable(tables),
    sessions: new SessionTable(tables),
    tokens: new TokenTable(tables),
    secretKey,
    passwordHash: systemPasswordHash(),
    dataFolder,
    hostname: hostname(),
    settings: () => settings.current,
    noteEvent,
    clock,
    log: log.part('access'),
  });
  access.start();
  teardown.add(() => access.stop());
  const { adminUser, adminPassword } = settings.current;
  await tryToWrite('the first owner', () => access.firstOwner.seed(adminUser, adminPassword));
  const known = await sourceTable.list();
  for (const { name, url } of declared) {
    const isKnown = known.some((row) => row.name === name && row.url === url);
    if (!isKnown) await tryToWrite('a source', () => sourceTable.declare(name, url, clock.nowMs()));
  }
  const chunkFolder = join(dataFolder, 'chunks');
  const store = new FileChunkStore(
    chunkFolder,
    RecentReads.ofThisMachine(() => clock.monotonicMs()),
  );
  if (isNew) {
    const result = await adoptFiles({ store, sources: sourceTable, entries, generations, clock, log });
    if (damagedFolder !== null || result.adoptedFiles + result.lostFiles > 0) {
      const text = `The database was ${damagedFolder === null ? 'not there' : `damaged (it lies in ${damagedFolder} now)`} and was made anew: ${result.adoptedFiles} files with ${describeBytes(result.adoptedBytes)} were taken up again, ${result.lostFiles} files of ${describeBytes(result.lostBytes)} could not be and are removed.`;
      log.warning(text);
      void noteEvent('rebuilt', 'database', text);
    }
    await rebuilt();
  }
  return {
    log,
    logRing,
    dataFolder,
    chunkFolder,
    scheme: tls === null ? ('http' as const) : ('https' as const),
    secretKey,
    certificates,
    certificate,
    declared,
    database,
    preferences,
    stored,
    entries,
    generations,
    statistics,
    queue,
    sourceTable,
    store,
    events,
    noteEvent,
    settings,
    ballast,
    tryToWrite,
    access,
  };
}
