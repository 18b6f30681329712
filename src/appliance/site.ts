// The last part that is built: what the pages and the API stand on, from the parts of the engine.
import { hostname, networkInterfaces } from 'node:os';
import { migrations } from '../../migrations/index.ts';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { UseLog } from '../chunks/use-log.ts';
import type { EntryCursor, EvictableEntry } from '../db/entries.ts';
import { StorageTable } from '../db/storage.ts';
import { LarderError } from '../errors.ts';
import type { BulkJobs } from '../library/bulk-jobs.ts';
import type { CatalogueSyncs } from '../library/catalogue-syncs.ts';
import { Durations } from '../library/durations.ts';
import type { EntryActions } from '../library/entry-actions.ts';
import { EntryDetails } from '../library/entry-details.ts';
import { FirstFilms } from '../library/first-films.ts';
import type { FolderListings } from '../library/folder-listings.ts';
import type { ItemRefresh } from '../library/item-refresh.ts';
import type { Library } from '../library/library.ts';
import { LibraryPlaylist } from '../library/library-playlist.ts';
import { PendingSignIns } from '../library/pending-sign-ins.ts';
import type { Removals } from '../library/removals.ts';
import type { Selections } from '../library/selections.ts';
import type { SourceRegistry } from '../library/source-registry.ts';
import type { SourceSearch } from '../library/source-search.ts';
import type { SourceService } from '../library/source-service.ts';
import type { DownloadRunner } from '../offline/download-runner.ts';
import { RestingDownloads } from '../offline/resting-downloads.ts';
import type { SpaceKeeper } from '../offline/space-keeper.ts';
import { policyOf } from '../offline/space-policy.ts';
import { Storage } from '../offline/storage.ts';
import { WishList } from '../offline/wish-list.ts';
import type { Readers } from '../proxy/readers.ts';
import { buildCommit, buildTarget, embeddedAddon, licences } from '../runtime/embedded.ts';
import { runtimeName } from '../runtime/runtime-name.ts';
import type { FetchQueue } from '../scheduler/fetch-queue.ts';
import type { ThreadPool } from '../scheduler/thread-pool.ts';
import { ownAddresses } from '../settings/own-addresses.ts';
import { SetupProgress } from '../settings/setup-progress.ts';
import { isHttpSource } from '../sources/http-kind.ts';
import type { HttpListings } from '../sources/http-listings.ts';
import type { SourceServices } from '../sources/media-source.ts';
import { AboutLarder } from '../upkeep/about.ts';
import { Alerts } from '../upkeep/alerts.ts';
import type { Bookkeeper } from '../upkeep/bookkeeper.ts';
import type { DatabaseWatch } from '../upkeep/database-watch.ts';
import { applianceChecks } from '../upkeep/doctor/appliance-checks.ts';
import { Doctor } from '../upkeep/doctor/doctor.ts';
import { databaseFile } from '../upkeep/open-database.ts';
import type { SourceHealth } from '../upkeep/source-health.ts';
import { StatusReport } from '../upkeep/status.ts';
import type { TrafficHistory } from '../upkeep/traffic-history.ts';
import { type App, createApp } from '../web/app.ts';
import { ItemPaths } from '../web/item-paths.ts';
import { JobList } from '../web/job-list.ts';
import { createStreamAddresses } from '../web/stream-address.ts';
import type { ApplianceOptions } from './appliance-options.ts';
import type { Foundation } from './foundation.ts';
import { createSignInStarters } from './sign-in-starters.ts';

export interface SiteParts {
  readonly options: ApplianceOptions;
  readonly foundation: Foundation;
  readonly registry: SourceRegistry;
  readonly sourceServices: SourceServices;
  readonly sources: SourceService;
  readonly health: SourceHealth;
  readonly listings: HttpListings;
  readonly folderListings: FolderListings;
  readonly syncs: CatalogueSyncs;
  readonly manager: ChunkManager;
  readonly scheduler: FetchQueue;
  readonly threads: ThreadPool;
  readonly uses: UseLog;
  readonly space: SpaceKeeper;
  readonly derivedCapBytes: number;
  readonly listEvictable: (limit: number, cursor: EntryCursor | null) => Promise<EvictableEntry[]>;
  readonly downloads: DownloadRunner;
  readonly readers: Readers;
  readonly traffic: TrafficHistory;
  readonly bookkeeper: Bookkeeper;
  readonly library: Library;
  readonly itemRefresh: ItemRefresh;
  readonly sourceSearch: SourceSearch;
  readonly entryActions: EntryActions;
  readonly removals: Removals;
  readonly selections: Selections;
  readonly jobs: BulkJobs;
  readonly databaseWatch: Pick<DatabaseWatch, 'state'>;
  /** 0 before it listens. */
  readonly port: () => number;
  readonly newId: () => string;
}

