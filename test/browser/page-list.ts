// Every page there is, for the checks that each page must pass (every-page.test.ts). Add yours by one line; a page that
// is registered and not here fails that test.
import type { RunningLarder } from '../http/running-larder.ts';

export interface PageUnderTest {
  /** As it is registered, such as `/items/:id`. */
  readonly route: string;
  /** Where to look, when it differs from `route`: a parameter filled in, a filter. */
  readonly path?: (larder: RunningLarder) => string | Promise<string>;
  /** What makes this look different from others of the same route, for the name of its picture. */
  readonly look?: string;
  /** Kept true by the event stream. */
  readonly live?: boolean;
  /** As nobody: a page that is shown without sign-in. */
  readonly asNobody?: boolean;
}

export const pageList: readonly PageUnderTest[] = [
  { route: '/', live: true },
  { route: '/sources', live: true },
  { route: '/sources/new' },
  { route: '/sources/new', path: () => '/sources/new?kind=jellyfin', look: 'jellyfin' },
  { route: '/sources/new', path: () => '/sources/new?kind=plex', look: 'plex' },
  { route: '/sources/new', path: () => '/sources/new?kind=stremio', look: 'stremio' },
  { route: '/sources/:name', path: () => '/sources/films', live: true },
  { route: '/library', live: true },
  { route: '/library', path: () => '/library?view=grid', look: 'grid', live: true },
  { route: '/library', path: () => '/library?q=nothing+has+this', look: 'none' },
  { route: '/library/selection', path: () => '/library/selection?all=1' },
  { route: '/items/:id', path: () => '/items/1', live: true },
  { route: '/settings' },
  { route: '/connect' },
  { route: '/doctor' },
  { route: '/about' },
  { route: '/about/licences' },
  { route: '/help' },
  { route: '/', look: 'hour', path: () => '/?range=hour', live: true },
  { route: '/activity', live: true },
  { route: '/storage', live: true },
  { route: '/storage', look: 'preview', path: () => '/storage?cacheSize=1MB' },
  { route: '/storage', look: 'wrong', path: () => '/storage?keepFree=lots' },
  { route: '/events', live: true },
  { route: '/events', look: 'none', path: () => '/events?q=nothing%20like%20this' },
  { route: '/log', live: true },
  { route: '/more' },
  { route: '/login', asNobody: true },
  { route: '/account' },
  { route: '/users' },
];

/** GET routes that are no pages to look at, each with its reason. */
export const noPages: Readonly<Record<string, string>> = {
  '/sources/new/sign-in/:id': 'a paragraph of the form of a source: source-kinds.test.ts looks at it',
  '/live': 'the event stream of the pages',
  '/items/:id{[0-9]{1,15}}/play.m3u': 'a file',
  '/settings/larder.toml': 'a file',
  '/setup/source': 'there only during the first run: sources.test.ts looks at it',
  '/setup/storage': 'there only during the first run: dashboard.test.ts looks at it',
  '/setup': 'there only before somebody owns it: setup.test.ts looks at it',
  '/setup/play': 'there only during the first run: setup-play.test.ts looks at it',
  '/library.m3u': 'a playlist',
};
