-- What a media item is apart from its files, and what a source tells of each of its qualities.

-- Of a season the series, of an episode its season, of a track its album.
ALTER TABLE media_items ADD COLUMN parent_id INTEGER REFERENCES media_items (id) ON DELETE SET NULL;
ALTER TABLE media_items ADD COLUMN season INTEGER;
ALTER TABLE media_items ADD COLUMN episode INTEGER;
ALTER TABLE media_items ADD COLUMN duration_ms INTEGER CHECK (duration_ms >= 0);
ALTER TABLE media_items ADD COLUMN overview TEXT;
-- Where its picture is at its source, without secrets.
ALTER TABLE media_items ADD COLUMN artwork TEXT;
-- Of what its source said of it: what reads the same is not written again.
ALTER TABLE media_items ADD COLUMN fingerprint TEXT;
-- When its source was last asked for this one item with all that is below it; null when never.
ALTER TABLE media_items ADD COLUMN read_at INTEGER;
CREATE INDEX media_items_parent ON media_items (parent_id, season, episode, id);

-- Ids that other catalogues know it by (`imdb:tt0111161`): the same film of two sources has the same.
CREATE TABLE media_ids (
  id TEXT NOT NULL,
  media_id INTEGER NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  PRIMARY KEY (id, media_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_ids_media ON media_ids (media_id);

-- Subtitles in files of their own, numbered from 1 within their item.
CREATE TABLE media_subtitles (
  media_id INTEGER NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number > 0),
  language TEXT,
  title TEXT,
  format TEXT NOT NULL,
  locator TEXT NOT NULL,
  forced INTEGER NOT NULL CHECK (forced IN (0, 1)),
  PRIMARY KEY (media_id, number)
) STRICT, WITHOUT ROWID;

-- What its source needs to find the bytes again, without hosts and secrets.
ALTER TABLE cache_quality_variants ADD COLUMN locator TEXT;
ALTER TABLE cache_quality_variants ADD COLUMN width INTEGER;
ALTER TABLE cache_quality_variants ADD COLUMN height INTEGER;
-- All streams together, in bit/s.
ALTER TABLE cache_quality_variants ADD COLUMN bitrate INTEGER;
ALTER TABLE cache_quality_variants ADD COLUMN video_codec TEXT;
ALTER TABLE cache_quality_variants ADD COLUMN audio_codec TEXT;
-- growing: converted as it comes, without a length until it is whole. hls: a playlist with pieces.
ALTER TABLE cache_quality_variants ADD COLUMN delivery TEXT NOT NULL DEFAULT 'file'
  CHECK (delivery IN ('file', 'growing', 'hls'));
-- Why it cannot be played through Larder; null where it can.
ALTER TABLE cache_quality_variants ADD COLUMN refusal TEXT;

-- Files of a folder that are gone from there, to count those that are not.
CREATE INDEX cache_quality_variants_gone ON cache_quality_variants (folder_id) WHERE missing_since IS NOT NULL;

-- Playlists of HLS qualities that will not change, with names in place of addresses: what is kept of them plays when
-- their source is away. `name` is empty for the first one, `m0` and so on for those that it points to.
CREATE TABLE media_playlists (
  media_id INTEGER NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  quality TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('master', 'media')),
  body TEXT NOT NULL,
  signature TEXT NOT NULL,
  -- Files that it points to; 0 for a master.
  piece_count INTEGER NOT NULL CHECK (piece_count >= 0),
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (media_id, quality, name)
) STRICT, WITHOUT ROWID;

-- All files of a playlist were fetched by a download, and none of them has gone since.
ALTER TABLE cache_entries ADD COLUMN pieces_whole INTEGER NOT NULL DEFAULT 0 CHECK (pieces_whole IN (0, 1));

-- As before, without what lies beside a film (`~poster`, `~sub-1`, `720p~seg-12`): a picture that is here whole says
-- nothing of the film.
DROP TRIGGER media_recounted;
CREATE TRIGGER media_recounted INSTEAD OF INSERT ON media_recount BEGIN
  UPDATE media_statistics
  SET availability = found.availability, pinned = found.pinned, missing = found.missing
  FROM (
    SELECT
      CASE
        WHEN COALESCE(MAX(instr(quality, '~') = 0 AND cached_bytes = total_bytes), 0) OR COALESCE(MAX(pieces_whole), 0) THEN 'whole'
        WHEN COALESCE(MAX(cached_bytes > 0), 0) THEN 'partly'
        ELSE 'none' END AS availability,
      COALESCE(MAX(pinned), 0) AS pinned,
      MAX(
        COALESCE(MAX(missing_since IS NOT NULL), 0),
        COALESCE(
          (SELECT MIN(missing_since IS NOT NULL) FROM cache_quality_variants
            WHERE media_id = NEW.media_id AND instr(quality, '~') = 0), 0)
      ) AS missing
    FROM cache_entries
    LEFT JOIN cache_generations
      ON cache_generations.entry_id = cache_entries.id AND cache_generations.superseded_at IS NULL
    WHERE cache_entries.media_id = NEW.media_id AND cache_entries.removed_at IS NULL
      AND substr(cache_entries.quality, 1, 1) <> '~'
  ) AS found
  WHERE media_statistics.media_id = NEW.media_id
    -- Each of them stands in every index: nothing is written where nothing changes.
    AND (media_statistics.availability <> found.availability OR media_statistics.pinned <> found.pinned
      OR media_statistics.missing <> found.missing);
