-- Who may come in: people, the browsers they are signed in with, and tokens for programs. Secrets are kept as digests.

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'viewer')),
  password_hash TEXT NOT NULL,
  preferences TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  password_changed_at INTEGER NOT NULL,
  last_sign_in_at INTEGER
) STRICT;
CREATE INDEX users_role ON users (role);

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device TEXT NOT NULL,
  address TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_last_seen ON sessions (last_seen_at);
CREATE INDEX sessions_created ON sessions (created_at);

-- A token that belongs to nobody was made on the command line, or by such a token.
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  name TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('admin', 'viewer', 'stream')),
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX tokens_user ON tokens (user_id, scope);

-- One row. Grows with whatever ends or changes a right, in whichever process: what is remembered of the tables above
-- is dropped then.
CREATE TABLE access_changes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO access_changes (id, version) VALUES (1, 0);

CREATE TRIGGER users_changed AFTER UPDATE OF name, role, preferences ON users BEGIN
  UPDATE access_changes SET version = version + 1;
END;
CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
  UPDATE access_changes SET version = version + 1;
END;
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions BEGIN
  UPDATE access_changes SET version = version + 1;
END;
CREATE TRIGGER tokens_changed AFTER UPDATE OF name, scope, expires_at ON tokens BEGIN
  UPDATE access_changes SET version = version + 1;
END;
CREATE TRIGGER tokens_removed AFTER DELETE ON tokens BEGIN
  UPDATE access_changes SET version = version + 1;
END;
