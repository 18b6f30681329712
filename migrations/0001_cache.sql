-- Sources, what they offer, and every byte that is kept of it.
-- Times are milliseconds since 1970 UTC; ranges are half-open; lengths are null while unknown.

CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('http', 'plex', 'jellyfin', 'stremio')),
  url TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_success_at INTEGER,
  last_error_code TEXT,
  last_error_text TEXT,
  last_error_at INTEGER
) STRICT;

CREATE TABLE media_items (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio', 'file')),
  title TEXT NOT NULL,
  year INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (source_id, key)
) STRICT;

CREATE TABLE cache_quality_variants (
  id INTEGER PRIMARY KEY,
  media_id INTEGER NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  quality TEXT NOT NULL,
  path TEXT NOT NULL,
  container TEXT,
  size_bytes INTEGER CHECK (size_bytes >= 0),
  discovered_at INTEGER NOT NULL,
  UNIQUE (media_id, quality)
) STRICT;

-- The cache key: (source, media item, quality).
CREATE TABLE cache_entries (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  media_id INTEGER NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  quality TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  use_count INTEGER NOT NULL DEFAULT 0 CHECK (use_count >= 0),
  UNIQUE (source_id, media_id, quality)
) STRICT;
CREATE INDEX cache_entries_last_used ON cache_entries (last_used_at, id);
CREATE INDEX cache_entries_media ON cache_entries (media_id);

-- One upstream version of an entry's bytes, in one file. At most one per entry is current.
CREATE TABLE cache_generations (
  id INTEGER PRIMARY KEY,
  entry_id INTEGER NOT NULL REFERENCES cache_entries (id) ON DELETE CASCADE,
  etag TEXT,
  last_modified TEXT,
  total_bytes INTEGER CHECK (total_bytes >= 0),
  seekable INTEGER NOT NULL CHECK (seekable IN (0, 1)),
  file_name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  superseded_at INTEGER
) STRICT;
CREATE UNIQUE INDEX cache_generations_current ON cache_generations (entry_id) WHERE superseded_at IS NULL;
CREATE INDEX cache_generations_entry ON cache_generations (entry_id, superseded_at);
CREATE INDEX cache_generations_superseded ON cache_generations (superseded_at) WHERE superseded_at IS NOT NULL;

-- Response headers of the origin that players are given again.
CREATE TABLE cache_headers (
  generation_id INTEGER PRIMARY KEY REFERENCES cache_generations (id) ON DELETE CASCADE,
  content_type TEXT,
  content_language TEXT,
  content_disposition TEXT
) STRICT;

-- Available ranges: on disk, synced and recorded; sorted, disjoint, coalesced.
CREATE TABLE cache_chunks (
  generation_id INTEGER NOT NULL REFERENCES cache_generations (id) ON DELETE CASCADE,
  start INTEGER NOT NULL CHECK (start >= 0),
  "end" INTEGER NOT NULL CHECK ("end" > start),
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (generation_id, start)
) STRICT, WITHOUT ROWID;

-- crc32 of each whole cell of the 2 MiB grid.
CREATE TABLE chunk_checksums (
  generation_id INTEGER NOT NULL REFERENCES cache_generations (id) ON DELETE CASCADE,
  chunk_index INTEGER NOT NULL CHECK (chunk_index >= 0),
  crc32 INTEGER NOT NULL CHECK (crc32 BETWEEN 0 AND 4294967295),
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (generation_id, chunk_index)
) STRICT, WITHOUT ROWID;

-- What is to be fetched whole without a reader: asked for by a person (MEDIUM) or background fill (LOW).
CREATE TABLE cache_download_queue (
  id INTEGER PRIMARY KEY,
  entry_id INTEGER NOT NULL REFERENCES cache_entries (id) ON DELETE CASCADE,
  requested_by TEXT NOT NULL CHECK (requested_by IN ('person', 'background')),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at INTEGER NOT NULL,
  error_code TEXT,
  error_text TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;
CREATE UNIQUE INDEX cache_download_queue_open ON cache_download_queue (entry_id) WHERE state IN ('queued', 'running');
CREATE INDEX cache_download_queue_entry ON cache_download_queue (entry_id);
CREATE INDEX cache_download_queue_order ON cache_download_queue (state, requested_by, next_attempt_at, id);

-- One row. The first two columns are kept true by the triggers below, the counters by the program.
CREATE TABLE cache_statistics (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  entry_count INTEGER NOT NULL CHECK (entry_count >= 0),
  cached_bytes INTEGER NOT NULL CHECK (cached_bytes >= 0),
  served_bytes INTEGER NOT NULL DEFAULT 0,
  served_from_disk_bytes INTEGER NOT NULL DEFAULT 0,
  origin_bytes INTEGER NOT NULL DEFAULT 0,
  hit_count INTEGER NOT NULL DEFAULT 0,
  partial_count INTEGER NOT NULL DEFAULT 0,
  miss_count INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO cache_statistics (id, entry_count, cached_bytes) VALUES (1, 0, 0);

CREATE TRIGGER cache_entries_counted AFTER INSERT ON cache_entries BEGIN
  UPDATE cache_statistics SET entry_count = entry_count + 1;
END;
CREATE TRIGGER cache_entries_uncounted AFTER DELETE ON cache_entries BEGIN
  UPDATE cache_statistics SET entry_count = entry_count - 1;
END;
CREATE TRIGGER cache_chunks_counted AFTER INSERT ON cache_chunks BEGIN
  UPDATE cache_statistics SET cached_bytes = cached_bytes + (NEW."end" - NEW.start);
END;
CREATE TRIGGER cache_chunks_uncounted AFTER DELETE ON cache_chunks BEGIN
  UPDATE cache_statistics SET cached_bytes = cached_bytes - (OLD."end" - OLD.start);
END;
CREATE TRIGGER cache_chunks_recounted AFTER UPDATE ON cache_chunks BEGIN
  UPDATE cache_statistics
  SET cached_bytes = cached_bytes + (NEW."end" - NEW.start) - (OLD."end" - OLD.start);
END;

-- Settings that were changed while running, as JSON; flag, environment and file come before them.
CREATE TABLE user_preferences (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
