/** What every page and every live update needs besides its own data. */
export type PageContext = {
  /** Prefix of every address on the page: '' or '/a/b', never with a slash at the end. */
  basePath: string;
  /** What players have to type before '/s/…': 'http://nas:8420' plus the base path, no slash at the end. */
  serverAddress: string;
  /** Under which players find us: not that of this machine alone, where the visitor uses that and there is another. */
  playerAddress: string;
  /** Path and query of this page below the base path, such as '/library?q=film'. */
  path: string;
  /** Another one each time: what stands in a form makes a double click act once. */
  formId: string;
  /** Goes behind every asset's address, so that assets may be cached for ever. */
  assetVersion: string;
  /** The moment that the page describes, in ms since the epoch. */
  nowMs: number;
  /** The visitor's, as an IANA name; UTC until the browser has told. */
  timeZone: string;
  /** Who looks at it; null before the sign-in. */
  visitor: Visitor | null;
  theme: 'auto' | 'light' | 'dark';
};

export type Visitor = {
  name: string;
  role: 'owner' | 'viewer';
  /** Whether keys may do something by themselves, such as `/`. */
  shortcuts: boolean;
};
