// Everything but the streams: health at once; assets, the site with its pages and the API once they are asked for.
// Streams branch off before hono (http-server.ts), because a stream's path must be seen as it stood in the request
// line, and because hono's HEAD handling answers a response twice when a handler wrote to it (facts/runtime.md §1.5).
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { RequestQueue } from './request-queue.ts';
import type { WebServices } from './services.ts';
import type { Site } from './site.tsx';

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** What the site does not know of, because it is answered before it; all of it is public. */
export const PUBLIC_PATHS = [
  '/healthz',
  '/readyz',
  '/assets/:name',
  '/favicon.ico',
  '/robots.txt',
  '/manifest.webmanifest',
] as const;

export interface App {
  readonly hono: Hono<{ Bindings: HttpBindings }>;
  readonly site: () => Promise<Site>;
  stop(): Promise<void>;
}

export function createApp(services: WebServices): App {
  const { basePath, version } = services;
  const root = new Hono<{ Bindings: HttpBindings }>({ strict: false });

  let loading: Promise<Site> | undefined;
  function site(): Promise<Site> {
    loading ??= import('./site.tsx').then(({ createSite }) => createSite(services));
    return loading;
  }

  // Outside of the base path too.
  root.use('*', async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
  });
  // Who types the address without the path is meant all the same.
  if (basePath !== '') root.get('/', (context) => context.redirect(`${basePath}/`));
  const hono = root.basePath(basePath === '' ? '/' : basePath);
  hono.get('/healthz', (context) => context.text('ok\n'));
  hono.get('/readyz', (context) => (services.isReady() ? context.text('ready\n') : context.text('starting\n', 503)));
  const queue = new RequestQueue(services.clock);
  hono.use('*', async (context, next) => {
    const answered = queue.run(async () => {
      if (!context.env.outgoing.destroyed) await next();
    });
    if (answered === null) {
      return context.text('Larder has too much to do at once: try again in a moment\n', 503, { 'Retry-After': '1' });
    }
    await answered;
    // Who has gone meanwhile gets no page made.
    return context.finalized ? undefined : context.body(null, 408);
  });
  hono.get('/assets/:name', async (context) => {
    const { assets, gzipped } = await import('./assets.ts');
    const asset = assets.get(context.req.param('name'));
    if (asset === undefined) return context.text('There is no such file\n', 404);
    const isVersioned = context.req.query('v') === version;
    context.header('Content-Type', asset.contentType);
    context.header('Cache-Control', isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (typeof asset.body !== 'string') return context.body(asset.body);
    context.header('Vary', 'Accept-Encoding');
    if (!/\bgzip\b/.test(context.req.header('Accept-Encoding') ?? '')) return context.body(asset.body);
    context.header('Content-Encoding', 'gzip');
    return context.body(gzipped(asset));
  });
  hono.get('/favicon.ico', async (context) => {
    const { favicon } = await import('./assets.ts');
    context.header('Content-Type', favicon.contentType);
    context.header('Cache-Control', 'public, max-age=86400');
    return context.body(favicon.body);
  });
  // Nothing here is for search engines, whoever opens it to the world.
  hono.get('/robots.txt', (context) => context.text('User-agent: *\nDisallow: /\n'));
  hono.get('/manifest.webmanifest', (context) => {
    context.header('Content-Type', 'application/manifest+json; charset=utf-8');
    context.header('Cache-Control', 'public, max-age=86400');
    return context.body(JSON.stringify(manifestOf(basePath)));
  });
  hono.notFound(async (context) => (await site()).hono.fetch(context.req.raw, context.env));

  return {
    hono,
    site,
    stop: async () => {
      (await loading)?.stop();
    },
  };
}

/** Lets a phone put Larder on its home screen. There is no service worker: without Larder there is nothing to show. */
function manifestOf(basePath: string) {
  const png = (size: number) => ({
    src: `${basePath}/assets/icon-${size}.png`,
    sizes: `${size}x${size}`,
    type: 'image/png',
  });
  return {
    name: 'Larder',
    short_name: 'Larder',
    start_url: `${basePath}/`,
    scope: `${basePath}/`,
    display: 'standalone',
    background_color: '#f4f5f6',
    theme_color: '#1c6b47',
    icons: [{ src: `${basePath}/assets/icon.svg`, sizes: 'any', type: 'image/svg+xml' }, png(192), png(512)],
  };
}
