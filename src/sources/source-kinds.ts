// All kinds of sources. Those that need more than HTTP are loaded when there is a source of them: an appliance without
// one starts without their code.
import { LarderError } from '../errors.ts';
import { createHttpKind } from './http-kind.ts';
import type { HttpListings } from './http-listings.ts';
import type { SourceKind, SourceKindDefinition } from './media-source.ts';

export type FindKind = (kind: SourceKind) => Promise<SourceKindDefinition>;

export function createSourceKinds(listings: HttpListings): FindKind {
  const http = createHttpKind(listings);
  return async (kind) => {
    if (kind === 'http') return http;
    if (kind === 'plex') return (await import('./plex/plex-kind.ts')).plexKind;
    if (kind === 'stremio') return (await import('./stremio/stremio-kind.ts')).stremioKind;
    throw new LarderError('invalid', `sources of kind ${kind} are not known here`, { hint: 'choose http' });
  };
}
