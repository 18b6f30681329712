-- What the library lists: one row per media item that sorts and filters without touching its chunks, a count of each
-- kind of item, words to search, and bytes that were dropped and can still be brought back.

-- Folded by the program; null for a row that it has not seen yet.
ALTER TABLE media_items ADD COLUMN sort_title TEXT;
CREATE INDEX media_items_unfolded ON media_items (id) WHERE sort_title IS NULL;

-- Dropped by hand: hidden, first to make room, gone after a while. Playing it brings it back.
ALTER TABLE cache_entries ADD COLUMN removed_at INTEGER;
CREATE INDEX cache_entries_removed ON cache_entries (removed_at, id) WHERE removed_at IS NOT NULL;

-- Sum of its available ranges.
ALTER TABLE cache_generations ADD COLUMN cached_bytes INTEGER NOT NULL DEFAULT 0 CHECK (cached_bytes >= 0);
UPDATE cache_generations SET cached_bytes = COALESCE(
  (SELECT SUM("end" - start) FROM cache_chunks WHERE cache_chunks.generation_id = cache_generations.id), 0);

-- One row per media item. Its kept bytes are not in it: they change with every recorded range, and the few rows that
-- are shown add them up from their generations.
CREATE TABLE media_statistics (
  media_id INTEGER PRIMARY KEY REFERENCES media_items (id) ON DELETE CASCADE,
  source_id INTEGER NOT NULL,
  type TEXT NOT NULL,
  sort_title TEXT NOT NULL,
  -- Of its largest quality; 0 while unknown.
  size_bytes INTEGER NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
  -- whole: at least one quality is kept from start to end.
  availability TEXT NOT NULL DEFAULT 'none' CHECK (availability IN ('none', 'partly', 'whole')),
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  -- The origin says that it has a quality of it no more.
  missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
  -- 0: never. Stays when its entries go.
  last_used_at INTEGER NOT NULL DEFAULT 0,
  added_at INTEGER NOT NULL,
  -- All that can be filtered by in one number, so that any filter is a handful of runs in each index.
  facet INTEGER NOT NULL GENERATED ALWAYS AS (
    source_id * 128
    + CASE type
      WHEN 'movie' THEN 0 WHEN 'series' THEN 12 WHEN 'season' THEN 24 WHEN 'episode' THEN 36 WHEN 'album' THEN 48
      WHEN 'track' THEN 60 WHEN 'video' THEN 72 WHEN 'audio' THEN 84 ELSE 96 END
    + CASE availability WHEN 'none' THEN 0 WHEN 'partly' THEN 4 ELSE 8 END
    + pinned * 2
    + missing
  ) VIRTUAL
) STRICT;
CREATE INDEX media_statistics_used ON media_statistics (facet, last_used_at, media_id);
CREATE INDEX media_statistics_title ON media_statistics (facet, sort_title, media_id);
CREATE INDEX media_statistics_size ON media_statistics (facet, size_bytes, media_id);
CREATE INDEX media_statistics_added ON media_statistics (facet, added_at, media_id);

-- How many items there are of each facet: the count of any filter is a sum of these.
CREATE TABLE media_facets (
  facet INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL,
  type TEXT NOT NULL,
  availability TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  missing INTEGER NOT NULL,
  item_count INTEGER NOT NULL CHECK (item_count >= 0)
) STRICT;

CREATE TRIGGER media_statistics_counted AFTER INSERT ON media_statistics BEGIN
  INSERT INTO media_facets (facet, source_id, type, availability, pinned, missing, item_count)
  VALUES (NEW.facet, NEW.source_id, NEW.type, NEW.availability, NEW.pinned, NEW.missing, 1)
  ON CONFLICT (facet) DO UPDATE SET item_count = item_count + 1;
END;
CREATE TRIGGER media_statistics_uncounted AFTER DELETE ON media_statistics BEGIN
  UPDATE media_facets SET item_count = item_count - 1 WHERE facet = OLD.facet;
END;
CREATE TRIGGER media_statistics_recounted AFTER UPDATE OF source_id, type, availability, pinned, missing
ON media_statistics WHEN OLD.facet <> NEW.facet BEGIN
  UPDATE media_facets SET item_count = item_count - 1 WHERE facet = OLD.facet;
  INSERT INTO media_facets (facet, source_id, type, availability, pinned, missing, item_count)
  VALUES (NEW.facet, NEW.source_id, NEW.type, NEW.availability, NEW.pinned, NEW.missing, 1)
  ON CONFLICT (facet) DO UPDATE SET item_count = item_count + 1;