END;

CREATE TRIGGER cache_entries_pieces_counted AFTER UPDATE OF pieces_whole ON cache_entries
WHEN NEW.pieces_whole <> OLD.pieces_whole BEGIN
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
-- A piece went, or some of it: the playlist is not here whole any more.
CREATE TRIGGER cache_entries_piece_gone AFTER DELETE ON cache_entries WHEN instr(OLD.quality, '~') > 1 BEGIN
  UPDATE cache_entries SET pieces_whole = 0
  WHERE source_id = OLD.source_id AND media_id = OLD.media_id
    AND quality = substr(OLD.quality, 1, instr(OLD.quality, '~') - 1) AND pieces_whole = 1;
  INSERT INTO media_recount (media_id)
  SELECT OLD.media_id WHERE NOT EXISTS (
    SELECT 1 FROM cache_entries WHERE media_id = OLD.media_id AND instr(quality, '~') > 1);
END;
CREATE TRIGGER cache_generations_piece_lost AFTER UPDATE OF cached_bytes ON cache_generations
WHEN NEW.cached_bytes < OLD.cached_bytes BEGIN
  UPDATE cache_entries SET pieces_whole = 0
  FROM (
    SELECT source_id, media_id, quality FROM cache_entries WHERE id = NEW.entry_id AND instr(quality, '~') > 1
  ) AS piece
  WHERE cache_entries.source_id = piece.source_id AND cache_entries.media_id = piece.media_id
    AND cache_entries.quality = substr(piece.quality, 1, instr(piece.quality, '~') - 1)
    AND cache_entries.pieces_whole = 1;
END;

-- It is cut otherwise now: pieces of the old cut are none of it.
CREATE TRIGGER media_playlists_recut AFTER UPDATE OF signature ON media_playlists
WHEN NEW.signature <> OLD.signature BEGIN
  UPDATE cache_entries SET pieces_whole = 0
  WHERE media_id = NEW.media_id AND quality = NEW.quality AND pieces_whole = 1;
END;
-- Pieces go with their playlist: whatever made one of them (also an adoption of files, and a player that outlived an
-- eviction), there is one to go with.
CREATE TRIGGER cache_entries_piece_made AFTER INSERT ON cache_entries WHEN instr(NEW.quality, '~') > 1 BEGIN
  INSERT INTO cache_entries (source_id, media_id, quality, created_at, last_used_at)
  VALUES (NEW.source_id, NEW.media_id, substr(NEW.quality, 1, instr(NEW.quality, '~') - 1), NEW.created_at,
    NEW.last_used_at)
  ON CONFLICT (source_id, media_id, quality) DO NOTHING;
END;
-- Its path is that of the piece with the other quality in it (src/sources/catalogue-path.ts).
CREATE TRIGGER cache_quality_variants_piece_made AFTER INSERT ON cache_quality_variants
WHEN instr(NEW.quality, '~') > 1 BEGIN
  INSERT INTO cache_quality_variants (media_id, quality, path, container, delivery, discovered_at)
  VALUES (
    NEW.media_id,
    substr(NEW.quality, 1, instr(NEW.quality, '~') - 1),
    substr(NEW.path, 1, length(NEW.path) - length(NEW.quality) - length(COALESCE('.' || NEW.container, '')))
      || substr(NEW.quality, 1, instr(NEW.quality, '~') - 1) || '.m3u8',
    'm3u8', 'hls', NEW.discovered_at)
  ON CONFLICT (media_id, quality) DO NOTHING;
END;

-- What is evicted, and what was used last, is looked for among what is no piece.
DROP INDEX cache_entries_eviction;
CREATE INDEX cache_entries_eviction ON cache_entries (last_used_at, id) WHERE pinned = 0 AND instr(quality, '~') < 2;
DROP INDEX cache_entries_last_used;
CREATE INDEX cache_entries_last_used ON cache_entries (last_used_at, id) WHERE instr(quality, '~') < 2;

