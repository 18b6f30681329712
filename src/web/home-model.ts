// Gathers what the first page shows from the engine and the rows, as plain values.
import { formatSentence, formatSince } from '../../views/format.ts';
import type { HomeRegions } from '../../views/pages/home.tsx';
import type { EntriesProps } from '../../views/parts/entries.tsx';
import type { EntryProps } from '../../views/parts/entry.tsx';
import type { EventsProps } from '../../views/parts/events.tsx';
import type { JobAudience, JobProps } from '../../views/parts/fetching.tsx';
import type { HeadlineProps } from '../../views/parts/headline.tsx';
import type { ReaderProps } from '../../views/parts/readers.tsx';
import type { SourceProps } from '../../views/parts/sources.tsx';
import type { SpaceProps, TroubleProps } from '../../views/parts/space.tsx';
import type { TotalsProps } from '../../views/parts/totals.tsx';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { CachedFile } from '../chunks/cached-file.ts';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { Fetch } from '../chunks/fetch.ts';
import { Priority } from '../chunks/fetch-scheduler.ts';
import type { Reader } from '../chunks/reader.ts';
import type { Clock } from '../clock.ts';
import type { DownloadQueueTable } from '../db/download-queue.ts';
import type { EntryCursor, EntrySummary, EntryTable } from '../db/entries.ts';
import type { EventTable } from '../db/events.ts';
import type { StatisticsTable } from '../db/statistics.ts';
import type { SpaceKeeper, SpaceState } from '../offline/space-keeper.ts';
import type { HttpSource } from '../sources/http-source.ts';
import { encodePath } from '../sources/media-address.ts';
import type { Totals } from '../upkeep/bookkeeper.ts';
import type { SourceHealth } from '../upkeep/source-health.ts';
import { RateMeter } from './rate-meter.ts';

export interface HomeServices {
  readonly manager: ChunkManager;
  readonly entries: EntryTable;
  readonly statistics: StatisticsTable;
  readonly totals: () => Promise<Totals>;
  readonly queue: DownloadQueueTable;
  readonly sources: () => readonly HttpSource[];
  readonly health: SourceHealth;
  readonly backgroundFill: () => boolean;
  readonly space: Pick<SpaceKeeper, 'state' | 'refusal'>;
  readonly events: Pick<EventTable, 'listRecent'>;
  readonly clock: Clock;
}

export const ENTRIES_PER_PAGE = 50;
export const EVENTS_SHOWN = 20;

const PRIORITY_WORDS = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

export function formatCursor(cursor: EntryCursor): string {
  return `${cursor.lastUsedAt}-${cursor.entryId}`;
}

/** Null for anything that is no cursor of ours: the first page is shown. */
export function parseCursor(text: string | undefined): EntryCursor | null {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
  return match === null ? null : { lastUsedAt: Number(match[1]), entryId: Number(match[2]) };
}

/** `VLC/3.0.20 LibVLC/3.0.20` is VLC 3.0.20: the first product of a User-Agent names the player. */
function playerName(userAgent: string): string | null {
  const product = /^([\w.-]+)(?:\/([\w.-]+))?/.exec(userAgent);
  if (product === null || userAgent === 'unknown') return null;
  return product[2] === undefined ? product[1]! : `${product[1]} ${product[2]}`;
}

/** Views know ranges as pairs. */
function asPair(range: ByteRange): readonly [number, number] {
  return [range.start, range.end];
}

export class HomeModel {
  readonly #services: HomeServices;
  readonly #meter = new RateMeter();
  readonly #ids = new WeakMap<object, string>();
  #lastId = 0;

  constructor(services: HomeServices) {
    this.#services = services;
  }