END;

-- Title, year, and for a file of an HTTP source the folders it lies in.
CREATE VIRTUAL TABLE media_search USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

-- A procedure: inserting a media item's id brings what of its row follows from its entries up to date.
CREATE VIEW media_recount AS SELECT 0 AS media_id WHERE 0;
CREATE TRIGGER media_recounted INSTEAD OF INSERT ON media_recount BEGIN
  UPDATE media_statistics
  SET availability = found.availability, pinned = found.pinned, missing = found.missing
  FROM (
    SELECT
      CASE
        WHEN COALESCE(MAX(cached_bytes = total_bytes), 0) THEN 'whole'
        WHEN COALESCE(MAX(cached_bytes > 0), 0) THEN 'partly'
        ELSE 'none' END AS availability,
      COALESCE(MAX(pinned), 0) AS pinned,
      COALESCE(MAX(missing_since IS NOT NULL), 0) AS missing
    FROM cache_entries
    LEFT JOIN cache_generations
      ON cache_generations.entry_id = cache_entries.id AND cache_generations.superseded_at IS NULL
    WHERE cache_entries.media_id = NEW.media_id AND cache_entries.removed_at IS NULL
  ) AS found
  WHERE media_statistics.media_id = NEW.media_id
    -- Each of them stands in every index: nothing is written where nothing changes.
    AND (media_statistics.availability <> found.availability OR media_statistics.pinned <> found.pinned
      OR media_statistics.missing <> found.missing);
END;

-- Rows that are there already.
INSERT INTO media_statistics (media_id, source_id, type, sort_title, size_bytes, last_used_at, added_at)
SELECT id, source_id, type, LOWER(title),
  COALESCE((SELECT MAX(size_bytes) FROM cache_quality_variants WHERE media_id = media_items.id), 0),
  COALESCE((SELECT MAX(last_used_at) FROM cache_entries WHERE media_id = media_items.id), 0),
  created_at
FROM media_items;
INSERT INTO media_recount (media_id) SELECT id FROM media_items;
INSERT INTO media_search (rowid, words)
SELECT media_items.id,
  title || ' ' || COALESCE(year, '') || ' ' || CASE kind WHEN 'http' THEN REPLACE(key, '{quality}', ' ') ELSE '' END
FROM media_items JOIN sources ON sources.id = media_items.source_id;

CREATE TRIGGER media_items_added AFTER INSERT ON media_items BEGIN
  INSERT INTO media_statistics (media_id, source_id, type, sort_title, added_at)
  VALUES (NEW.id, NEW.source_id, NEW.type, COALESCE(NEW.sort_title, LOWER(NEW.title)), NEW.created_at);
  INSERT INTO media_search (rowid, words)
  SELECT NEW.id, NEW.title || ' ' || COALESCE(NEW.year, '') || ' '
    || CASE kind WHEN 'http' THEN REPLACE(NEW.key, '{quality}', ' ') ELSE '' END
  FROM sources WHERE id = NEW.source_id;
END;
CREATE TRIGGER media_items_renamed AFTER UPDATE OF title, year ON media_items
WHEN NEW.title <> OLD.title OR NEW.year IS NOT OLD.year BEGIN
  DELETE FROM media_search WHERE rowid = OLD.id;
  INSERT INTO media_search (rowid, words)
  SELECT NEW.id, NEW.title || ' ' || COALESCE(NEW.year, '') || ' '
    || CASE kind WHEN 'http' THEN REPLACE(NEW.key, '{quality}', ' ') ELSE '' END
  FROM sources WHERE id = NEW.source_id;
END;
CREATE TRIGGER media_items_resorted AFTER UPDATE OF title, sort_title, type ON media_items
WHEN NEW.title <> OLD.title OR NEW.sort_title IS NOT OLD.sort_title OR NEW.type <> OLD.type BEGIN
  UPDATE media_statistics SET sort_title = COALESCE(NEW.sort_title, LOWER(NEW.title)), type = NEW.type
  WHERE media_id = NEW.id;
END;
CREATE TRIGGER media_items_gone AFTER DELETE ON media_items BEGIN
  DELETE FROM media_search WHERE rowid = OLD.id;
END;

