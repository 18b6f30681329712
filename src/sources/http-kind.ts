// HTTP sources as one kind among others.
import { LarderError } from '../errors.ts';
import { credentialKind, type HttpCredentials, parseHttpCredentials } from './http-credentials.ts';
import type { HttpListings } from './http-listings.ts';
import { HttpSource, type HttpTarget, parseSourceUrl } from './http-source.ts';
import type { MediaSource, SourceKindDefinition } from './media-source.ts';

export function createHttpKind(listings: HttpListings): SourceKindDefinition {
  return {
    kind: 'http',
    parseUrl: parseSourceUrl,
    parseCredentials: parseHttpCredentials,
    credentialKind: (credentials) => credentialKind(credentials as HttpCredentials | null),
    parseOptions(value) {
      const [unknown] = Object.keys(value ?? {});
      if (unknown === undefined) return {};
      throw new LarderError('invalid', `an HTTP source has no option ${JSON.stringify(unknown.slice(0, 40))}`, {
        hint: 'leave it out',
      });
    },
    create: (id, name, target) => new HttpSource(id, name, target as HttpTarget, listings),
  };
}

/** Whether it is a base URL with folders, not a catalogue. */
export function isHttpSource(source: MediaSource | undefined): source is HttpSource {
  return source instanceof HttpSource;
}
