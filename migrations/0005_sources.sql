-- Sources that are added, changed and removed while Larder runs: their sealed credentials, their options, what their
-- last test said, and what removing one would lose.

ALTER TABLE sources ADD COLUMN credentials TEXT;
ALTER TABLE sources ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sources ADD COLUMN tested_at INTEGER;
ALTER TABLE sources ADD COLUMN test_result TEXT;
-- Set when the owner removed it: its name is free again, its bytes go entry by entry, and it goes with the last.
ALTER TABLE sources ADD COLUMN removed_at INTEGER;

-- One row per source, kept true by the triggers below.
CREATE TABLE source_statistics (
  source_id INTEGER PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
  item_count INTEGER NOT NULL DEFAULT 0 CHECK (item_count >= 0),
  entry_count INTEGER NOT NULL DEFAULT 0 CHECK (entry_count >= 0),
  pinned_count INTEGER NOT NULL DEFAULT 0 CHECK (pinned_count >= 0),
  cached_bytes INTEGER NOT NULL DEFAULT 0 CHECK (cached_bytes >= 0)
) STRICT;

INSERT INTO source_statistics (source_id, item_count, entry_count, pinned_count, cached_bytes)
SELECT
  sources.id,
  (SELECT COUNT(*) FROM media_items WHERE media_items.source_id = sources.id),
  (SELECT COUNT(*) FROM cache_entries WHERE cache_entries.source_id = sources.id),
  (SELECT COUNT(*) FROM cache_entries WHERE cache_entries.source_id = sources.id AND pinned = 1),
  (
    SELECT COALESCE(SUM(cache_chunks."end" - cache_chunks.start), 0)
    FROM cache_entries
    JOIN cache_generations ON cache_generations.entry_id = cache_entries.id
    JOIN cache_chunks ON cache_chunks.generation_id = cache_generations.id
    WHERE cache_entries.source_id = sources.id
  )
FROM sources;

CREATE TRIGGER source_statistics_made AFTER INSERT ON sources BEGIN
  INSERT INTO source_statistics (source_id) VALUES (NEW.id);
END;

CREATE TRIGGER source_items_counted AFTER INSERT ON media_items BEGIN
  UPDATE source_statistics SET item_count = item_count + 1 WHERE source_id = NEW.source_id;
END;
CREATE TRIGGER source_items_uncounted AFTER DELETE ON media_items BEGIN
  UPDATE source_statistics SET item_count = item_count - 1 WHERE source_id = OLD.source_id;
END;

CREATE TRIGGER source_entries_counted AFTER INSERT ON cache_entries BEGIN
  UPDATE source_statistics
  SET entry_count = entry_count + 1, pinned_count = pinned_count + NEW.pinned
  WHERE source_id = NEW.source_id;
END;
CREATE TRIGGER source_pins_counted AFTER UPDATE OF pinned ON cache_entries BEGIN
  UPDATE source_statistics SET pinned_count = pinned_count + NEW.pinned - OLD.pinned WHERE source_id = NEW.source_id;
END;

-- Deleting goes down from entry to generation to range, and what is above is gone when the triggers below it run. So
-- each level takes away what hangs below it before it goes itself, and finds nothing above it when it went first.
CREATE TRIGGER source_entries_uncounted BEFORE DELETE ON cache_entries BEGIN
  UPDATE source_statistics
  SET
    entry_count = entry_count - 1,
    pinned_count = pinned_count - OLD.pinned,
    cached_bytes = cached_bytes - (
      SELECT COALESCE(SUM(cache_chunks."end" - cache_chunks.start), 0)
      FROM cache_generations
      JOIN cache_chunks ON cache_chunks.generation_id = cache_generations.id
      WHERE cache_generations.entry_id = OLD.id
    )
  WHERE source_id = OLD.source_id;
END;
CREATE TRIGGER source_generations_uncounted BEFORE DELETE ON cache_generations BEGIN
  UPDATE source_statistics
  SET cached_bytes = cached_bytes - (
    SELECT COALESCE(SUM("end" - start), 0) FROM cache_chunks WHERE generation_id = OLD.id
  )
  WHERE source_id = (SELECT source_id FROM cache_entries WHERE id = OLD.entry_id);
END;
CREATE TRIGGER source_bytes_counted AFTER INSERT ON cache_chunks BEGIN
  UPDATE source_statistics SET cached_bytes = cached_bytes + (NEW."end" - NEW.start)
  WHERE source_id = (
    SELECT cache_entries.source_id FROM cache_generations
    JOIN cache_entries ON cache_entries.id = cache_generations.entry_id
    WHERE cache_generations.id = NEW.generation_id
  );
END;
CREATE TRIGGER source_bytes_uncounted AFTER DELETE ON cache_chunks BEGIN
  UPDATE source_statistics SET cached_bytes = cached_bytes - (OLD."end" - OLD.start)
  WHERE source_id = (
    SELECT cache_entries.source_id FROM cache_generations
    JOIN cache_entries ON cache_entries.id = cache_generations.entry_id
    WHERE cache_generations.id = OLD.generation_id
  );
END;
CREATE TRIGGER source_bytes_recounted AFTER UPDATE ON cache_chunks BEGIN
  UPDATE source_statistics
  SET cached_bytes = cached_bytes + (NEW."end" - NEW.start) - (OLD."end" - OLD.start)
  WHERE source_id = (
    SELECT cache_entries.source_id FROM cache_generations
    JOIN cache_entries ON cache_entries.id = cache_generations.entry_id
    WHERE cache_generations.id = NEW.generation_id
  );
END;
