// Composition root: builds the parts, starts them in order, stops them in reverse. No part knows another that is not
// handed to it here.
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { ApplianceOptions } from './appliance/appliance-options.ts';
import { openFoundation } from './appliance/foundation.ts';
import { composeSite } from './appliance/site.ts';
import { composeStreams, type Streams } from './appliance/streams.ts';
import { Teardown } from './appliance/teardown.ts';
import type { ByteRange } from './bytes/byte-range.ts';
import { ConnectionMemory } from './chunks/acceleration.ts';
import type { CachedFile } from './chunks/cached-file.ts';
import { ChunkManager } from './chunks/chunk-manager.ts';
import { Priority } from './chunks/fetch-scheduler.ts';
import { Throughput } from './chunks/throughput.ts';
import { UseLog } from './chunks/use-log.ts';
import { CatalogueTable } from './db/catalogue.ts';
import type { EntryCursor, EvictableEntry } from './db/entries.ts';
import { LibraryTable } from './db/library.ts';
import { MediaTable } from './db/media.ts';
import { PlaylistTable } from './db/playlists.ts';
import { ReaderHistoryTable } from './db/reader-history.ts';
import { TrafficHistoryTable } from './db/traffic-history.ts';
import { describeError } from './errors.ts';
import { findBesideFiles } from './library/beside-files.ts';
import { BulkJobs } from './library/bulk-jobs.ts';
import { CatalogueSyncs } from './library/catalogue-syncs.ts';
import { EntryActions } from './library/entry-actions.ts';
import { FolderListings } from './library/folder-listings.ts';
import { ItemRefresh } from './library/item-refresh.ts';
import { Library } from './library/library.ts';
import { MediaCatalogue } from './library/media-catalogue.ts';
import { rungContainer } from './library/media-finder.ts';
import { Removals } from './library/removals.ts';
import { Selections } from './library/selections.ts';
import { SourceRegistry } from './library/source-registry.ts';
import { SourceRemover } from './library/source-remover.ts';
import { SourceSearch } from './library/source-search.ts';
import { SourceService } from './library/source-service.ts';
import { CATALOGUE_REQUESTS, STOP_READERS_MS } from './limits.ts';
import { DownloadRunner } from './offline/download-runner.ts';
import { type DiskSpace, SpaceKeeper } from './offline/space-keeper.ts';
import { deriveCap, policyOf } from './offline/space-policy.ts';
import { EndedReaders } from './proxy/ended-readers.ts';
import { fetchPieces } from './proxy/hls/piece-fetcher.ts';
import { Readers } from './proxy/readers.ts';
import { FetchQueue } from './scheduler/fetch-queue.ts';
import { ThreadPool } from './scheduler/thread-pool.ts';
import { systemLookup } from './sources/address-guard.ts';
import { HttpListings } from './sources/http-listings.ts';
import type { HttpTarget } from './sources/http-source.ts';
import type { SourceServices } from './sources/media-source.ts';
import { OriginClient } from './sources/origin-client.ts';
import { createSourceKinds } from './sources/source-kinds.ts';
import { testSource } from './sources/source-test.ts';
import { Bookkeeper, emptyCounters } from './upkeep/bookkeeper.ts';
import { DamageEvents } from './upkeep/damage-events.ts';
import { DatabaseWatch } from './upkeep/database-watch.ts';
import { EntryVerifier } from './upkeep/entry-verifier.ts';
import { databaseFile, suspectFile } from './upkeep/open-database.ts';
import { reconcile, removeSuperseded } from './upkeep/reconcile.ts';
import { Scrubber } from './upkeep/scrubber.ts';
import { SourceHealth } from './upkeep/source-health.ts';
import { TrafficHistory } from './upkeep/traffic-history.ts';
import { FolderHandler } from './web/folder-handler.ts';
import { HttpServer } from './web/http-server.ts';
import { describeBytes } from './words.ts';

export interface Appliance {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the certificate that it shows at its start; null on plain http. */
  readonly fingerprint: string | null;
  /** What the first owner shows that they own it; null when there is one. */
  readonly setupCode: string | null;
  /** Resolves when every recorded byte is safe and the folder is free again. */
  stop(): Promise<void>;
}

