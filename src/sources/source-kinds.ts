// All kinds of sources. Those that need more than HTTP are loaded when there is a source of them: an appliance without
// one starts without their code.
import { createHttpKind } from './http-kind.ts';
import type { HttpListings } from './http-listings.ts';
import type { SourceKind, SourceKindDefinition } from './media-source.ts';

export type FindKind = (kind: SourceKind) => Promise<SourceKindDefinition>;

export function createSourceKinds(listings: HttpListings): FindKind {
  const http = createHttpKind(listings);
  return async (kind) => {
    switch (kind) {
      case 'http':
        return http;
      case 'jellyfin':
        return (await import('./jellyfin/jellyfin-kind.ts')).jellyfinKind;
      case 'plex':
        return (await import('./plex/plex-kind.ts')).plexKind;
      case 'stremio':
        return (await import('./stremio/stremio-kind.ts')).stremioKind;
    }
  };
}
