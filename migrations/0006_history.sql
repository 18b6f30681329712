-- What flowed, who read, and events that can be looked through.

-- Traffic in spans of 10 s, 1 min, 15 min and 6 h; each length is kept for its own time. Spans in which nothing flowed have no
-- row.
CREATE TABLE traffic_history (
  span_ms INTEGER NOT NULL CHECK (span_ms > 0),
  at INTEGER NOT NULL CHECK (at % span_ms = 0),
  served_bytes INTEGER NOT NULL,
  served_from_disk_bytes INTEGER NOT NULL,
  origin_bytes INTEGER NOT NULL,
  hit_count INTEGER NOT NULL,
  partial_count INTEGER NOT NULL,
  miss_count INTEGER NOT NULL,
  PRIMARY KEY (span_ms, at)
) STRICT, WITHOUT ROWID;

-- Readers that ended. Requests of one player for one entry that follow upon each other are one row. Without references:
-- the row outlives what was read.
CREATE TABLE reader_history (
  id INTEGER PRIMARY KEY,
  entry_id INTEGER,
  source TEXT NOT NULL,
  path TEXT NOT NULL,
  title TEXT NOT NULL,
  quality TEXT NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  request_count INTEGER NOT NULL CHECK (request_count > 0),
  served_bytes INTEGER NOT NULL CHECK (served_bytes >= 0),
  served_from_disk_bytes INTEGER NOT NULL CHECK (served_from_disk_bytes >= 0),
  position INTEGER NOT NULL CHECK (position >= 0),
  size_bytes INTEGER,
  first_byte_ms INTEGER,
  stall_count INTEGER NOT NULL,
  stalled_ms INTEGER NOT NULL,
  worst_stall_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('finished', 'left', 'stopped', 'failed')),
  reason TEXT
) STRICT;

-- How much an event matters, so that those that need a decision can be picked out.
ALTER TABLE events ADD COLUMN severity TEXT NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'error'));
UPDATE events SET severity = 'warning' WHERE kind IN ('rebuilt', 'no-room', 'damaged');
UPDATE events SET severity = 'error' WHERE kind = 'disk-refused';
CREATE INDEX IF NOT EXISTS events_subject ON events (subject, id);
CREATE INDEX events_kind ON events (kind, id);
CREATE INDEX events_severity ON events (severity, id);

-- What is pinned, to add up its bytes.
CREATE INDEX cache_entries_pinned ON cache_entries (id) WHERE pinned = 1;
