// Everything the pages and the API stand on. A page module picks what it needs of it.
import type { Access } from '../access/create-access.ts';
import type { ServerCertificate } from '../access/server-certificate.ts';
import type { Clock } from '../clock.ts';
import type { BulkJobs } from '../library/bulk-jobs.ts';
import type { CatalogueSyncs } from '../library/catalogue-syncs.ts';
import type { Durations } from '../library/durations.ts';
import type { EntryActions } from '../library/entry-actions.ts';
import type { EntryDetails } from '../library/entry-details.ts';
import type { FirstFilms } from '../library/first-films.ts';
import type { ItemRefresh } from '../library/item-refresh.ts';
import type { Library } from '../library/library.ts';
import type { LibraryPlaylist } from '../library/library-playlist.ts';
import type { PendingSignIns } from '../library/pending-sign-ins.ts';
import type { Removals } from '../library/removals.ts';
import type { Selections } from '../library/selections.ts';
import type { SourceSearch } from '../library/source-search.ts';
import type { SourceService } from '../library/source-service.ts';
import type { Log } from '../log.ts';
import type { RestingDownloads } from '../offline/resting-downloads.ts';
import type { Storage } from '../offline/storage.ts';
import type { WishList } from '../offline/wish-list.ts';
import type { Readers } from '../proxy/readers.ts';
import type { Licence } from '../runtime/licences.ts';
import type { OwnAddress } from '../settings/own-addresses.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import type { SetupProgress } from '../settings/setup-progress.ts';
import type { AboutLarder } from '../upkeep/about.ts';
import type { Doctor } from '../upkeep/doctor/doctor.ts';
import type { EventLog } from '../upkeep/event-log.ts';
import type { LogRing } from '../upkeep/log-ring.ts';
import type { StatusReport } from '../upkeep/status.ts';
import type { TrafficHistory } from '../upkeep/traffic-history.ts';
import type { NamedSource } from './dashboard-model.ts';
import type { ItemPaths } from './item-paths.ts';
import type { JobList } from './job-list.ts';
import type { StreamAddresses } from './stream-address.ts';

export interface WebServices {
  readonly readers: Pick<Readers, 'list' | 'stop' | 'listEnded'>;
  readonly fetchJobs: JobList;
  readonly items: ItemPaths;
  readonly storage: Storage;
  /** Where the cached bytes lie. */
  readonly chunkFolder: string;
  readonly traffic: Pick<TrafficHistory, 'chart'>;
  readonly events: EventLog;
  readonly logRing: LogRing;
  readonly status: StatusReport;
  readonly namedSources: () => readonly NamedSource[];
  readonly library: Library;
  readonly sourceSearch: SourceSearch;
  readonly itemRefresh: Pick<ItemRefresh, 'refresh'>;
  readonly entryActions: EntryActions;
  readonly entryDetails: EntryDetails;
  readonly durations: Durations;
  /** When it was played since that was last written down; null when not. */
  readonly playedAtMs: (entryId: number) => number | null;
  /** What may be kept at most. */
  readonly capBytes: () => number;
  readonly streamAddresses: StreamAddresses;
  readonly firstFilms: FirstFilms;
  readonly wishes: WishList;
  readonly restingDownloads: RestingDownloads;
  readonly removals: Removals;
  readonly selections: Selections;
  readonly jobs: BulkJobs;
  readonly access: Access;
  readonly setup: SetupProgress;
  /** Never throws. */
  readonly noteEvent: (kind: string, subject: string, text: string) => Promise<unknown>;
  readonly playlist: LibraryPlaylist;
  readonly sources: SourceService;
  /** Sign-ins to sources that are confirmed elsewhere, by a code. */
  readonly signIns: Pick<PendingSignIns, 'canStart' | 'start' | 'poll' | 'inputOf' | 'forget'>;
  /** Whether what it has is no files at paths, but titles: a media server or an add-on. */
  readonly isCatalogue: (source: string) => boolean;
  readonly syncs: Pick<CatalogueSyncs, 'stateOf' | 'request' | 'cancel'>;
  /** Of our own TLS; null on plain http. */
  readonly certificate: () => ServerCertificate | null;
  readonly settings: SettingsService;
  readonly doctor: Doctor;
  readonly about: AboutLarder;
  readonly licences: () => readonly Licence[];
  /** Where players reach us, given the address that the visitor used. */
  readonly findAddresses: (visited: string) => readonly OwnAddress[];
  readonly basePath: string;
  readonly version: string;
  readonly isReady: () => boolean;
  readonly randomId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}
