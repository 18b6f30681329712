// Every statement that the table classes run, as it is sent to the driver, is explained: it must find its rows by an
// index. What may look through a whole table is named here with its reason.
import { describe, expect, test } from 'bun:test';
import type { InStatement } from '@libsql/client/sqlite3';
import { drizzle } from 'drizzle-orm/libsql/sqlite3';
import { CatalogueTable } from '../../../src/db/catalogue.ts';
import type { Tables } from '../../../src/db/database.ts';
import { DownloadQueueTable } from '../../../src/db/download-queue.ts';
import { EntryTable } from '../../../src/db/entries.ts';
import { EventTable } from '../../../src/db/events.ts';
import { GenerationTable } from '../../../src/db/generations.ts';
import { LibraryTable } from '../../../src/db/library.ts';
import { type MediaDescription, MediaTable } from '../../../src/db/media.ts';
import { PlaylistTable } from '../../../src/db/playlists.ts';
import { PreferenceTable } from '../../../src/db/preferences.ts';
import { ReaderHistoryTable } from '../../../src/db/reader-history.ts';
import * as schema from '../../../src/db/schema.ts';
import { SessionTable } from '../../../src/db/sessions.ts';
import { SourceTable } from '../../../src/db/sources.ts';
import { StatisticsTable } from '../../../src/db/statistics.ts';
import { StorageTable } from '../../../src/db/storage.ts';
import { TokenTable } from '../../../src/db/tokens.ts';
import { TrafficHistoryTable } from '../../../src/db/traffic-history.ts';
import { UserTable } from '../../../src/db/users.ts';
import { entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';

/** Tables that hold a handful of rows for ever. */
const SMALL = [
  'catalogue_syncs',
  'access_changes',
  'cache_statistics',
  'media_facets',
  'source_statistics',
  'sources',
  'user_preferences',
];

/** Calls that may walk through an index from its start, each with its reason. */
const WALKS: Record<string, string> = {
  'catalogue.countMissing': 'walks the index of what is gone, which is little of all',
  'entries.listRecent first page': 'walks the index of the order it lists in, up to its limit',
  'entries.listEvictable first page': 'walks the index of the order it lists in, up to its limit',
  'sessions.list first page': 'walks the index of the order it lists in, up to its limit',
  'tokens.list first page': 'walks the table itself, which is in the order it lists in, up to its limit',
  'users.addFirst': 'looks whether there is any row',
  'sessions.removeAll': 'ends all of them',
  'generations.findScrubCandidate': 'takes the first row of the index',
  'entries.findNewestUse': 'takes the last row of the index',
  'entries.listRemoved': 'walks the index of what was dropped, which holds nothing else',
  'library.listUnfolded': 'walks the index of what is not folded, which holds nothing else',
  'events.list of all': 'walks the table itself, which is in the order it lists in, up to its limit',
  'events.listKinds': 'steps from kind to kind through the index',
  'readers.list first page': 'walks the table itself, which is in the order it lists in, up to its limit',
  'readers.findNewestId': 'takes the last row of the table',
  'storage.listPinned': 'walks the index of pinned entries, up to its limit',
};

/** A scan in the order of an index, or of the rows' own ids. */
const IN_ORDER = / USING (COVERING )?INDEX |^SCAN (events|reader_history|kinds|tokens|users|sessions|CONSTANT ROW)$/;

/** Steps over what the statement brought itself: a list of numbers, its own rows so far, a search that is an index. */
const OWN = /VIRTUAL TABLE INDEX|^SCAN (walk|found|items|below)$/;

type Statement = { sql: string; args: unknown };

/** Runs `call` on tables whose driver notes what it is asked. */
async function statementsOf(call: (tables: Tables) => Promise<unknown>): Promise<{ sql: string; plan: string[] }[]> {
  await using cache = await openCacheDatabase();
  const { client } = cache.database;
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  for (let index = 0; index < 5; index++) {
    const { entryId } = await cache.entries.ensure(entryOf(sourceId, `f${index}`), NOW_MS);
    const { generation } = await cache.generations.create(generationOf(entryId, `f${index}`), NOW_MS);
    await cache.generations.recordRange(generation.id, { start: 0, end: 5 }, [{ start: 0, end: 5, crc32: 1 }], NOW_MS);
  }
  const noted: Statement[] = [];
  const note = (statement: InStatement | string, args?: unknown) => {
    noted.push(
      typeof statement === 'string'
        ? { sql: statement, args: args ?? [] }
        : { sql: statement.sql, args: statement.args ?? [] },
    );
  };
  const spy = new Proxy(client, {
    get(target, name) {
      if (name === 'execute') {
        return (statement: InStatement, args?: unknown) => {
          note(statement, args);
          return args === undefined ? target.execute(statement) : target.execute(statement as string, args as never);
        };
      }
      if (name === 'batch') {
        return (statements: InStatement[], mode?: 'write') => {
          for (const statement of statements) note(statement);
          return target.batch(statements, mode);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await call(drizzle(spy, { schema }) as unknown as Tables);
  const explained: { sql: string; plan: string[] }[] = [];
  for (const { sql, args } of noted) {
    const rows = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args: args as never });
    explained.push({ sql, plan: rows.rows.map((row) => String(row.detail)) });
  }
  return explained;
}

const row = {
  id: 1,
  entryId: 1,
  requestedBy: 'person',
  state: 'queued',
  attempts: 0,
  nextAttemptAt: 0,
  errorCode: null,
  errorText: null,
  createdAt: 0,
  finishedAt: null,
} as const;
const counters = { servedBytes: 1, servedFromDiskBytes: 1, originBytes: 1, hitCount: 1, partialCount: 1, missCount: 1 };
const folder = {
  id: 1,
  sourceId: 1,
  parentId: null,
  path: '',
  depth: 0,
  dueRound: 1,
  readRound: 0,
  readAt: null,
  etag: null,
  lastModified: null,
  fingerprint: null,
  emptiedRound: null,
  doubted: false,
  goneSince: null,
} as const;
const foundFiles = { seen: 1, added: 1, changed: 0, skipped: 0, missing: 0 };
const listedFile = {
  mediaKey: 'f1',
  quality: 'original',
  type: 'video',
  title: 'f1',
  year: null,
  path: 'f1',
  container: 'mkv',
  sizeBytes: 5,
  stamp: '5',
} as const;
const described: MediaDescription = {
  key: 'e1',
  type: 'episode',
  title: 'Pilot',
  year: 2020,
  parentKey: 's1',
  season: 1,
  episode: 1,
  durationMs: 1,
  overview: null,
  artwork: null,
  otherIds: ['imdb:tt1'],
  subtitles: [{ language: 'en', title: null, format: 'srt', locator: 'x', isForced: false }],
  fingerprint: 'f',
};
const keptPlaylist = {
  mediaId: 1,
  quality: '720p',
  name: '',
  kind: 'media',
  body: '#EXTM3U',
  signature: '00000000',
  pieceCount: 0,
  fetchedAt: NOW_MS,
} as const;
const settingsOfSource = { url: 'http://x/', credentials: null, options: '{}' };
const endedReader = {
  id: 1,
  entryId: 1,
  source: 'films',
  path: 'a.mkv',
  title: 'a',
  quality: 'original',
  address: '10.0.0.2',
  userAgent: 'VLC/3',
  startedAt: 0,
  endedAt: 1,
  requestCount: 1,
  servedBytes: 1,
  servedFromDiskBytes: 1,
  position: 1,
  sizeBytes: null,
  firstByteMs: null,
  stallCount: 0,
  stalledMs: 0,
  worstStallMs: 0,
  outcome: 'left',
  reason: null,
} as const;
const user = { name: 'Jane', nameKey: 'jane', role: 'owner', passwordHash: 'h' } as const;
const token = { digest: 'd', prefix: 'l', name: 'n', scope: 'admin', userId: null, expiresAt: null } as const;
const failure = { code: 'origin-failed', text: 'x' };

const calls: Record<string, (tables: Tables) => Promise<unknown>> = {
  'entries.find': (tables) => new EntryTable(tables).find(entryOf(1, 'f1')),
  'entries.ensure': (tables) => new EntryTable(tables).ensure(entryOf(1, 'new'), NOW_MS),
  'entries.recordSize': (tables) => new EntryTable(tables).recordSize(1, 'original', 5),
  'entries.recordUse': (tables) => new EntryTable(tables).recordUse(new Map([[1, { atMs: NOW_MS, count: 1 }]])),
  'entries.recordMissing': (tables) => new EntryTable(tables).recordMissing(1, 'gone', NOW_MS),
  'entries.recordFound': (tables) => new EntryTable(tables).recordFound(1),
  'entries.setPinned': (tables) => new EntryTable(tables).setPinned(1, true),
  'entries.findState': (tables) => new EntryTable(tables).findState(1),
  'entries.findNewestUse': (tables) => new EntryTable(tables).findNewestUse(),
  'entries.listEvictable first page': (tables) => new EntryTable(tables).listEvictable(3, null),
  'entries.listEvictable next page': (tables) =>
    new EntryTable(tables).listEvictable(3, { lastUsedAt: NOW_MS, entryId: 1 }),
  'events.add': (tables) => new EventTable(tables).add('evicted', 'x', 'y', NOW_MS),
  'events.list of all': (tables) => new EventTable(tables).list({ text: 'x' }, 5, null),
  'events.list next page': (tables) => new EventTable(tables).list({ text: 'x' }, 5, 9),
  'events.list of a kind': (tables) => new EventTable(tables).list({ kind: 'evicted' }, 5, 9),
  'events.list of a subject': (tables) => new EventTable(tables).list({ subject: 'x' }, 5, 9),
  'events.list of a severity': (tables) => new EventTable(tables).list({ severity: 'error', text: 'x' }, 5, null),
  'events.listKinds': (tables) => new EventTable(tables).listKinds(),
  'readers.add': (tables) => new ReaderHistoryTable(tables).add([endedReader]),
  'readers.list first page': (tables) => new ReaderHistoryTable(tables).list(5, null),
  'readers.list next page': (tables) => new ReaderHistoryTable(tables).list(5, 9),
  'readers.findNewestId': (tables) => new ReaderHistoryTable(tables).findNewestId(),
  'storage.describe': (tables) => new StorageTable(tables).describe([1, 2, 3]),
  'storage.findMediaIds': (tables) => new StorageTable(tables).findMediaIds([1, 2, 3]),
  'storage.listPinned': (tables) => new StorageTable(tables).listPinned(5, 1),
  'traffic.add': (tables) =>
    new TrafficHistoryTable(tables).add([{ ...counters, spanMs: 60_000, at: 0 }], new Map([[60_000, 5]])),
  'traffic.listSlots': (tables) => new TrafficHistoryTable(tables).listSlots(60_000, 720_000, 0, NOW_MS),
  'entries.setRemoved': (tables) => new EntryTable(tables).setRemoved(1, NOW_MS),
  'entries.listRemoved': (tables) => new EntryTable(tables).listRemoved(5),
  'entries.findSummary': (tables) => new EntryTable(tables).findSummary(1),
  'library.listFacets': (tables) => new LibraryTable(tables).listFacets(),
  'library.listPlaces used': (tables) => new LibraryTable(tables).listPlaces([128], 'used', null, 5),
  'library.listPlaces title': (tables) => new LibraryTable(tables).listPlaces([128], 'title', null, 5),
  'library.listPlaces size': (tables) => new LibraryTable(tables).listPlaces([128], 'size', null, 5),
  'library.listPlaces added': (tables) => new LibraryTable(tables).listPlaces([128], 'added', null, 5),
  'library.match': (tables) => new LibraryTable(tables).match(['f'], 'used', 5),
  'library.listItems': (tables) => new LibraryTable(tables).listItems([1, 2]),
  'library.listQualities': (tables) => new LibraryTable(tables).listQualities([1, 2]),
  'library.listEntries': (tables) => new LibraryTable(tables).listEntries([1, 2]),
  'library.sumKept': (tables) => new LibraryTable(tables).sumKept([1, 2]),
  'library.sumFacet': (tables) => new LibraryTable(tables).sumFacet(128, 0, 5),
  'library.sumSizes': (tables) => new LibraryTable(tables).sumSizes(128),
  'library.listUnfolded': (tables) => new LibraryTable(tables).listUnfolded(5),
  'library.fold': (tables) => new LibraryTable(tables).fold([{ id: 1, title: 'The x' }]),
  'entries.remove': (tables) => new EntryTable(tables).remove(1),
  'entries.findAddress': (tables) => new EntryTable(tables).findAddress(1),
  'entries.listRecent first page': (tables) => new EntryTable(tables).listRecent(3, null),
  'entries.listRecent next page': (tables) => new EntryTable(tables).listRecent(3, { lastUsedAt: NOW_MS, entryId: 4 }),
  'generations.create': (tables) =>
    new GenerationTable(tables)
      .supersede(1, 1)
      .then(() => new GenerationTable(tables).create(generationOf(1, 'n'), NOW_MS)),
  'generations.recordLength': (tables) => new GenerationTable(tables).recordLength(1, 5),
  'generations.recordSeekable': (tables) => new GenerationTable(tables).recordSeekable(1, true),
  'generations.clear': (tables) => new GenerationTable(tables).clear(2),
  'generations.remove': (tables) => new GenerationTable(tables).remove([1, 2]),
  'generations.listRanges': (tables) => new GenerationTable(tables).listRanges(1),
  'generations.listChecksums': (tables) => new GenerationTable(tables).listChecksums(1, { start: 0, end: 9 }),
  'generations.recordRange': (tables) =>
    new GenerationTable(tables).recordRange(1, { start: 0, end: 9 }, [{ start: 0, end: 9, crc32: 1 }], NOW_MS),
  'generations.recordChecksums': (tables) =>
    new GenerationTable(tables).recordChecksums(1, [{ start: 0, end: 9, crc32: 1 }]),
  'generations.find': (tables) => new GenerationTable(tables).find(1),
  'generations.adopt': (tables) =>
    new GenerationTable(tables).adopt(1, [{ start: 20, end: 30 }], [{ start: 20, end: 30, crc32: 1 }], NOW_MS),
  'generations.loseRange': (tables) =>
    new GenerationTable(tables).loseRange(1, [{ start: 0, end: 1 }], { start: 1, end: 5 }, NOW_MS),
  'generations.recordChecked': (tables) => new GenerationTable(tables).recordChecked(1, NOW_MS),
  'generations.recordVerified': (tables) => new GenerationTable(tables).recordVerified(1, NOW_MS),
  'generations.findScrubCandidate': (tables) => new GenerationTable(tables).findScrubCandidate(NOW_MS, NOW_MS, [7]),
  'generations.countBytesOfEntry': (tables) => new GenerationTable(tables).countBytesOfEntry(1),
  'generations.listUnknownFiles': (tables) => new GenerationTable(tables).listUnknownFiles(['f1', 'nobody']),
  'generations.hasFile': (tables) => new GenerationTable(tables).hasFile('f1'),
  'generations.listFiles': (tables) => new GenerationTable(tables).listFiles(10, 2),
  'generations.listSuperseded': (tables) => new GenerationTable(tables).listSuperseded(),
  'generations.listOfEntry': (tables) => new GenerationTable(tables).listOfEntry(1),
  'queue.enqueue': (tables) => new DownloadQueueTable(tables).enqueue(1, 'person', NOW_MS),
  'queue.cancel': (tables) => new DownloadQueueTable(tables).cancel(1),
  'queue.cancelBackground': (tables) => new DownloadQueueTable(tables).cancelBackground(),
  'queue.requeueRunning': (tables) => new DownloadQueueTable(tables).requeueRunning(),
  'queue.endWaitsBehind': (tables) => new DownloadQueueTable(tables).endWaitsBehind(NOW_MS, 1),
  'queue.requeue': (tables) => new DownloadQueueTable(tables).requeue(1),
  'queue.findUnmet': (tables) => new DownloadQueueTable(tables).findUnmet(1),
  'queue.listOpen': (tables) => new DownloadQueueTable(tables).listOpen(3, null, NOW_MS),
  'queue.listOpen next page': (tables) =>
    new DownloadQueueTable(tables).listOpen(3, { part: 2, nextAttemptAt: NOW_MS, id: 4 }, NOW_MS),
  'queue.sumOpen': (tables) => new DownloadQueueTable(tables).sumOpen(),
  'queue.cancelAll': (tables) => new DownloadQueueTable(tables).cancelAll(),
  'queue.countOpen': (tables) => new DownloadQueueTable(tables).countOpen(),
  'queue.findNextAttempt': (tables) => new DownloadQueueTable(tables).findNextAttempt(),
  'queue.listDue': (tables) => new DownloadQueueTable(tables).listDue(2, NOW_MS),
  'queue.markRunning': (tables) => new DownloadQueueTable(tables).markRunning(1),
  'queue.markDone': (tables) => new DownloadQueueTable(tables).markDone(1, NOW_MS),
  'queue.markFailed': (tables) => new DownloadQueueTable(tables).markFailed(row, failure, null, NOW_MS),
  'statistics.get': (tables) => new StatisticsTable(tables).get(),
  'statistics.touch': (tables) => new StatisticsTable(tables).touch(NOW_MS),
  'statistics.add': (tables) => new StatisticsTable(tables).add(counters, NOW_MS),
  'sources.list': (tables) => new SourceTable(tables).list(),
  'sources.declare': (tables) => new SourceTable(tables).declare('films', 'http://x/', NOW_MS),
  'sources.ensure': (tables) => new SourceTable(tables).ensure('films', 'http', 'http://x/', NOW_MS),
  'sources.add': (tables) => new SourceTable(tables).add('more', { kind: 'http', ...settingsOfSource }, 7, NOW_MS),
  'sources.update': (tables) => new SourceTable(tables).update(1, settingsOfSource, NOW_MS),
  'sources.recordTest': (tables) => new SourceTable(tables).recordTest(1, { testedAt: NOW_MS, testResult: '{}' }),
  'sources.markRemoved': (tables) => new SourceTable(tables).markRemoved(1, 'films (removed 1)', NOW_MS),
  'sources.listEntryIds': (tables) => new SourceTable(tables).listEntryIds(1, 2, 10),
  'sources.removeItems': (tables) => new SourceTable(tables).removeItems(1, 10),
  'sources.remove': (tables) => new SourceTable(tables).remove(1),
  'sources.holdings': (tables) => new SourceTable(tables).holdings(),
  'sources.recordSuccess': (tables) => new SourceTable(tables).recordSuccess(1, NOW_MS),
  'sources.recordFailure': (tables) => new SourceTable(tables).recordFailure(1, 'c', 't', NOW_MS),
  'preferences.all': (tables) => new PreferenceTable(tables).all(),
  'preferences.change': (tables) =>
    new PreferenceTable(tables).change(
      new Map([
        ['a', 1],
        ['b', null],
      ]),
      NOW_MS,
    ),
  'users.list': (tables) => new UserTable(tables).list(5, 0),
  'users.find': (tables) => new UserTable(tables).find(1),
  'users.findByName': (tables) => new UserTable(tables).findByName('jane'),
  'users.listOwners': (tables) => new UserTable(tables).listOwners(),
  'users.add': (tables) => new UserTable(tables).add(user, NOW_MS),
  'users.addFirst': (tables) => new UserTable(tables).addFirst(user, NOW_MS),
  'users.setPassword': (tables) => new UserTable(tables).setPassword(1, 'h', NOW_MS, 'g'),
  'users.rehash': (tables) => new UserTable(tables).rehash(1, 'h', 'i'),
  'users.setPreferences': (tables) => new UserTable(tables).setPreferences(1, '{}'),
  'users.recordSignIn': (tables) => new UserTable(tables).recordSignIn(1, NOW_MS),
  'users.setRole': (tables) => new UserTable(tables).setRole(1, 'viewer'),
  'users.remove': (tables) => new UserTable(tables).remove(1),
  'sessions.add': (tables) =>
    new UserTable(tables)
      .add(user, NOW_MS)
      .then((added) =>
        new SessionTable(tables).add({ digest: 'd', userId: added!.id, device: 'x', address: '::1' }, NOW_MS),
      ),
  'sessions.addWhile': (tables) =>
    new SessionTable(tables).addWhile(
      { digest: 'd', userId: 1, device: 'x', address: '::1' },
      { passwordHash: 'h', role: 'owner' },
      NOW_MS,
    ),
  'sessions.findByDigest': (tables) => new SessionTable(tables).findByDigest('d'),
  'sessions.find': (tables) => new SessionTable(tables).find(1),
  'sessions.list first page': (tables) => new SessionTable(tables).list(3, null, 0),
  'sessions.list next page': (tables) => new SessionTable(tables).list(3, { lastSeenAt: NOW_MS, id: 4 }, 0),
  'sessions.listOf first page': (tables) => new SessionTable(tables).listOf(1, 3, null, 0),
  'sessions.listOf next page': (tables) => new SessionTable(tables).listOf(1, 3, { lastSeenAt: NOW_MS, id: 4 }, 0),
  'sessions.recordSeen': (tables) => new SessionTable(tables).recordSeen(1, '::1', NOW_MS),
  'sessions.remove': (tables) => new SessionTable(tables).remove(1),
  'sessions.removeOf': (tables) => new SessionTable(tables).removeOf(1, 2),
  'sessions.removeAll': (tables) => new SessionTable(tables).removeAll(2),
  'sessions.removeExpired': (tables) => new SessionTable(tables).removeExpired(1, 1),
  'tokens.add': (tables) => new TokenTable(tables).add(token, NOW_MS),
  'tokens.findByDigest': (tables) => new TokenTable(tables).findByDigest('d'),
  'tokens.find': (tables) => new TokenTable(tables).find(1),
  'tokens.list first page': (tables) => new TokenTable(tables).list(3, null),
  'tokens.list next page': (tables) => new TokenTable(tables).list(3, 4),
  'tokens.listOf': (tables) => new TokenTable(tables).listOf(1, 3),
  'tokens.recordUses': (tables) => new TokenTable(tables).recordUses(new Map([[1, NOW_MS]])),
  'tokens.remove': (tables) => new TokenTable(tables).remove(1, 1),
  'tokens.changesVersion': (tables) => new TokenTable(tables).changesVersion(),
  'catalogue.listSyncs': (tables) => new CatalogueTable(tables).listSyncs(),
  'catalogue.startRound': (tables) => new CatalogueTable(tables).startRound(1, NOW_MS),
  'catalogue.recordState': (tables) => new CatalogueTable(tables).recordState(1, { state: 'idle' }),
  'catalogue.listDue': (tables) => new CatalogueTable(tables).listDue(1, 5),
  'catalogue.findFolder': (tables) => new CatalogueTable(tables).findFolder(1),
  'catalogue.listKnownBelow': (tables) => new CatalogueTable(tables).listKnownBelow(1, 'a/', 'a/', 5),
  'catalogue.recordFingerprint': (tables) => new CatalogueTable(tables).recordFingerprint(1, 'a'),
  'catalogue.addFolders': (tables) => new CatalogueTable(tables).addFolders(folder, ['a', 'b'], 1, false),
  'catalogue.keepChildren': (tables) => new CatalogueTable(tables).keepChildren(1, 2),
  'catalogue.finishFolder': (tables) => new CatalogueTable(tables).finishFolder(folder, {}, foundFiles),
  'catalogue.findKnown': (tables) => new CatalogueTable(tables).findKnown(1, [listedFile]),
  'catalogue.putFiles': async (tables) => {
    const catalogue = new CatalogueTable(tables);
    await catalogue.startRound(1, NOW_MS);
    await catalogue.putFiles(folder.sourceId, folder.id, [listedFile], NOW_MS);
    // Those that there are no rows of go by statements of their own.
    const added = [{ ...listedFile, mediaKey: 'new' }];
    await catalogue.putFiles(folder.sourceId, folder.id, added, NOW_MS, await catalogue.findKnown(1, added));
  },
  'catalogue.listFiles': (tables) => new CatalogueTable(tables).listFiles(1, 0, 5),
  'catalogue.listChildren': (tables) => new CatalogueTable(tables).listChildren(1, 0, 5),
  'catalogue.listBranch': (tables) => new CatalogueTable(tables).listBranch(folder, 5),
  'catalogue.recordGone': (tables) => new CatalogueTable(tables).recordGone([1], NOW_MS),
  'catalogue.recordMissing': (tables) => new CatalogueTable(tables).recordMissing([1], NOW_MS),
  'catalogue.countMissing': (tables) => new CatalogueTable(tables).countMissing(1),
  'catalogue.countPresent': (tables) => new CatalogueTable(tables).countPresent(1),
  'catalogue.countFolders': (tables) => new CatalogueTable(tables).countFolders(1),
  'library.listParts': (tables) => new LibraryTable(tables).listParts([1, 2]),
  'media.fingerprints': (tables) => new MediaTable(tables).fingerprints(1, ['a']),
  'media.put': async (tables) => {
    const media = new MediaTable(tables);
    // An item whose parent has a row, and one whose parent has none.
    await media.put(1, [{ ...described, parentKey: null }], NOW_MS);
    await media.put(1, [{ ...described, key: 'new', parentKey: 'unknown' }], NOW_MS);
  },
  'media.findId': (tables) => new MediaTable(tables).findId(1, 'a'),
  'media.findVariant': (tables) => new MediaTable(tables).findVariant(1, 'a', 'original'),
  'media.findFacts': (tables) => new MediaTable(tables).findFacts([1, 2]),
  'media.listChildren': (tables) => new MediaTable(tables).listChildren(1, 0, 5),
  'media.listChains': (tables) => new MediaTable(tables).listChains([1, 2]),
  'media.countChildrenOf': (tables) => new MediaTable(tables).countChildrenOf([1, 2]),
  'media.countChildren': (tables) => new MediaTable(tables).countChildren(1),
  'media.listSubtitles': (tables) => new MediaTable(tables).listSubtitles([1, 2]),
  'media.listSameWork': (tables) => new MediaTable(tables).listSameWork(1, 5),
  'media.noteRead': (tables) => new MediaTable(tables).noteRead(1, ['original'], NOW_MS),
  'playlists.put': (tables) => new PlaylistTable(tables).put(keptPlaylist),
  'playlists.list': (tables) => new PlaylistTable(tables).list(1, 'a', '720p'),
  'playlists.sumPieces': (tables) => new PlaylistTable(tables).sumPieces([1, 2]),
  'playlists.isWhole': (tables) => new PlaylistTable(tables).isWhole(1),
  'playlists.recordWhole': (tables) => new PlaylistTable(tables).recordWhole(1),
  'entries.listPieceIds': (tables) => new EntryTable(tables).listPieceIds(1),
  'preferences.set': (tables) => new PreferenceTable(tables).set('a', 1, NOW_MS),
};

/** Steps that look at every row of a table, or of an index. */
function scans(plan: readonly string[]): string[] {
  return plan.filter(
    (step) => /^SCAN /.test(step) && !OWN.test(step) && !SMALL.some((name) => step.startsWith(`SCAN ${name}`)),
  );
}

function itself(name: string): void {
  test(`${name} finds its rows by an index`, async () => {
    const explained = await statementsOf(calls[name]!);
    expect(explained.length).toBeGreaterThan(0);
    for (const { sql, plan } of explained) {
      const found = scans(plan).filter((step) => !(name in WALKS && IN_ORDER.test(step)));
      expect({ sql, found }).toEqual({ sql, found: [] });
    }
  });
}

describe('query plans', () => {
  for (const name of Object.keys(calls)) itself(name);

  test('the list of calls is whole: every method of every table class is in it', () => {
    const classes = {
      entries: EntryTable,
      generations: GenerationTable,
      queue: DownloadQueueTable,
      statistics: StatisticsTable,
      sources: SourceTable,
      events: EventTable,
      library: LibraryTable,
      catalogue: CatalogueTable,
      media: MediaTable,
      playlists: PlaylistTable,
      preferences: PreferenceTable,
      readers: ReaderHistoryTable,
      storage: StorageTable,
      traffic: TrafficHistoryTable,
      users: UserTable,
      sessions: SessionTable,
      tokens: TokenTable,
    };
    const methods = Object.entries(classes).flatMap(([prefix, table]) =>
      Object.getOwnPropertyNames(table.prototype)
        .filter((method) => method !== 'constructor')
        .map((method) => `${prefix}.${method}`),
    );
    const covered = new Set([...Object.keys(calls).map((name) => name.split(' ')[0]!), 'generations.supersede']);
    expect(methods.filter((method) => !covered.has(method))).toEqual([]);
  });

  test('the check sees a scan when there is one', async () => {
    await using cache = await openCacheDatabase();
    const rows = await cache.rows("EXPLAIN QUERY PLAN SELECT * FROM media_items WHERE title = 'x'");
    expect(scans(rows.map((step) => String(step.detail)))).not.toEqual([]);
  });
});
