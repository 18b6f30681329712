// How a Stremio add-on is set up as a source: by the address of its manifest, whose path is kept as a secret.
import type { CatalogueKindDefinition, SourceCredentials } from '../media-source.ts';
import { parseAddonCredentials, parseAddonUrl } from './addon-address.ts';
import { parseStremioOptions } from './stremio-options.ts';
import { StremioSource } from './stremio-source.ts';
import { tryAddon } from './stremio-trial.ts';

export const stremioKind: CatalogueKindDefinition = {
  kind: 'stremio',
  parseUrl: parseAddonUrl,
  parseCredentials: parseAddonCredentials,
  credentialKind: (credentials: SourceCredentials | null) => (credentials === null ? 'none' : 'manifest address'),
  parseOptions: (value, before) => parseStremioOptions(value, before),
  create: (id, name, target, services) => new StremioSource(id, name, target, services),
  trySignIn: tryAddon,
};
