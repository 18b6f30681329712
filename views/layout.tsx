import type { Child } from 'hono/jsx';
import { formatMoment } from './format.ts';
import { navigationKeys, navigationOf, primaryCount } from './navigation.ts';
import type { PageContext } from './page-context.ts';
import { ChunkMapPatterns } from './parts/chunk-map-patterns.tsx';
import { Icon } from './parts/icon.tsx';
import { Notice, type NoticeProps } from './parts/notice.tsx';

export type LayoutProps = {
  page: PageContext;
  title: string;
  /** The entry of the navigation that this page belongs to, such as '/library'. */
  section?: string;
  /** The answer to an action, shown once. */
  notice?: NoticeProps | null;
  /** Keeps its regions true by the page's event stream. */
  live?: boolean;
  children?: Child;
};

// `open` is not morphed, so that a live update does not shut what somebody has just opened.
const htmxConfig = JSON.stringify({ morphIgnore: ['data-htmx-powered', 'open'], defaultTimeout: 15_000 });

/** The shell of every page. No inline script and no style attribute: the content security policy refuses both. */
export function Layout({ page, title, section, notice = null, live = false, children }: LayoutProps) {
  const asset = (name: string) => `${page.basePath}/assets/${name}?v=${encodeURIComponent(page.assetVersion)}`;
  const livePath = `${page.basePath}/live?at=${encodeURIComponent(page.path)}`;
  // A refused stream must not be swapped into the body: only the <hx-partial>s of an update are wanted.
  const stream = live ? { 'hx-sse:connect': livePath, 'hx-swap': 'none' } : {};
  return (
    <html
      lang="en"
      dir="ltr"
      data-theme={page.theme}
      data-shortcuts={page.visitor?.shortcuts === false ? 'off' : undefined}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={page.theme === 'auto' ? 'light dark' : page.theme} />
        <meta name="htmx-config" content={htmxConfig} />
        <title>{title === 'Larder' ? title : `${title} · Larder`}</title>
        <link rel="icon" type="image/svg+xml" href={asset('icon.svg')} />
        <link rel="apple-touch-icon" href={asset('icon-192.png')} />
        <link rel="manifest" href={`${page.basePath}/manifest.webmanifest`} />
        <link rel="stylesheet" href={asset('larder.css')} />
      </head>
      <body {...stream}>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="bar">
          <a class="brand" href={`${page.basePath}/`}>
            <img src={asset('icon.svg')} alt="" width="28" height="28" />
            Larder
          </a>
          {live ? <LiveState {...page} /> : null}
        </header>
        <Navigation page={page} section={section} />
        <main id="main" tabindex={-1}>
          <div id="notice" role="status">
            {notice === null ? null : <Notice {...notice} />}
          </div>
          {children}
        </main>
        <Footer page={page} />
        <ChunkMapPatterns />
        {/* Not `defer`: htmx would then start on a timer that can run out before its extension has come. */}
        <script src={asset('larder.js')}></script>
      </body>
    </html>
  );
}

function Navigation({ page, section }: { page: PageContext; section: string | undefined }) {
  const entries = navigationOf(page);
  if (entries.length === 0) return null;
  const more = { path: '/more', label: 'More', icon: 'more' };
  const link = ({ path, label, icon }: typeof more) => (
    <a
      href={`${page.basePath}${path}`}
      aria-current={path === section ? 'page' : undefined}
      data-key={navigationKeys[path]}
    >
      <Icon page={page} name={icon} />
      <span>{label}</span>
    </a>
  );
  return (
    <nav class="navigation" aria-label="Pages">
      <ul>
        {entries.map((entry, index) => (
          <li class={index < primaryCount ? undefined : 'secondary'}>{link(entry)}</li>
        ))}
        <li class="more">{link(more)}</li>
      </ul>
    </nav>
  );
}

/** Written by the server once; live.js keeps it true from then on. */
function LiveState({ nowMs, timeZone }: PageContext) {
  const moment = new Date(nowMs).toISOString();
  return (
    <div class="live-state">
      <p id="live-state" role="status">
        As of <time datetime={moment}>{formatMoment(nowMs, timeZone).slice(11)}</time>
      </p>
      <button type="button" id="live-pause" aria-pressed="false" hidden>
        Pause
      </button>
    </div>
  );
}

const themes = [
  ['auto', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

function Footer({ page }: { page: PageContext }) {
  return (
    <footer class="footer">
      <form method="post" action={`${page.basePath}/theme`} class="theme">
        <fieldset>
          <legend>Colours</legend>
          {themes.map(([name, label]) => (
            <button type="submit" name="theme" value={name} aria-pressed={page.theme === name ? 'true' : 'false'}>
              {label}
            </button>
          ))}
        </fieldset>
      </form>
      {page.visitor === null ? null : (
        <a href={`${page.basePath}/help`} data-help="">
          Help and keys
        </a>
      )}
    </footer>
  );
}
