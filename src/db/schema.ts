// The tables as drizzle sees them. Constraints, triggers and partial indexes stand in migrations/*.sql, which is the
// schema in force; a test compares the two.
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const sources = sqliteTable('sources', {
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  kind: text('kind', { enum: ['http', 'plex', 'jellyfin', 'stremio'] }).notNull(),
  url: text('url').notNull(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
  lastSuccessAt: integer('last_success_at'),
  lastErrorCode: text('last_error_code'),
  lastErrorText: text('last_error_text'),
  lastErrorAt: integer('last_error_at'),
  failingSince: integer('failing_since'),
  credentials: text('credentials'),
  options: text('options').notNull().default('{}'),
  testedAt: integer('tested_at'),
  testResult: text('test_result'),
  removedAt: integer('removed_at'),
});

export const sourceStatistics = sqliteTable('source_statistics', {
  sourceId: integer('source_id').primaryKey(),
  itemCount: integer('item_count').notNull().default(0),
  entryCount: integer('entry_count').notNull().default(0),
  pinnedCount: integer('pinned_count').notNull().default(0),
  cachedBytes: integer('cached_bytes').notNull().default(0),
});

export const mediaItems = sqliteTable('media_items', {
  id: integer('id').primaryKey(),
  sourceId: integer('source_id').notNull(),
  key: text('key').notNull(),
  type: text('type', {
    enum: ['movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio', 'file'],
  }).notNull(),
  title: text('title').notNull(),
  year: integer('year'),
  createdAt: integer('created_at').notNull(),
  sortTitle: text('sort_title'),
  parentId: integer('parent_id'),
  season: integer('season'),
  episode: integer('episode'),
  durationMs: integer('duration_ms'),
  overview: text('overview'),
  artwork: text('artwork'),
  fingerprint: text('fingerprint'),
  readAt: integer('read_at'),
});

export const mediaIds = sqliteTable(
  'media_ids',
  { id: text('id').notNull(), mediaId: integer('media_id').notNull() },
  (table) => [primaryKey({ columns: [table.id, table.mediaId] })],
);

export const mediaSubtitles = sqliteTable(
  'media_subtitles',
  {
    mediaId: integer('media_id').notNull(),
    number: integer('number').notNull(),
    language: text('language'),
    title: text('title'),
    format: text('format').notNull(),
    locator: text('locator').notNull(),
    forced: integer('forced', { mode: 'boolean' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.mediaId, table.number] })],
);