  async regions(cursor: EntryCursor | null): Promise<HomeRegions> {
    const { backgroundFill } = this.#services;
    const files = [...this.#services.manager.files()];
    const sources = this.#sources(files);
    const space = this.#space();
    const readers = files.flatMap((file) => [...file.readers].map((reader) => this.#reader(file, reader)));
    const jobs = files
      .flatMap((file) => [...file.fetches].map((fetch) => ({ fetch, job: this.#job(file, fetch) })))
      .sort(
        (left, right) =>
          Number(left.fetch.state === 'queued') - Number(right.fetch.state === 'queued') ||
          left.fetch.priority - right.fetch.priority,
      )
      .map(({ job }) => job);
    return {
      headline: this.#headline(sources, readers, space.trouble),
      totals: await this.#totals(),
      readers: { readers },
      fetching: { jobs },
      space,
      events: await this.#events(),
      entries: await this.#entries(cursor, files),
      sources: { sources },
      preferences: { backgroundFill: backgroundFill() },
    };
  }

  #idOf(thing: object): string {
    let id = this.#ids.get(thing);
    if (id === undefined) {
      id = String(++this.#lastId);
      this.#ids.set(thing, id);
    }
    return id;
  }

  #sourceName(sourceId: number): string {
    return this.#services.sources().find((source) => source.id === sourceId)?.name ?? 'unknown';
  }

  #wallMs(monotonicMs: number): number {
    const { clock } = this.#services;
    return clock.nowMs() - (clock.monotonicMs() - monotonicMs);
  }

  #reader(file: CachedFile, reader: Reader): ReaderProps {
    const waits = reader.waitingSinceMs !== null;
    const { address } = file.identity;
    return {
      id: this.#idOf(reader),
      player: playerName(reader.label.player),
      address: reader.label.address,
      title: address.title,
      quality: address.quality,
      positionBytes: reader.position,
      sizeBytes: file.totalBytes,
      bytesPerSecond: this.#meter.rate(reader, reader.servedBytes, this.#services.clock.monotonicMs()),
      waitingFor: waits ? this.#waitReason(file) : null,
      waitingSinceMs: reader.waitingSinceMs === null ? null : this.#wallMs(reader.waitingSinceMs),
    };
  }

  #waitReason(file: CachedFile): string {
    const name = this.#sourceName(file.identity.sourceId);
    const fetches = [...file.fetches];
    if (fetches.length > 0 && fetches.every((fetch) => fetch.state === 'queued')) return `a free connection to ${name}`;
    if (fetches.length === 0 && file.lastError !== null)
      return `${name}: ${file.lastError.message}; another try follows`;
    return `bytes from ${name}`;
  }

  #job(file: CachedFile, fetch: Fetch): JobProps {
    const { address } = file.identity;
    const source = this.#sourceName(file.identity.sourceId);
    const waits = {
      queued: `a free connection to ${source}`,
      opening: `the first byte from ${source}`,
      stopping: null,
      closed: null,
    };
    const paused = fetch.isPaused ? 'its reader to catch up' : null;
    return {
      id: this.#idOf(fetch),
      title: address.title,
      quality: address.quality,
      source,
      startBytes: fetch.firstOffset,
      endBytes: Number.isFinite(fetch.end) ? fetch.end : file.totalBytes,
      positionBytes: fetch.position,
      bytesPerSecond: this.#meter.rate(fetch, fetch.receivedBytes, this.#services.clock.monotonicMs()),
      priority: PRIORITY_WORDS[fetch.priority],
      audience: this.#audience(file, fetch),
      waitingFor: fetch.state === 'running' ? paused : waits[fetch.state],
      sinceMs: this.#wallMs(fetch.createdAtMs),
    };
  }

  #audience(file: CachedFile, fetch: Fetch): JobAudience {
    const [reader] = [...file.readers].filter((candidate) => candidate.position <= fetch.position);
    if (fetch.priority === Priority.critical && reader) return { kind: 'reader', address: reader.label.address };
    if (fetch.priority <= Priority.high) return { kind: 'read-ahead', address: reader?.label.address ?? null };
    return fetch.priority === Priority.medium ? { kind: 'download' } : { kind: 'background-fill' };
  }

  #sources(files: readonly CachedFile[]): SourceProps[] {
    return this.#services.sources().map((source) => {
      const state = this.#services.health.stateOf(source.id);
      const own = files.filter((file) => file.identity.sourceId === source.id);
      const inFlight = own.flatMap((file) => [...file.fetches]).filter((fetch) => fetch.state !== 'queued').length;
      return {
        name: source.name,
        url: source.url,
        state: state?.failingSince != null ? 'failing' : state?.lastSuccessAt != null ? 'well' : 'untried',
        failingSinceMs: state?.failingSince ?? null,
        lastSuccessAtMs: state?.lastSuccessAt ?? null,
        lastErrorAtMs: state?.lastErrorAt ?? null,
        lastError: state?.lastErrorText ?? null,
        hint: state?.hint ?? null,
        requestsInFlight: inFlight,
      };
    });
  }

  #space(): SpaceProps {
    const { usedBytes, reservedBytes, capBytes, floorBytes, freeBytes, trouble } = this.#services.space.state;
    return { usedBytes, reservedBytes, capBytes, floorBytes, freeBytes, trouble: this.#describeTrouble(trouble) };
  }

  #describeTrouble(trouble: SpaceState['trouble']): TroubleProps | null {
    if (trouble === null) return null;
    const sentence = `Nothing can be cached: ${trouble.why}; streams go on uncached.`;
    return { sentence, hint: trouble.hint === null ? null : formatSentence(trouble.hint) };
  }

  async #events(): Promise<EventsProps> {
    const rows = await this.#services.events.listRecent(EVENTS_SHOWN);
    return {
      events: rows.map(({ id, at, kind, subject, text }) => ({ id: String(id), atMs: at, kind, subject, text })),
    };
  }

  #headline(
    sources: readonly SourceProps[],
    readers: readonly ReaderProps[],
    trouble: TroubleProps | null,
  ): HeadlineProps {
    const failing = sources.filter((source) => source.failingSinceMs !== null);
    const watching =
      readers.length === 0
        ? 'Nobody is watching.'
        : readers.length === 1
          ? 'One reader.'
          : `${readers.length} readers.`;
    if (sources.length === 0) {
      return {
        tone: 'attention',
        sentence: 'Larder runs, and has no source yet.',
        advice: 'Start it with --source NAME=URL.',
      };
    }
    const faults = [trouble?.sentence, this.#describeFailing(failing)].filter((fault) => fault !== undefined);
    if (faults.length === 0) return { tone: 'well', sentence: `All is well. ${watching}` };
    const hint = trouble?.hint ?? failing[0]?.hint;
    const advice = hint ? formatSentence(hint) : null;
    return { tone: 'attention', sentence: [...faults, watching].join(' '), advice };
  }

  /** Undefined when all sources answer. */
  #describeFailing(failing: readonly SourceProps[]): string | undefined {
    if (failing.length === 0) return undefined;
    const nowMs = this.#services.clock.nowMs();
    const names = failing.map(
      ({ name, failingSinceMs }) => `${name} does not answer since ${formatSince(failingSinceMs ?? nowMs, nowMs)}`,
    );
    return `${names.join(', ')}; what is cached plays on.`;
  }

  async #totals(): Promise<TotalsProps> {
    const { entryCount, servedBytes, servedFromDiskBytes, originBytes } = await this.#services.totals();
    return {
      entryCount,
      hitRatio: servedBytes === 0 ? null : servedFromDiskBytes / servedBytes,
      servedBytes,
      originBytes,
      countedSinceMs: null,
    };
  }

  async #entries(cursor: EntryCursor | null, files: readonly CachedFile[]): Promise<EntriesProps> {
    const { entries, queue, statistics, sources } = this.#services;
    const rows = await entries.listRecent(ENTRIES_PER_PAGE + 1, cursor);
    const byEntry = new Map<number, CachedFile>();
    for (const file of files) if (!file.superseded) byEntry.set(file.identity.entryId, file);
    const shown = rows.slice(0, ENTRIES_PER_PAGE);
    const queued = await queue.listWished(shown.map((row) => row.entryId));
    const last = shown.at(-1);
    return {
      entries: shown.map((row) => this.#entry(row, byEntry.get(row.entryId), queued.has(row.entryId))),
      total: (await statistics.get()).entryCount,
      cursor: cursor === null ? null : formatCursor(cursor),
      next: rows.length > ENTRIES_PER_PAGE && last !== undefined ? formatCursor(last) : null,
      sourceNames: sources().map((source) => source.name),
    };
  }

  #entry(row: EntrySummary, file: CachedFile | undefined, isQueued: boolean): EntryProps {
    return {
      id: String(row.entryId),
      groupKey: String(row.mediaId),
      title: row.year === null ? row.title : `${row.title} (${row.year})`,
      source: row.source,
      quality: row.quality,
      sizeBytes: row.totalBytes,
      cachedBytes: row.ranges.reduce((sum, range) => sum + range.end - range.start, 0),
      ranges: row.ranges.map(asPair),
      inFlight: file === undefined ? [] : file.bytes.inFlight().map(asPair),
      readerPositions: file === undefined ? [] : [...file.readers].map((reader) => reader.position),
      lastUsedAtMs: row.lastUsedAt,
      streamPath: `/s/${encodeURIComponent(row.source)}/${encodePath(row.path)}`,
      fetchQueued: isQueued,
      pinned: row.pinned,
      tooLarge: (row.totalBytes ?? 0) > this.#services.space.state.capBytes,
      missing:
        row.missingSince === null
          ? null
          : { sinceMs: row.missingSince, reason: row.missingReason ?? 'it did not say why' },
    };
  }
}
