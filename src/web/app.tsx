// Everything but the streams: pages, live updates, actions, assets, health. Streams branch off before hono
// (http-server.ts), because a stream's path must be seen as it stood in the request line, and because hono's HEAD
// handling answers a response twice when a handler wrote to it (facts/runtime.md §1.5).
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { PageContext } from '../../views/page-context.ts';
import { HomePage } from '../../views/pages/home.tsx';
import { ProblemPage, type ProblemPageProps } from '../../views/pages/problem.tsx';
import { LiveUpdate, type LiveUpdateProps } from '../../views/parts/live-update.tsx';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import { renderFragment, renderPage } from '../../views/render.ts';
import type { Clock } from '../clock.ts';
import type { EntryCursor } from '../db/entries.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type AccessRules, isOwnForm, mayOpenPages } from './access.ts';
import type { Actions } from './actions.ts';
import { assets } from './assets.ts';
import type { HomeModel } from './home-model.ts';
import { parseCursor } from './home-model.ts';
import { LiveHub } from './live-hub.ts';

export interface AppServices {
  readonly model: HomeModel;
  readonly actions: Actions;
  readonly access: AccessRules;
  readonly basePath: string;
  readonly version: string;
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

type Environment = { Bindings: HttpBindings };

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export interface App {
  readonly hono: Hono<Environment>;
  stop(): void;
}

export function createApp(services: AppServices): App {
  const { model, actions, access, basePath, clock, log } = services;
  const hono = new Hono<Environment>({ strict: false }).basePath(basePath === '' ? '/' : basePath);

  function pageAt(serverAddress: string): PageContext {
    return { basePath, serverAddress, assetVersion: services.version, nowMs: clock.nowMs() };
  }

  function pageContext(context: Context<Environment>): PageContext {
    return pageAt(`http://${context.env.incoming.headers.host ?? 'localhost'}${basePath}`);
  }

  function problem(context: Context<Environment>, props: Omit<ProblemPageProps, 'page'>): Response {
    const page = pageContext(context);
    return context.html(renderPage(<ProblemPage page={page} {...props} />), props.status as 400);
  }

  // Live updates show the address that the last visitor used: all of them are on this machine.
  let lastServerAddress = '';
  const hub = new LiveHub({
    model,
    clock,
    log: log.part('web'),
    render: (changed) => renderFragment(<LiveUpdate page={pageAt(lastServerAddress)} {...changed} />),
  });

  hono.use('*', async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
  });

  hono.get('/healthz', (context) => context.text('ok\n'));
  hono.get('/readyz', (context) => (services.isReady() ? context.text('ready\n') : context.text('starting\n', 503)));