-- As before, but not for pieces: a film has more than a thousand, and each count looks at all of them. Where the first
-- of its bytes came, or the last, is counted as before (src/db/generations.ts).
DROP TRIGGER cache_entries_added;
CREATE TRIGGER cache_entries_added AFTER INSERT ON cache_entries WHEN instr(NEW.quality, '~') < 2 BEGIN
  INSERT INTO media_recount (media_id) VALUES (NEW.media_id);
END;
DROP TRIGGER cache_entries_gone;
CREATE TRIGGER cache_entries_gone AFTER DELETE ON cache_entries WHEN instr(OLD.quality, '~') < 2 BEGIN
  INSERT INTO media_recount (media_id) VALUES (OLD.media_id);
END;
DROP TRIGGER cache_generations_added;
CREATE TRIGGER cache_generations_added AFTER INSERT ON cache_generations BEGIN
  INSERT INTO media_recount (media_id)
  SELECT media_id FROM cache_entries WHERE id = NEW.entry_id AND instr(quality, '~') < 2;
END;
DROP TRIGGER cache_generations_changed;
CREATE TRIGGER cache_generations_changed AFTER UPDATE OF total_bytes, superseded_at ON cache_generations
WHEN NEW.total_bytes IS NOT OLD.total_bytes OR (NEW.superseded_at IS NULL) <> (OLD.superseded_at IS NULL) BEGIN
  INSERT INTO media_recount (media_id)
  SELECT media_id FROM cache_entries WHERE id = NEW.entry_id AND instr(quality, '~') < 2;
END;
DROP TRIGGER cache_generations_gone;
CREATE TRIGGER cache_generations_gone AFTER DELETE ON cache_generations BEGIN
  INSERT INTO media_recount (media_id)
  SELECT media_id FROM cache_entries WHERE id = OLD.entry_id AND instr(quality, '~') < 2;
END;

-- Words by which an item is found: an episode by the name of its series as well, a track by that of its album.
CREATE VIEW media_words AS
SELECT item.id AS media_id, item.title || ' ' || COALESCE(item.year, '') || ' '
  || CASE kind WHEN 'http' THEN REPLACE(item.key, '{quality}', ' ') ELSE '' END
  || ' ' || COALESCE((
    SELECT parent.title || ' ' || COALESCE(above.title, '')
    FROM media_items AS parent LEFT JOIN media_items AS above ON above.id = parent.parent_id
    WHERE parent.id = item.parent_id), '') AS words
FROM media_items AS item JOIN sources ON sources.id = item.source_id;

-- A procedure: inserting a media item's id writes its words anew.
CREATE VIEW media_reindex AS SELECT 0 AS media_id WHERE 0;
CREATE TRIGGER media_reindexed INSTEAD OF INSERT ON media_reindex BEGIN
  DELETE FROM media_search WHERE rowid = NEW.media_id;
  INSERT INTO media_search (rowid, words) SELECT media_id, words FROM media_words WHERE media_id = NEW.media_id;
END;
DROP TRIGGER media_items_added;
DROP TRIGGER media_items_renamed;
CREATE TRIGGER media_items_added AFTER INSERT ON media_items BEGIN
  INSERT INTO media_statistics (media_id, source_id, type, sort_title, added_at)
  VALUES (NEW.id, NEW.source_id, NEW.type, COALESCE(NEW.sort_title, LOWER(NEW.title)), NEW.created_at);
  INSERT INTO media_search (rowid, words) SELECT media_id, words FROM media_words WHERE media_id = NEW.id;
END;
CREATE TRIGGER media_items_renamed AFTER UPDATE OF title, year, parent_id ON media_items
WHEN NEW.title <> OLD.title OR NEW.year IS NOT OLD.year OR NEW.parent_id IS NOT OLD.parent_id BEGIN
  INSERT INTO media_reindex (media_id) VALUES (NEW.id);
  INSERT INTO media_reindex (media_id) SELECT id FROM media_items WHERE parent_id = NEW.id;
  INSERT INTO media_reindex (media_id)
  SELECT below.id FROM media_items AS child JOIN media_items AS below ON below.parent_id = child.id
  WHERE child.parent_id = NEW.id;
END;

-- As before, without pictures and subtitles: who looks at a poster plays nothing.
DROP TRIGGER cache_entries_played;
CREATE TRIGGER cache_entries_played AFTER UPDATE OF last_played_at ON cache_entries
WHEN NEW.last_played_at IS NOT NULL AND substr(NEW.quality, 1, 1) <> '~' BEGIN
  UPDATE media_statistics SET last_used_at = NEW.last_played_at
  WHERE media_id = NEW.media_id AND last_used_at < NEW.last_played_at;
END;