CREATE TRIGGER cache_quality_variants_added AFTER INSERT ON cache_quality_variants WHEN NEW.size_bytes IS NOT NULL BEGIN
  UPDATE media_statistics SET size_bytes = NEW.size_bytes
  WHERE media_id = NEW.media_id AND size_bytes < NEW.size_bytes;
END;
CREATE TRIGGER cache_quality_variants_sized AFTER UPDATE OF size_bytes ON cache_quality_variants
WHEN NEW.size_bytes IS NOT OLD.size_bytes BEGIN
  UPDATE media_statistics SET size_bytes = COALESCE(
    (SELECT MAX(size_bytes) FROM cache_quality_variants WHERE media_id = NEW.media_id), 0)
  WHERE media_id = NEW.media_id;
END;
CREATE TRIGGER cache_quality_variants_gone AFTER DELETE ON cache_quality_variants BEGIN
  UPDATE media_statistics SET size_bytes = COALESCE(
    (SELECT MAX(size_bytes) FROM cache_quality_variants WHERE media_id = OLD.media_id), 0)
  WHERE media_id = OLD.media_id;
END;

CREATE TRIGGER cache_entries_added AFTER INSERT ON cache_entries BEGIN
  UPDATE media_statistics SET last_used_at = NEW.last_used_at
  WHERE media_id = NEW.media_id AND last_used_at < NEW.last_used_at;
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
CREATE TRIGGER cache_entries_used AFTER UPDATE OF last_used_at ON cache_entries BEGIN
  UPDATE media_statistics SET last_used_at = NEW.last_used_at
  WHERE media_id = NEW.media_id AND last_used_at < NEW.last_used_at;
END;
CREATE TRIGGER cache_entries_marked AFTER UPDATE OF pinned, missing_since, removed_at ON cache_entries
WHEN NEW.pinned <> OLD.pinned OR (NEW.missing_since IS NULL) <> (OLD.missing_since IS NULL)
  OR (NEW.removed_at IS NULL) <> (OLD.removed_at IS NULL) BEGIN
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
CREATE TRIGGER cache_entries_gone AFTER DELETE ON cache_entries BEGIN
  INSERT INTO media_recount (media_id) VALUES (OLD.media_id);
END;

CREATE TRIGGER cache_generations_added AFTER INSERT ON cache_generations BEGIN
  INSERT INTO media_recount (media_id) SELECT media_id FROM cache_entries WHERE id = NEW.entry_id;
END;
CREATE TRIGGER cache_generations_changed AFTER UPDATE OF total_bytes, superseded_at ON cache_generations
WHEN NEW.total_bytes IS NOT OLD.total_bytes OR (NEW.superseded_at IS NULL) <> (OLD.superseded_at IS NULL) BEGIN
  INSERT INTO media_recount (media_id) SELECT media_id FROM cache_entries WHERE id = NEW.entry_id;
END;
CREATE TRIGGER cache_generations_measured AFTER UPDATE OF total_bytes ON cache_generations
WHEN NEW.total_bytes IS NOT NULL AND NEW.total_bytes IS NOT OLD.total_bytes BEGIN
  UPDATE cache_quality_variants SET size_bytes = NEW.total_bytes
  WHERE (media_id, quality) = (SELECT media_id, quality FROM cache_entries WHERE id = NEW.entry_id);
END;
CREATE TRIGGER cache_generations_gone AFTER DELETE ON cache_generations BEGIN
  INSERT INTO media_recount (media_id) SELECT media_id FROM cache_entries WHERE id = OLD.entry_id;
END;

-- No recount follows from these: a statement is compiled with all that its triggers could ever run, which would double
-- the price of every recorded range. Who changes ranges recounts in the same transaction, where the first byte came, or
-- the last, or some are there no more (src/db/generations.ts).
CREATE TRIGGER cache_chunks_summed AFTER INSERT ON cache_chunks BEGIN
  UPDATE cache_generations SET cached_bytes = cached_bytes + (NEW."end" - NEW.start) WHERE id = NEW.generation_id;
END;
CREATE TRIGGER cache_chunks_unsummed AFTER DELETE ON cache_chunks BEGIN
  UPDATE cache_generations SET cached_bytes = cached_bytes - (OLD."end" - OLD.start) WHERE id = OLD.generation_id;
END;
CREATE TRIGGER cache_chunks_resummed AFTER UPDATE ON cache_chunks BEGIN
  UPDATE cache_generations
  SET cached_bytes = cached_bytes + (NEW."end" - NEW.start) - (OLD."end" - OLD.start) WHERE id = NEW.generation_id;
END;
