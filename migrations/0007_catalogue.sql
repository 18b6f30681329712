-- What sources were seen to hold: how far each was gone through, its folders, and the files of each folder.

-- One row per source that was ever gone through. A round is one time through it.
CREATE TABLE catalogue_syncs (
  source_id INTEGER PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
  round INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('idle', 'running', 'failed')),
  started_at INTEGER NOT NULL,
  -- The last time that it was gone through to the end; null when never.
  finished_at INTEGER,
  -- Of the round: files seen, new ones, other versions, names and folders that could not be read.
  seen INTEGER NOT NULL DEFAULT 0,
  added INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  -- Files that are marked as gone now, in whichever round that was.
  missing INTEGER NOT NULL DEFAULT 0,
  -- Files seen in the last round that came to its end; null before.
  total INTEGER,
  error_code TEXT,
  error_text TEXT,
  error_hint TEXT
) STRICT;

-- Folders, or what a source of another kind has in their place. Those that the round has still to read are what a
-- sync goes on with after a stop.
CREATE TABLE catalogue_folders (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  -- The folder whose listing names it; null for the source itself.
  parent_id INTEGER,
  path TEXT NOT NULL,
  depth INTEGER NOT NULL,
  due_round INTEGER NOT NULL,
  read_round INTEGER NOT NULL DEFAULT 0,
  -- When all of it was last read, and what the source said of its version then.
  read_at INTEGER,
  etag TEXT,
  last_modified TEXT,
  -- Of the beginning of its listing: a link to a folder above it reads the same.
  fingerprint TEXT,
  -- Round in which it first came back empty although it held something.
  emptied_round INTEGER,
  -- Not in its parent's listing any more, in the round that it is due in.
  doubted INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
  gone_since INTEGER,
  UNIQUE (source_id, path)
) STRICT;
CREATE INDEX catalogue_folders_due ON catalogue_folders (source_id, id) WHERE due_round > read_round;
CREATE INDEX catalogue_folders_parent ON catalogue_folders (parent_id, id);

-- Where the sync found it, what it said of its version, and since when it is not there any more.
ALTER TABLE cache_quality_variants ADD COLUMN folder_id INTEGER REFERENCES catalogue_folders (id) ON DELETE SET NULL;
ALTER TABLE cache_quality_variants ADD COLUMN stamp TEXT;
ALTER TABLE cache_quality_variants ADD COLUMN missing_since INTEGER;
CREATE INDEX cache_quality_variants_folder ON cache_quality_variants (folder_id, id);
CREATE INDEX cache_quality_variants_missing ON cache_quality_variants (media_id) WHERE missing_since IS NOT NULL;

-- As before, and missing as well when none of its qualities is in the listings any more.
DROP TRIGGER media_recounted;
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
      MAX(
        COALESCE(MAX(missing_since IS NOT NULL), 0),
        COALESCE(
          (SELECT MIN(missing_since IS NOT NULL) FROM cache_quality_variants WHERE media_id = NEW.media_id), 0)
      ) AS missing
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
CREATE TRIGGER cache_quality_variants_marked AFTER UPDATE OF missing_since ON cache_quality_variants
WHEN (NEW.missing_since IS NULL) <> (OLD.missing_since IS NULL) BEGIN
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
