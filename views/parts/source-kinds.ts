// What kinds of sources there are, in words for people, and what each is asked for.

export type SourceKind = 'http' | 'jellyfin' | 'plex' | 'stremio';

/** `code`: by a code that is confirmed elsewhere. */
export type SignIn = 'none' | 'keep' | 'password' | 'token' | 'headers' | 'certificate' | 'apiKey' | 'code';

export type SourceKindWords = {
  name: string;
  /** What it is, for who has to choose. */
  what: string;
  addressHint: string;
  addressExample: string;
  addressLabel: string;
  /** Ways to sign in, the first of them chosen until another one is. */
  signIns: readonly Exclude<SignIn, 'keep'>[];
  /** It can convert what it has to lower qualities. */
  converts: boolean;
  /** What it holds, as the count of it goes on. */
  things: readonly [string, string];
};

export const sourceKinds: Readonly<Record<SourceKind, SourceKindWords>> = {
  http: {
    name: 'Web server or WebDAV folder',
    what: 'Files in folders: a file server, a seedbox, a NAS.',
    addressLabel: 'Address',
    addressHint: 'The folder that holds the files, over http or https.',
    addressExample: 'https://host/films/',
    signIns: ['none', 'password', 'token', 'headers', 'certificate'],
    converts: false,
    things: ['file', 'files'],
  },
  jellyfin: {
    name: 'Jellyfin',
    what: 'A Jellyfin server, with its libraries and posters.',
    addressLabel: 'Address',
    addressHint: 'As you open Jellyfin in a browser.',
    addressExample: 'http://nas:8096',
    signIns: ['password', 'apiKey', 'code'],
    converts: true,
    things: ['film, episode or track', 'films, episodes and tracks'],
  },
  plex: {
    name: 'Plex',
    what: 'A Plex Media Server, with its libraries and posters.',
    addressLabel: 'Address',
    addressHint: 'Of the server itself, not of plex.tv.',
    addressExample: 'http://nas:32400',
    signIns: ['token', 'code'],
    converts: true,
    things: ['film, episode or track', 'films, episodes and tracks'],
  },
  stremio: {
    name: 'Stremio add-on',
    what: 'An add-on that lists films and says where they are.',
    addressLabel: 'Manifest address',
    addressHint:
      'The link of the add-on, which ends in /manifest.json. It is kept as a secret: only its host is shown again.',
    addressExample: 'https://host/manifest.json',
    signIns: [],
    converts: false,
    things: ['film or episode', 'films and episodes'],
  },
};

export function isSourceKind(text: string | undefined): text is SourceKind {
  return text !== undefined && Object.hasOwn(sourceKinds, text);
}

/** Ways to convert, and what each means. */
export const transcodeWays = [
  ['growing', 'One growing file', 'Plays in every player; skipping ahead waits until that much has come.'],
  ['hls', 'HLS playlist', 'Skips at once; needs a player that knows playlists, as most do.'],
  ['off', 'Never convert', 'Only what the server has as a file is offered.'],
] as const;

/** Steps below the original, and what each has unless another bit rate is chosen, in Mbit/s. */
export const ladderSteps = [
  ['1080p', 8],
  ['720p', 4],
  ['480p', 2],
  ['360p', 1],
] as const;