/** Joins what the pages and the API show and do. */
export function composeSite(parts: SiteParts): App {
  const {
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
  } = parts;
  const { threads, uses, space, derivedCapBytes, listEvictable, downloads, readers, traffic, bookkeeper } = parts;
  const { library, itemRefresh, sourceSearch, entryActions, removals, selections, jobs, databaseWatch, port, newId } =
    parts;
  const { log, logRing, dataFolder, chunkFolder, scheme, secretKey, certificates, database, preferences } = foundation;
  const { entries, generations, queue, store, events, noteEvent, settings, access } = foundation;
  const { clock, version } = options;
  const findHttpSource = (name: string) => {
    const source = registry.find(name);
    return isHttpSource(source) ? source : undefined;
  };
  const isCatalogue = (name: string) => (registry.find(name)?.kind ?? 'http') !== 'http';
  const { basePath, host } = settings.current;
  const about = new AboutLarder({
    version,
    commit: buildCommit,
    target: buildTarget,
    runtime: runtimeName(),
    schema: migrations.at(-1)!.version,
    dataFolder,
    databaseFile: databaseFile(dataFolder),
    chunkFolder,
    isCompiled: embeddedAddon !== null,
    memoryBytes: () => process.memoryUsage().rss,
    clock,
  });
  const doctor = new Doctor(
    applianceChecks({
      dataFolder,
      host,
      port,
      newestUseMs: () => entries.findNewestUse(),
      database: () => databaseWatch.state,
      threads: () => threads.state,
      forwarding: () => access.control.forwarding(),
      sources: () => registry.sources().map(({ id, name }) => ({ name, state: health.stateOf(id) })),
      pendingSettings: () => settings.list().flatMap(({ isPending, label }) => (isPending ? [label] : [])),
      settingMistakes: () => [...options.configuration.warnings, ...settings.warnings],
      keyNotKeptBecause: secretKey.notKeptBecause,
      clock,
    }),
    clock,
  );
  const storageTable = new StorageTable(database.tables);
  const storage = new Storage({
    space,
    table: storageTable,
    listEvictable,
    files: function* () {
      for (const file of manager.files()) {
        yield { entryId: file.identity.entryId, isUsed: file.isUsed, bytes: file.available.byteCount };
      }
    },
    policyOf: (chosen, disk) => policyOf({ ...chosen, derivedCapBytes }, disk),
    settings: {
      current: () => settings.current,
      lockedBy: (name) => settings.get(name).place,
      change: async (changes) => {
        const texts = Object.entries(changes).map(([name, text]) => [name, [text]] as const);
        const result = await settings.change(Object.fromEntries(texts));
        const problem = result.ok ? undefined : result.problems[0];
        if (problem !== undefined) {
          throw new LarderError('invalid', problem.message, problem.hint === undefined ? {} : { hint: problem.hint });
        }
      },
    },
    clock,
  });
  const alerts = new Alerts({
    sources: () => registry.sources(),
    stateOf: (sourceId) => health.stateOf(sourceId),
    space: () => space.state,
    listEvents: (...filter) => events.list(...filter),
    untrustedProxy: () => {
      const { untrusted } = access.control.forwarding();
      return untrusted === null ? null : { address: untrusted.address, sinceMs: untrusted.atMs };
    },
    clock,
  });
  const status = new StatusReport({
    version,
    readers: () => readers.list(),
    jobs: () => ({ running: scheduler.runningCount, waiting: scheduler.waitingCount }),
    countWished: () => queue.countOpen(),
    space: () => space.state,
    totals: () => bookkeeper.totals(),
    alerts: () => alerts.list(),
    clock,
  });
  const restingDownloads = new RestingDownloads({ findOpen: (entryId) => manager.findOpen(entryId), scheduler });
  const dashboard = {
    readers,
    fetchJobs: new JobList({ files: () => manager.files(), sourceName: (id) => registry.nameOf(id), scheduler, clock }),
    items: new ItemPaths({ findMediaIds: (entryIds) => storageTable.findMediaIds(entryIds) }),
    storage,
    chunkFolder,
    traffic,
    events,
    logRing,
    status,
    namedSources: () => registry.sources().map(({ id, name }) => ({ id, name, state: health.stateOf(id) })),
  };
  return createApp({
    ...dashboard,
    settings,
    doctor,
    about,
    licences,
    findAddresses: (visited) =>
      ownAddresses({
        visited,
        scheme,
        host,
        port: port(),
        basePath,
        hostName: hostname(),
        interfaces: networkInterfaces(),
      }),
    sources,
    isCatalogue,
    signIns: new PendingSignIns({
      starters: createSignInStarters(sourceServices),
      resolve: (input, name) => registry.resolveSettings(input, name),
      randomId: newId,
      clock,
    }),
    syncs,
    certificate: () => certificates?.current ?? null,
    access,
    setup: new SetupProgress(preferences, () => clock.nowMs()),
    noteEvent,
    library,
    itemRefresh,
    sourceSearch,
    playlist: new LibraryPlaylist({ library }),
    entryActions,
    entryDetails: new EntryDetails({
      entries,
      generations,
      queue,
      manager,
      removals,
      isResting: (entryId) => restingDownloads.has(entryId),
    }),
    durations: new Durations({ store, clock }),
    playedAtMs: (entryId) => uses.find(entryId),
    capBytes: () => space.state.capBytes,
    firstFilms: new FirstFilms({ folders: folderListings, listings, findSource: findHttpSource, clock }),
    restingDownloads,
    wishes: new WishList({ queue, cancelAll: () => downloads.cancelAll(), clock }),
    streamAddresses: createStreamAddresses({
      signatures: access.signatures,
      isLocked: () => settings.current.streamAccess === 'locked',
      hasPaths: (name) => !isCatalogue(name),
      clock,
    }),
    removals,
    selections,
    jobs,
    basePath,
    version,
    isReady: () => port() > 0,
    randomId: newId,
    clock,
    log,
  });
}
