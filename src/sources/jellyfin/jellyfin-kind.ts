// Sources of the kind `jellyfin`: Jellyfin 10.9 and later.
import type { CatalogueKindDefinition } from '../media-source.ts';
import { parseJellyfinUrl } from './jellyfin-address.ts';
import { jellyfinCredentialKind, parseJellyfinCredentials } from './jellyfin-credentials.ts';
import { parseJellyfinOptions } from './jellyfin-options.ts';
import { JellyfinSource } from './jellyfin-source.ts';
import { tryJellyfinSignIn } from './sign-in-trial.ts';

export const jellyfinKind: CatalogueKindDefinition = {
  kind: 'jellyfin',
  parseUrl: (text) => ({ url: parseJellyfinUrl(text), credentials: null }),
  parseCredentials: parseJellyfinCredentials,
  credentialKind: (credentials) => jellyfinCredentialKind(parseJellyfinCredentials(credentials)),
  parseOptions: parseJellyfinOptions,
  create: (id, name, target, services) => new JellyfinSource(id, name, target, services),
  trySignIn: tryJellyfinSignIn,
};