  hono.get('/assets/:name', (context) => {
    const asset = assets.get(context.req.param('name'));
    if (asset === undefined) return context.text('There is no such file\n', 404);
    const isVersioned = context.req.query('v') === services.version;
    return context.body(asset.body, 200, {
      'Content-Type': asset.contentType,
      'Cache-Control': isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  });

  hono.use('*', async (context, next) => {
    if (mayOpenPages(context.env.incoming, access)) {
      lastServerAddress = pageContext(context).serverAddress;
      context.header('Cache-Control', 'no-store');
      await next();
      return;
    }
    return problem(context, {
      status: 403,
      title: 'The pages are open on this machine only',
      whatHappened:
        'Larder has no sign-in yet, so that its pages are shown to browsers on the machine it runs on, asked for by its address or as localhost.',
      whatToDo: [
        'Open http://localhost:PORT/ on that machine, or reach it through an SSH tunnel (ssh -L 8420:localhost:8420 HOST).',
        'Players need nothing of this: stream addresses (/s/SOURCE/FILE) work on the whole home network.',
      ],
    });
  });

  hono.get('/', async (context) => {
    const regions = await model.regions(parseCursor(context.req.query('cursor')));
    context.header('Vary', 'HX-Request, HX-Request-Type');
    const notice = actions.findNotice(context.req.query('notice'));
    return context.html(renderPage(<HomePage page={pageContext(context)} notice={notice} {...regions} />));
  });

  hono.get('/live', (context) => {
    if (hub.isFull) return context.text('Too many pages are open\n', 503, { 'Retry-After': '30' });
    context.header('X-Accel-Buffering', 'no');
    return streamSSE(context, async (stream) => {
      let end: (() => void) | undefined;
      let isBusy = false;
      await new Promise<void>((resolve) => {
        context.env.outgoing.once('close', resolve);
        end = hub.subscribe({
          cursor: parseCursor(context.req.query('cursor')),
          isBusy: () => isBusy,
          send: (text) => {
            isBusy = true;
            stream.write(text).then(() => {
              isBusy = false;
            }, resolve);
          },
          close: resolve,
        });
      });
      end?.();
    });
  });

  function shownCursor(context: Context<Environment>): EntryCursor | null {
    const address = context.req.header('HX-Current-URL') ?? '';
    return URL.canParse(address) ? parseCursor(new URL(address).searchParams.get('cursor') ?? undefined) : null;
  }

  async function act(context: Context<Environment>, run: () => Promise<NoticeProps>): Promise<Response> {
    if (!isOwnForm(context.env.incoming)) {
      return problem(context, {
        status: 403,
        title: 'This form came from another site',
        whatHappened: 'Larder only takes forms of its own pages.',
        whatToDo: ['Open the page of Larder itself and try again there.'],
      });
    }
    let notice: NoticeProps;
    try {
      notice = await run();
    } catch (error) {
      log.error('an action failed', { error: describeError(error) });
      notice = { tone: 'failed', text: `That failed: ${describeError(error)}`, hint: 'See the log of Larder.' };
    }
    if (context.req.header('HX-Request') === undefined) {
      return context.redirect(`${basePath}/?notice=${actions.keepNotice(notice)}`, 303);
    }
    // The list as the page shows it that the form stands on, which may be a later one.
    const { entries, preferences, totals, space, sources } = await model.regions(shownCursor(context));
    const page = pageContext(context);
    const changed: LiveUpdateProps = { page, notice, entries, preferences, totals, space, sources };
    return context.html(renderFragment(<LiveUpdate {...changed} />));
  }

  const entryActions: Readonly<Record<string, (entryId: number) => Promise<NoticeProps>>> = {
    fetch: (entryId) => actions.fetchEntry(entryId),
    stop: (entryId) => actions.stopFetching(entryId),
    remove: (entryId) => actions.removeEntry(entryId),
    pin: (entryId) => actions.setPinned(entryId, true),
    unpin: (entryId) => actions.setPinned(entryId, false),
    recheck: (entryId) => actions.recheck(entryId),
  };
  for (const [verb, run] of Object.entries(entryActions)) {
    // As many digits as a number holds exactly.
    hono.post(`/entries/:id{[0-9]{1,15}}/${verb}`, (context) =>
      act(context, () => run(Number(context.req.param('id')))),
    );
  }
  hono.post('/preferences', async (context) => {
    const form = await context.req.parseBody();
    return act(context, () => actions.setBackgroundFill(form.backgroundFill === 'on'));
  });

  hono.notFound((context) =>
    problem(context, {
      status: 404,
      title: 'There is no such page',
      whatHappened: `Nothing is at ${context.req.path}.`,
      whatToDo: ['Go to the first page.', 'Files are at /s/SOURCE/PATH.'],
    }),
  );
  hono.onError((error, context) => {
    log.error('a page failed', { path: context.req.path, error: describeError(error) });
    return problem(context, {
      status: 500,
      title: 'This page failed',
      whatHappened: describeError(error),
      whatToDo: ['Load it again.', 'If it fails again, see the log of Larder and report it.'],
    });
  });

  return { hono, stop: () => hub.stop() };
}
