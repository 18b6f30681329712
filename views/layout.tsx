import type { Child } from 'hono/jsx';
import type { PageContext } from './page-context.ts';
import { ChunkMapPatterns } from './parts/chunk-map-patterns.tsx';

export type LayoutProps = {
  page: PageContext;
  title: string;
  /** Where the page's event stream is, with the base path; without it the page is not live. */
  livePath?: string;
  children?: Child;
};

// `open` is not morphed, so that a live update does not shut what somebody has just opened.
const htmxConfig = JSON.stringify({ morphIgnore: ['data-htmx-powered', 'open'], defaultTimeout: 15_000 });

/** The shell of every page. No inline script and no style attribute: the content security policy refuses both. */
export function Layout({ page, title, livePath, children }: LayoutProps) {
  const asset = (name: string) => `${page.basePath}/assets/${name}?v=${encodeURIComponent(page.assetVersion)}`;
  // A refused stream must not be swapped into the body: only the <hx-partial>s of an update are wanted.
  const live = livePath === undefined ? {} : { 'hx-sse:connect': livePath, 'hx-swap': 'none' };
  return (
    <html lang="en" dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content={htmxConfig} />
        <title>{title === 'Larder' ? title : `${title} · Larder`}</title>
        <link rel="icon" type="image/svg+xml" href={asset('icon.svg')} />
        <link rel="stylesheet" href={asset('larder.css')} />
      </head>
      <body {...live}>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="bar">
          <a class="brand" href={`${page.basePath}/`}>
            <img src={asset('icon.svg')} alt="" width="28" height="28" />
            Larder
          </a>
          {livePath === undefined ? null : <LiveState nowMs={page.nowMs} />}
        </header>
        <main id="main" tabindex={-1}>
          {children}
        </main>
        <ChunkMapPatterns />
        {/* Not `defer`: htmx would then start on a timer that can run out before its extension has come. */}
        <script src={asset('htmx.min.js')}></script>
        <script src={asset('hx-sse.min.js')}></script>
        <script src={asset('larder.js')}></script>
      </body>
    </html>
  );
}

/** Written by the server once; larder.js keeps it true from then on. */
function LiveState({ nowMs }: { nowMs: number }) {
  const moment = new Date(nowMs).toISOString();
  return (
    <div class="live-state">
      <p id="live-state" role="status">
        As of <time datetime={moment}>{moment.slice(11, 19)} UTC</time>
      </p>
      <button type="button" id="live-pause" aria-pressed="false" hidden>
        Pause
      </button>
    </div>
  );
}
