// All migrations in order, embedded in the binary. Forward only: never edit one that was released, add another.
import cache from './0001_cache.sql' with { type: 'text' };
import survival from './0002_survival.sql' with { type: 'text' };
import access from './0003_access.sql' with { type: 'text' };
import library from './0004_library.sql' with { type: 'text' };
import sources from './0005_sources.sql' with { type: 'text' };
import history from './0006_history.sql' with { type: 'text' };
import catalogue from './0007_catalogue.sql' with { type: 'text' };
import played from './0008_played.sql' with { type: 'text' };
import media from './0009_media.sql' with { type: 'text' };

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { version: 1, name: 'cache', sql: cache },
  { version: 2, name: 'survival', sql: survival },
  { version: 3, name: 'access', sql: access },
  { version: 4, name: 'library', sql: library },
  { version: 5, name: 'sources', sql: sources },
  { version: 6, name: 'history', sql: history },
  { version: 7, name: 'catalogue', sql: catalogue },
  { version: 8, name: 'played', sql: played },
  { version: 9, name: 'media', sql: media },
];