const ID_BYTES = 6;
const FILLED_MAX = 1_000;

function randomId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

async function lookAtDisk(folder: string): Promise<DiskSpace> {
  const disk = await statfs(folder);
  return { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
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
  const { clock, version } = options;
  const foundation = await openFoundation(options, teardown);
  const { log, dataFolder, chunkFolder, secretKey, certificates, certificate, declared, database } = foundation;
  const { preferences, stored, entries, generations, statistics, queue, sourceTable, store } = foundation;
  const { noteEvent, settings, ballast, tryToWrite, access } = foundation;
  const { tables } = database;
  const health = new SourceHealth(sourceTable, clock, log.part('sources'), noteEvent);
  const sourceRemover: SourceRemover = new SourceRemover({
    table: sourceTable,
    cancelDownload: (entryId) => downloads.cancel(entryId),
    removeEntry: (entryId) => manager.remove(entryId),
    cutReaders: (sourceId) => streams.cutSource(sourceId),
    forget: async (sourceId) => {
      await syncs.forget(sourceId);
      throughput.forget(sourceId);
      connections.forget(sourceId);
      hls.forgetSource(sourceId);
      await manager.forgetSource(sourceId);
    },
    removed: ({ name, entryCount, cachedBytes }) =>
      void noteEvent('source', name, `Gone with ${entryCount} entries, ${describeBytes(cachedBytes)}`),
    clock,
    log: log.part('sources'),
  });
  const originClient = new OriginClient(clock);
  const listings = new HttpListings({ client: originClient, ownPort: () => ownPort, clock });
  const files = new CatalogueTable(tables);
  const mediaTable = new MediaTable(tables);
  const catalogue = new MediaCatalogue({ media: mediaTable, files, clock });
  const sourceServices: SourceServices = {
    client: originClient,
    catalogue: {
      findQuality: (sourceId, mediaKey, quality) => catalogue.findQuality(sourceId, mediaKey, quality),
      // Who plays does not wait for the database, and goes on where it takes nothing.
      noteItem: (sourceId, page, mediaKey) =>
        tryToWrite('what a source has of a film', () => catalogue.noteItem(sourceId, page, mediaKey)),
    },
    ownPort: () => ownPort,
    version,
    randomId,
    clock,
    log: log.part('sources'),
  };
  const registry = new SourceRegistry({
    table: sourceTable,
    findKind: createSourceKinds(listings),
    sourceServices,
    sealer: secretKey.sealer('source credentials'),
    declared,
    declaredBy: options.configuration.places.source ?? 'the command that started Larder',
    lookup: systemLookup,
    health,
    retargeted: (sourceId) => {
      scheduler.resumeSource(sourceId);
      syncs.sourceChanged(sourceId);
      finder.forget();
    },
    remover: sourceRemover,
    noteEvent,
    clock,
    log: log.part('sources'),
  });
  await registry.load();
  const syncs: CatalogueSyncs = new CatalogueSyncs({
    table: files,
    media: catalogue,
    sources: () => registry.sources(),
    open: (sourceId) =>
      registry
        .sources()
        .find(({ id }) => id === sourceId)
        ?.openCatalogue() ?? null,
    everyMs: () => settings.current.syncEvery,
    // Who plays comes first.
    atOnce: (sourceId) => (scheduler.isBusy(sourceId) ? 1 : CATALOGUE_REQUESTS),
    answered: (sourceId, error) => health.note(sourceId, error),
    noteEvent,
    clock,
    log: log.part('catalogue'),
  });
  const sources = new SourceService({
    registry,
    standingOf: (id) => health.stateOf(id),
    answered: (id, error) => health.note(id, error),
    removals: () => sourceRemover.removals,
    test: ({ definition, target }, test) => {
      const trySignIn = definition.trySignIn?.bind(definition, target, sourceServices) ?? null;
      const parts = { client: originClient, lookup: systemLookup, clock, ownPort, trySignIn };
      return testSource(target as HttpTarget, parts, test);
    },
  });
  const findSource = (name: string) => registry.find(name);

  const counters = emptyCounters();
  await tryToWrite('the end of old versions', () => removeSuperseded({ generations, store }));

  const threads = new ThreadPool({
    threadCount: settings.current.threads,
    chunkFolder,
    startThread: () => options.startThread('download'),
    log: log.part('threads'),
  });
  teardown.add(() => threads.stop());
  const uses = new UseLog(clock, await entries.findNewestUse());
  const traffic = new TrafficHistory({
    table: new TrafficHistoryTable(tables),
    counters,
    clock,
    log: log.part('upkeep'),
  });
  const endedReaders = new EndedReaders({ table: new ReaderHistoryTable(tables), clock, log: log.part('proxy') });
  await endedReaders.load();
  const bookkeeper = new Bookkeeper({
    statistics,
    entries,
    counters,
    others: [traffic, endedReaders],
    uses,
    databaseFile: databaseFile(dataFolder),
    startUpkeepThread: () => options.startThread('upkeep'),
    clock,
    log: log.part('upkeep'),
  });
  const damage = new DamageEvents(clock, noteEvent);
  const { connectionsPerSource, connectionsTotal } = settings.current;
  const scheduler = new FetchQueue({ clock, connectionsPerSource, connectionsTotal });
  settings.onChange(['connectionsPerSource', 'connectionsTotal'], (limits) => scheduler.setLimits(limits));
  const derivedCacheSize = stored.get('derivedCacheSize');
  const derivedCapBytes =
    typeof derivedCacheSize === 'number' ? derivedCacheSize : deriveCap(await lookAtDisk(dataFolder));
  if (typeof derivedCacheSize !== 'number') {
    await tryToWrite('the size of the cache', () =>
      preferences.set('derivedCacheSize', derivedCapBytes, clock.nowMs()),
    );
  }
  async function listEvictable(limit: number, cursor: EntryCursor | null): Promise<EvictableEntry[]> {
    // A full disk may not take even this; the order is a minute old then.
    await bookkeeper.writeUses().catch((error: unknown) => {
      log.debug('uses could not be written', { error: describeError(error) });
    });
    return entries.listEvictable(limit, cursor);
  }
  const space: SpaceKeeper = new SpaceKeeper((await statistics.get()).cachedBytes, {
    policy: (disk) => policyOf({ ...settings.current, derivedCapBytes }, disk),
    lookAtDisk: () => lookAtDisk(dataFolder),
    listEvictable,
    evict: (entryId) => manager.evict(entryId),
    isWanted: () => [...manager.files()].some((file) => file.isUsed),
    changed: () => manager.roomChanged(),
    tryToWrite: async () => {
      await threads.probe();
      await statistics.touch(clock.nowMs());
      await ballast.restore();
    },
    giveUpBallast: () => ballast.giveUp(),
    restoreBallast: () => ballast.restore(),
    noteEvent,
    clock,
    log: log.part('space'),
  });
  settings.onChange(['cacheSize', 'keepFree'], () => space.policyChanged());
  const throughput = new Throughput();
  const connections = new ConnectionMemory(clock, () => settings.current.connectionsPerSource);
  let ownPort = 0;
  const manager: ChunkManager = new ChunkManager({
    scheduler,
    threads,
    generations,
    entries,
    store,
    space,
    uses,
    clock,
    log: log.part('chunks'),
    counters,
    throughput,
    connections,
    random: Math.random,
    recheckAfterMs: () => settings.current.recheckAfter,
    damaged: ({ identity }, range, lostBytes) => {
      damage.note(`${registry.nameOf(identity.sourceId)}/${identity.address.path}`, range.start, lostBytes);
    },
    readAheadMaxBytes: () => settings.current.readAhead,
    ownPort: () => ownPort,
    sourceAnswered: (sourceId, error) => health.note(sourceId, error),
    newId: randomId,
    resolve: (source, address, resolving) =>
      address.partOf === undefined ? source.resolve(address, resolving) : hls.resolve(source, address, resolving),
    fileOpened: (file) => {
      // Of a playlist, all of it is one: `playlistPlayed`.
      if (file.identity.address.partOf !== undefined) return;
      removals.played(file.identity.entryId);
      fillInBackground(file);
    },
  });
  const downloads = new DownloadRunner({
    queue,
    entries,
    manager,
    findSource,
    fetchBeside: async (source, { mediaKey }, signal) => {
      const besides = await findBesideFiles(source, mediaKey, {
        media: mediaTable,
        findMedia: finder.find.bind(finder),
      });
      await fetchPieces(besides, { manager, source, priority: Priority.medium }, signal);
    },
    fetchPieces: (source, address, priority, signal) => hls.fetchAll(source, address, priority, signal),
    noteEvent,
    clock,
    log: log.part('offline'),
  });
  function fillInBackground(file: CachedFile): void {
    const isRefused = space.refusal(file.totalBytes) !== null;
    if (file.isComplete || isRefused) return;
    fillEntry(file.identity.entryId);
  }
  function fillEntry(entryId: number): void {
    if (!settings.current.backgroundFill) return;
    downloads.enqueue(entryId, 'background').catch((error: unknown) => {
      log.warning('background fill could not be queued', { error: describeError(error) });
    });
  }
  /** Entries of playlists that are to be filled: each of their pieces says so. */
  const filled = new Set<number>();
  function playlistPlayed(entryId: number, isWhole: boolean): void {
    removals.played(entryId);
    // It may be dropped and played again.
    if (isWhole) filled.delete(entryId);
    if (isWhole || filled.has(entryId)) return;
    if (filled.size >= FILLED_MAX) filled.clear();
    filled.add(entryId);
    fillEntry(entryId);
  }

  const removals = new Removals({
    entries,
    isRead: (entryId) => (manager.findOpen(entryId)?.readers.size ?? 0) > 0,
    remove: (entryId) => manager.remove(entryId),
    clock,
    log: log.part('library'),
  });
  const libraryTable = new LibraryTable(tables);
  const library = new Library({
    library: libraryTable,
    media: mediaTable,
    playlists: new PlaylistTable(tables),
    sources: () =>
      registry.sources().map((source) => ({
        id: source.id,
        name: source.name,
        isFailing: health.stateOf(source.id)?.failingSince != null,
        ladder: source.ladder,
        rungContainer: rungContainer(source),
      })),
  });
  const entryActions = new EntryActions({
    manager,
    entries,
    downloads,
    removals,
    verifier: new EntryVerifier({ generations, threads, loseBytes, clock }),
    findSource,
    capBytes: () => space.state.capBytes,
    noteEvent,
    clock,
  });
  const selections = new Selections({ library, table: libraryTable, entries });
  const jobs = new BulkJobs({ actions: entryActions, selections, newId: randomId, clock, log: log.part('library') });
  settings.onChange(['backgroundFill'], async ({ backgroundFill }) => {
    if (!backgroundFill) await downloads.cancelBackground();
  });
  const { basePath, host } = settings.current;
  const readers = new Readers({ ended: endedReaders, clock });
  const folderListings = new FolderListings({
    listings,
    table: files,
    answered: (sourceId, error) => health.note(sourceId, error),
    clock,
  });
  const {
    handler: streams,
    hls,
    finder,
  }: Streams = composeStreams({
    options,
    foundation,
    manager,
    media: mediaTable,
    catalogue,
    client: originClient,
    uses,
    readers,
    library,
    throughput,
    findSource,
    playlistPlayed,
    ownPort: () => ownPort,
    newId: randomId,
  });
  teardown.add(() => hls.stop());
  const itemRefresh = new ItemRefresh({
    media: mediaTable,
    catalogue,
    sources: () => registry.sources(),
    answered: (sourceId, error) => health.note(sourceId, error),
    noted: () => finder.forget(),
    clock,
    log: log.part('library'),
  });
  const sourceSearch = new SourceSearch({
    sources: () => registry.sources(),
    catalogue,
    findMediaId: (sourceId, key) => mediaTable.findId(sourceId, key),
    clock,
  });
  const folders = new FolderHandler({ folders: folderListings, findSource, basePath, version });
  async function loseBytes(generationId: number, range: ByteRange, reason: string): Promise<number> {
    const generation = await generations.find(generationId);
    const bytes = await manager.loseBytes(generationId, range, reason);
    const subject = generation === null ? null : await entries.findAddress(generation.entryId);
    if (subject !== null) damage.note(`${subject.source}/${subject.path}`, range.start, bytes);
    return bytes;
  }
  const databaseWatch = new DatabaseWatch({
    databaseFile: databaseFile(dataFolder),
    suspectFile: suspectFile(dataFolder),
    startUpkeepThread: () => options.startThread('upkeep'),
    checkedAtMs: numberOrNull(stored.get('databaseCheckedAt')),
    found: (checkedAtMs) => preferences.set('databaseCheckedAt', checkedAtMs, clock.nowMs()),
    noteEvent,
    clock,
    log: log.part('database'),
  });
  const app = composeSite({
    options,
    foundation,
    registry,
    sourceServices,
    sources,
    health,
    listings,
    folderListings,
    syncs,
    manager,
    scheduler,
    threads,
    uses,
    space,
    derivedCapBytes,
    listEvictable,
    downloads,
    readers,
    traffic,
    bookkeeper,
    library,
    itemRefresh,
    sourceSearch,
    entryActions,
    removals,
    selections,
    jobs,
    databaseWatch,
    port: () => ownPort,
    newId: randomId,
  });
  const server = new HttpServer({
    app,
    streams,
    folders,
    access: access.control,
    signatures: access.signatures,
    basePath,
    clock,
    log: log.part('web'),
  });
  const scrubber = new Scrubber({
    generations,
    threads,
    loseBytes,
    bytesPerSecond: () => settings.current.verifyRate,
    clock,
    log: log.part('upkeep'),
  });

  databaseWatch.start();
  teardown.add(() => databaseWatch.stop());
  bookkeeper.start();
  teardown.add(() => endedReaders.flush(true));
  teardown.add(() => bookkeeper.stop());
  traffic.start();
  teardown.add(() => traffic.stop());
  await space.start();
  teardown.add(() => space.stop());
  scrubber.start();
  teardown.add(() => scrubber.stop());
  // Who is being served is cut last: the bytes that are on their way are recorded first.
  teardown.add(() => manager.close());
  teardown.add(() => server.stop());
  teardown.add(() => streams.ended(STOP_READERS_MS));
  teardown.add(() => manager.settle());
  await tryToWrite('the download queue', () => downloads.start());
  teardown.add(() => downloads.stop());
  await tryToWrite('what was dropped', () => removals.start());
  teardown.add(() => removals.stop());
  teardown.add(() => jobs.stop());
  await tryToWrite('the catalogue', () => syncs.start());
  teardown.add(() => syncs.stop());
  sourceRemover.start();
  teardown.add(() => sourceRemover.stop());
  // Made meanwhile: a new one is written down for good, and nobody needs it before there is a page.
  const [address, setupCode] = await Promise.all([
    server.listen(host, settings.current.port, certificate),
    access.firstOwner.code(),
  ]);
  ownPort = address.port;
  teardown.add(() => server.stopAccepting());
  certificates?.watch((renewed) => server.replaceCertificate(renewed));
  teardown.add(() => certificates?.stop());
  teardown.add(() => app.stop());
  threads.warmUp();
  log.info('started', { version, data: dataFolder, sources: registry.sources().length });

  // Requests are served meanwhile: what is wrong with a file is found by who reads it, too.
  void ballast.restore();
  const stopping = new AbortController();
  const { signal } = stopping;
  const folded = library
    .foldTitles(() => signal.aborted)
    .catch((error: unknown) => log.warning('titles could not be sorted', { error: describeError(error) }));
  const reconciled = reconcile({ generations, store, loseBytes, signal, log: log.part('upkeep') }).then(
    (result) => {
      if (result.correctedRows + result.orphanFiles > 0) log.info('files and rows agree again', { ...result });
    },
    (error: unknown) => log.error('files and rows could not be compared', { error: describeError(error) }),
  );
  teardown.add(() => {
    stopping.abort();
    return Promise.all([reconciled, folded]).then(() => undefined);
  });
  const scheme = certificate === null ? 'http' : 'https';
  const fingerprint = certificate?.fingerprint ?? null;
  return { scheme, host, port: address.port, fingerprint, setupCode, stop: () => teardown.run(log) };
}
