-- What survival needs: a checksum for every available byte, what was verified and re-checked when, what may not be
-- evicted, since when an origin fails, and the events that say why something happened.

-- A span is a run of bytes within one cell of the 2 MiB grid, as a fetch brought them. Spans cover what is available.
ALTER TABLE chunk_checksums RENAME TO cell_checksums;
CREATE TABLE chunk_checksums (
  generation_id INTEGER NOT NULL REFERENCES cache_generations (id) ON DELETE CASCADE,
  start INTEGER NOT NULL CHECK (start >= 0),
  "end" INTEGER NOT NULL CHECK ("end" > start),
  crc32 INTEGER NOT NULL CHECK (crc32 BETWEEN 0 AND 4294967295),
  PRIMARY KEY (generation_id, start)
) STRICT, WITHOUT ROWID;
INSERT INTO chunk_checksums (generation_id, start, "end", crc32)
SELECT cells.generation_id, cells.start, MIN(cells.start + 2097152, cells.file_end), cells.crc32
FROM (
  SELECT
    cell_checksums.generation_id,
    chunk_index * 2097152 AS start,
    crc32,
    COALESCE(
      cache_generations.total_bytes,
      (SELECT MAX("end") FROM cache_chunks WHERE cache_chunks.generation_id = cache_generations.id)
    ) AS file_end
  FROM cell_checksums JOIN cache_generations ON cache_generations.id = cell_checksums.generation_id
) AS cells
WHERE cells.file_end > cells.start;
DROP TABLE cell_checksums;

-- When the origin last said that this is its version, and when all its bytes were last compared with their checksums.
ALTER TABLE cache_generations ADD COLUMN checked_at INTEGER;
ALTER TABLE cache_generations ADD COLUMN verified_at INTEGER;
CREATE INDEX cache_generations_verified ON cache_generations (verified_at, id);

-- A pinned entry is never evicted. The origin's last refusal of this one file; null once it gave it again.
ALTER TABLE cache_entries ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));
ALTER TABLE cache_entries ADD COLUMN missing_since INTEGER;
ALTER TABLE cache_entries ADD COLUMN missing_reason TEXT;
CREATE INDEX cache_entries_eviction ON cache_entries (last_used_at, id) WHERE pinned = 0;

ALTER TABLE sources ADD COLUMN failing_since INTEGER;

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
