// What sources stand on, in tests: a real client, a catalogue that is given, and ids that count up.
import { type Clock, systemClock } from '../../src/clock.ts';
import { CatalogueTable } from '../../src/db/catalogue.ts';
import { MediaTable } from '../../src/db/media.ts';
import { MediaCatalogue } from '../../src/library/media-catalogue.ts';
import { createLog } from '../../src/log.ts';
import { HttpListings } from '../../src/sources/http-listings.ts';
import type { KnownCatalogue, SourceServices } from '../../src/sources/media-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { createSourceKinds, type FindKind } from '../../src/sources/source-kinds.ts';
import type { CacheDatabase } from './cache-database.ts';

/** Knows nothing, and keeps nothing. */
export const emptyCatalogue: KnownCatalogue = {
  findQuality: () => Promise.resolve(null),
  noteItem: () => Promise.resolve(),
};

export function sourceServices(details: Partial<SourceServices> = {}): SourceServices {
  const clock = details.clock ?? systemClock;
  let lastId = 0;
  return {
    client: new OriginClient(clock),
    catalogue: emptyCatalogue,
    ownPort: () => 0,
    version: '1.2.3',
    randomId: () => `id${++lastId}`,
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() }),
    ...details,
  };
}

export function allKinds(services: SourceServices = sourceServices()): FindKind {
  return createSourceKinds(new HttpListings(services));
}

/** The catalogue as it stands in a database. */
export function catalogueOf({ database: { tables } }: CacheDatabase, clock: Clock): MediaCatalogue {
  return new MediaCatalogue({ media: new MediaTable(tables), files: new CatalogueTable(tables), clock });
}