export const mediaPlaylists = sqliteTable(
  'media_playlists',
  {
    mediaId: integer('media_id').notNull(),
    quality: text('quality').notNull(),
    name: text('name').notNull(),
    kind: text('kind', { enum: ['master', 'media'] }).notNull(),
    body: text('body').notNull(),
    signature: text('signature').notNull(),
    pieceCount: integer('piece_count').notNull(),
    fetchedAt: integer('fetched_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.mediaId, table.quality, table.name] })],
);

export const cacheQualityVariants = sqliteTable('cache_quality_variants', {
  id: integer('id').primaryKey(),
  mediaId: integer('media_id').notNull(),
  quality: text('quality').notNull(),
  path: text('path').notNull(),
  container: text('container'),
  sizeBytes: integer('size_bytes'),
  discoveredAt: integer('discovered_at').notNull(),
  folderId: integer('folder_id'),
  stamp: text('stamp'),
  missingSince: integer('missing_since'),
  locator: text('locator'),
  width: integer('width'),
  height: integer('height'),
  bitrate: integer('bitrate'),
  videoCodec: text('video_codec'),
  audioCodec: text('audio_codec'),
  delivery: text('delivery', { enum: ['file', 'growing', 'hls'] })
    .notNull()
    .default('file'),
  refusal: text('refusal'),
});

export const cacheEntries = sqliteTable('cache_entries', {
  id: integer('id').primaryKey(),
  sourceId: integer('source_id').notNull(),
  mediaId: integer('media_id').notNull(),
  quality: text('quality').notNull(),
  createdAt: integer('created_at').notNull(),
  lastUsedAt: integer('last_used_at').notNull(),
  useCount: integer('use_count').notNull().default(0),
  pinned: integer('pinned', { mode: 'boolean' }).notNull().default(false),
  missingSince: integer('missing_since'),
  missingReason: text('missing_reason'),
  removedAt: integer('removed_at'),
  lastPlayedAt: integer('last_played_at'),
  piecesWhole: integer('pieces_whole', { mode: 'boolean' }).notNull().default(false),
});

export const cacheGenerations = sqliteTable('cache_generations', {
  id: integer('id').primaryKey(),
  entryId: integer('entry_id').notNull(),
  etag: text('etag'),
  lastModified: text('last_modified'),
  totalBytes: integer('total_bytes'),
  seekable: integer('seekable', { mode: 'boolean' }).notNull(),
  fileName: text('file_name').notNull(),
  createdAt: integer('created_at').notNull(),
  supersededAt: integer('superseded_at'),
  checkedAt: integer('checked_at'),
  verifiedAt: integer('verified_at'),
  cachedBytes: integer('cached_bytes').notNull().default(0),
});

export const cacheHeaders = sqliteTable('cache_headers', {
  generationId: integer('generation_id').primaryKey(),
  contentType: text('content_type'),
  contentLanguage: text('content_language'),
  contentDisposition: text('content_disposition'),
});

export const cacheChunks = sqliteTable(
  'cache_chunks',
  {
    generationId: integer('generation_id').notNull(),
    start: integer('start').notNull(),
    end: integer('end').notNull(),
    recordedAt: integer('recorded_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.generationId, table.start] })],
);

export const chunkChecksums = sqliteTable(
  'chunk_checksums',
  {
    generationId: integer('generation_id').notNull(),
    start: integer('start').notNull(),
    end: integer('end').notNull(),
    crc32: integer('crc32').notNull(),
  },
  (table) => [primaryKey({ columns: [table.generationId, table.start] })],
);

export const cacheDownloadQueue = sqliteTable('cache_download_queue', {
  id: integer('id').primaryKey(),
  entryId: integer('entry_id').notNull(),
  requestedBy: text('requested_by', { enum: ['person', 'background'] }).notNull(),
  state: text('state', { enum: ['queued', 'running', 'done', 'failed'] }).notNull(),
  attempts: integer('attempts').notNull().default(0),
  nextAttemptAt: integer('next_attempt_at').notNull(),
  errorCode: text('error_code'),
  errorText: text('error_text'),
  createdAt: integer('created_at').notNull(),
  finishedAt: integer('finished_at'),
});

export const cacheStatistics = sqliteTable('cache_statistics', {
  id: integer('id').primaryKey(),
  entryCount: integer('entry_count').notNull(),
  cachedBytes: integer('cached_bytes').notNull(),
  servedBytes: integer('served_bytes').notNull(),
  servedFromDiskBytes: integer('served_from_disk_bytes').notNull(),
  originBytes: integer('origin_bytes').notNull(),
  hitCount: integer('hit_count').notNull(),
  partialCount: integer('partial_count').notNull(),
  missCount: integer('miss_count').notNull(),
  updatedAt: integer('updated_at').notNull(),
});

export const userPreferences = sqliteTable('user_preferences', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
  updatedAt: integer('updated_at').notNull(),
});

export const events = sqliteTable('events', {
  id: integer('id').primaryKey(),
  at: integer('at').notNull(),
  kind: text('kind').notNull(),
  subject: text('subject').notNull(),
  text: text('text').notNull(),
  severity: text('severity', { enum: ['info', 'warning', 'error'] })
    .notNull()
    .default('info'),
});

export const trafficHistory = sqliteTable(
  'traffic_history',
  {
    spanMs: integer('span_ms').notNull(),
    at: integer('at').notNull(),
    servedBytes: integer('served_bytes').notNull(),
    servedFromDiskBytes: integer('served_from_disk_bytes').notNull(),
    originBytes: integer('origin_bytes').notNull(),
    hitCount: integer('hit_count').notNull(),
    partialCount: integer('partial_count').notNull(),
    missCount: integer('miss_count').notNull(),
  },
  (table) => [primaryKey({ columns: [table.spanMs, table.at] })],
);

export const readerHistory = sqliteTable('reader_history', {
  id: integer('id').primaryKey(),
  entryId: integer('entry_id'),
  source: text('source').notNull(),
  path: text('path').notNull(),
  title: text('title').notNull(),
  quality: text('quality').notNull(),
  address: text('address').notNull(),
  userAgent: text('user_agent').notNull(),
  startedAt: integer('started_at').notNull(),
  endedAt: integer('ended_at').notNull(),
  requestCount: integer('request_count').notNull(),
  servedBytes: integer('served_bytes').notNull(),
  servedFromDiskBytes: integer('served_from_disk_bytes').notNull(),
  position: integer('position').notNull(),
  sizeBytes: integer('size_bytes'),
  firstByteMs: integer('first_byte_ms'),
  stallCount: integer('stall_count').notNull(),
  stalledMs: integer('stalled_ms').notNull(),
  worstStallMs: integer('worst_stall_ms').notNull(),
  outcome: text('outcome', { enum: ['finished', 'left', 'stopped', 'failed'] }).notNull(),
  reason: text('reason'),
});

export const users = sqliteTable('users', {
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  nameKey: text('name_key').notNull(),
  role: text('role', { enum: ['owner', 'viewer'] }).notNull(),
  passwordHash: text('password_hash').notNull(),
  preferences: text('preferences').notNull().default('{}'),
  createdAt: integer('created_at').notNull(),
  passwordChangedAt: integer('password_changed_at').notNull(),
  lastSignInAt: integer('last_sign_in_at'),
});

export const sessions = sqliteTable('sessions', {
  id: integer('id').primaryKey(),
  digest: text('digest').notNull(),
  userId: integer('user_id').notNull(),
  device: text('device').notNull(),
  address: text('address').notNull(),
  createdAt: integer('created_at').notNull(),
  lastSeenAt: integer('last_seen_at').notNull(),
});

export const tokens = sqliteTable('tokens', {
  id: integer('id').primaryKey(),
  digest: text('digest').notNull(),
  prefix: text('prefix').notNull(),
  name: text('name').notNull(),
  scope: text('scope', { enum: ['admin', 'viewer', 'stream'] }).notNull(),
  userId: integer('user_id'),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  lastUsedAt: integer('last_used_at'),
});

export const accessChanges = sqliteTable('access_changes', {
  id: integer('id').primaryKey(),
  version: integer('version').notNull(),
});

/** Kept true by triggers. Its generated column `facet` is named in src/db/library.ts only. */
export const mediaStatistics = sqliteTable('media_statistics', {
  mediaId: integer('media_id').primaryKey(),
  sourceId: integer('source_id').notNull(),
  type: text('type').notNull(),
  sortTitle: text('sort_title').notNull(),
  sizeBytes: integer('size_bytes').notNull(),
  availability: text('availability', { enum: ['none', 'partly', 'whole'] }).notNull(),
  pinned: integer('pinned', { mode: 'boolean' }).notNull(),
  missing: integer('missing', { mode: 'boolean' }).notNull(),
  lastUsedAt: integer('last_used_at').notNull(),
  addedAt: integer('added_at').notNull(),
});

/** Kept true by triggers. */
export const mediaFacets = sqliteTable('media_facets', {
  facet: integer('facet').primaryKey(),
  sourceId: integer('source_id').notNull(),
  type: text('type').notNull(),
  availability: text('availability', { enum: ['none', 'partly', 'whole'] }).notNull(),
  pinned: integer('pinned', { mode: 'boolean' }).notNull(),
  missing: integer('missing', { mode: 'boolean' }).notNull(),
  itemCount: integer('item_count').notNull(),
});

export const catalogueSyncs = sqliteTable('catalogue_syncs', {
  sourceId: integer('source_id').primaryKey(),
  round: integer('round').notNull(),
  state: text('state', { enum: ['idle', 'running', 'failed'] }).notNull(),
  startedAt: integer('started_at').notNull(),
  finishedAt: integer('finished_at'),
  seen: integer('seen').notNull().default(0),
  added: integer('added').notNull().default(0),
  changed: integer('changed').notNull().default(0),
  skipped: integer('skipped').notNull().default(0),
  missing: integer('missing').notNull().default(0),
  total: integer('total'),
  errorCode: text('error_code'),
  errorText: text('error_text'),
  errorHint: text('error_hint'),
});

export const catalogueFolders = sqliteTable('catalogue_folders', {
  id: integer('id').primaryKey(),
  sourceId: integer('source_id').notNull(),
  parentId: integer('parent_id'),
  path: text('path').notNull(),
  depth: integer('depth').notNull(),
  dueRound: integer('due_round').notNull(),
  readRound: integer('read_round').notNull().default(0),
  readAt: integer('read_at'),
  etag: text('etag'),
  lastModified: text('last_modified'),
  fingerprint: text('fingerprint'),
  emptiedRound: integer('emptied_round'),
  doubted: integer('doubted', { mode: 'boolean' }).notNull().default(false),
  goneSince: integer('gone_since'),
});
