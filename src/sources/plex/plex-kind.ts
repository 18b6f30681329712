// Sources of the kind `plex`: a Plex Media Server, by its address and a token.
import type { CatalogueKindDefinition } from '../media-source.ts';
import { parsePlexCredentials, parsePlexOptions, parsePlexUrl } from './plex-settings.ts';
import { PlexSource } from './plex-source.ts';
import { tryPlexSignIn } from './plex-trial.ts';

export const plexKind: CatalogueKindDefinition = {
  kind: 'plex',
  parseUrl: parsePlexUrl,
  parseCredentials: parsePlexCredentials,
  credentialKind: (credentials) => (credentials === null ? 'none' : 'token'),
  parseOptions: parsePlexOptions,
  create: (id, name, target, services) => new PlexSource(id, name, target, services),
  trySignIn: tryPlexSignIn,
};
