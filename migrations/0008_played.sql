-- When something was last played, apart from when it was last used: a fetch uses an entry as well, and keeps it from
-- being the first to make room, but is no play. Null: never.
ALTER TABLE cache_entries ADD COLUMN last_played_at INTEGER;
UPDATE cache_entries SET last_played_at = last_used_at WHERE use_count > 0;

-- `last_used_at` of an item is what "Last played" sorts by: plays only.
DROP TRIGGER cache_entries_added;
DROP TRIGGER cache_entries_used;
UPDATE media_statistics SET last_used_at = 0
WHERE last_used_at > 0 AND media_id IN (SELECT media_id FROM cache_entries);
UPDATE media_statistics SET last_used_at = found.played_at
FROM (
  SELECT media_id, MAX(last_played_at) AS played_at FROM cache_entries
  WHERE last_played_at IS NOT NULL GROUP BY media_id
) AS found
WHERE media_statistics.media_id = found.media_id;
CREATE TRIGGER cache_entries_added AFTER INSERT ON cache_entries BEGIN
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
CREATE TRIGGER cache_entries_played AFTER UPDATE OF last_played_at ON cache_entries
WHEN NEW.last_played_at IS NOT NULL BEGIN
  UPDATE media_statistics SET last_used_at = NEW.last_played_at
  WHERE media_id = NEW.media_id AND last_used_at < NEW.last_played_at;
END;
