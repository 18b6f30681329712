// Pages, live updates, actions and the API. Loaded when the first of them is asked for (app.ts): schemas and views
// would cost every start some time, and a player that waits for its first byte needs none of them.
import type { IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import type { SSEStreamingApi } from 'hono/streaming';
import { formatSentence } from '../../views/format.ts';
import type { PageContext } from '../../views/page-context.ts';
import { LoginPage } from '../../views/pages/login.tsx';
import { ProblemPage, type ProblemPageProps } from '../../views/pages/problem.tsx';
import { emptyForm } from '../../views/parts/field.tsx';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import { renderPage } from '../../views/render.ts';
import { NOBODY } from '../access/caller.ts';
import type { EffectiveClient } from '../access/effective-client.ts';
import { hostNameOf } from '../access/known-hosts.ts';
import { isSafeMethod } from '../access/own-request.ts';
import { describeError, LarderError } from '../errors.ts';
import { statusOf } from '../proxy/error-response.ts';
import { isLocal } from '../settings/own-addresses.ts';
import { createApi } from './api/api.ts';
import { API_PREFIX } from './api-prefix.ts';
import { type BodyFault, BodyReader } from './body-reader.ts';
import { type Caller, may, type Need } from './caller.ts';
import { carryForm } from './carried-form.ts';
import { compressPages } from './compress-pages.ts';
import { answerEvents } from './event-stream.ts';
import { readForm } from './forms.ts';
import { LiveHub, renderRegions } from './live-hub.ts';
import { type LivePage, matchPath, type PageRequest, wholeRegions } from './live-page.ts';
import { LiveSlots } from './live-slots.ts';
import { renderUpdate } from './live-update.ts';
import { Notices } from './notices.ts';
import { OnceAnswers } from './once-answers.ts';
import { addPages } from './pages.ts';
import { factsOf } from './request-facts.ts';
import { ownPath, returnAddress } from './return-address.ts';
import { type Action, type ActionResult, type Handler, type RouteRecord, Routes } from './routes.ts';
import type { WebServices } from './services.ts';
import { knownTimeZone } from './time-zone.ts';
import type { WebContext, WebEnvironment } from './web-environment.ts';

export interface Site {
  readonly hono: Hono<WebEnvironment>;
  /** Every route there is, with the right it needs. */
  readonly records: readonly RouteRecord[];
  stop(): void;
}

export function createSite(services: WebServices): Site {
  const { basePath, clock } = services;
  const { control, firstOwner } = services.access;
  const log = services.log.part('web');
  const hono = new Hono<WebEnvironment>({ strict: false }).basePath(basePath === '' ? '/' : basePath);
  const hub = new LiveHub({ clock, log });
  const slots = new LiveSlots();
  const notices = new Notices(services.randomId);
  const onceAnswers = new OnceAnswers(clock);
  const addressOf = (request: IncomingMessage) => control.clientOf(factsOf(request)).address;
  const bodies = new BodyReader({ clock, log, addressOf });
  const api = createApi(services, bodies);
  const routes = new Routes({ hono, guard, showLivePage, answerAction });

  function pageContext(context: WebContext, caller: Caller, client: EffectiveClient): PageContext {
    const { pathname, search } = new URL(context.req.url);
    const cookie = getCookie(context, 'larder_theme');
    const theme = caller.kind === 'session' && caller.preferences.theme !== 'auto' ? caller.preferences.theme : cookie;
    // A proxy that took a path off says so: every address on the page needs it.
    const prefix = client.prefix ?? basePath;
    const serverAddress = `${client.protocol}://${client.host ?? 'localhost'}${prefix}`;
    return {
      basePath: prefix,
      serverAddress,
      formId: services.randomId(),
      playerAddress: isLocal(serverAddress)
        ? (services.findAddresses(serverAddress)[0]?.url ?? serverAddress)
        : serverAddress,
      path: pathname.slice(basePath.length) + search,
      assetVersion: services.version,
      nowMs: clock.nowMs(),
      timeZone: knownTimeZone(getCookie(context, 'larder_zone')),
      visitor:
        caller.kind === 'session'
          ? { name: caller.userName, role: caller.role, shortcuts: caller.preferences.shortcuts }
          : null,
      theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    };
  }

  function problem(context: WebContext, props: Omit<ProblemPageProps, 'page'>): Response {
    return context.html(renderPage(<ProblemPage page={context.var.page} {...props} />), props.status as 400);
  }

  function notFound(context: WebContext): Response {
    return problem(context, {
      status: 404,
      title: 'There is no such page',
      whatHappened: `Nothing is at ${context.req.path}.`,
      whatToDo: ['Go to the first page.', 'Files are at /s/SOURCE/PATH.'],
    });
  }

  async function guard(context: WebContext, need: Need, handler: Handler): Promise<Response> {
    const { caller, client } = context.var;
    const foreign = control.refusalOf(factsOf(context.env.incoming), client);
    if (foreign !== null) return refuseForeign(context, foreign);
    // Also of who is not let in: a form that comes when the session has ended is not lost.
    const fault = await bodies.take(context);
    if (fault !== null) return refuseBody(context, fault);
    if (!may(caller, need)) return refuse(context, need);
    if (need !== 'public') context.header('Cache-Control', 'no-store');
    return handler(context);
  }

  function refuseForeign(context: WebContext, reason: string): Response {
    return problem(context, {
      status: 403,
      title: 'This form came from another site',
      whatHappened: `Larder only takes forms of its own pages, and ${reason}.`,
      whatToDo: [
        'Open the page of Larder itself and try again there.',
        'Behind a reverse proxy: let it pass on the Host header, or name it in LARDER_TRUSTED_PROXIES and let it send X-Forwarded-Host and X-Forwarded-Proto.',
      ],
    });
  }

  function refuseBody(context: WebContext, { status, reason }: BodyFault): Response {
    context.header('Connection', 'close');
    return problem(context, {
      status,
      title: status === 413 ? 'This form is too long' : 'This form did not come whole',
      whatHappened: formatSentence(reason),
      whatToDo: [status === 413 ? 'Go back and make it shorter.' : 'Go back and send it again.'],
    });
  }

  async function refuse(context: WebContext, need: Need): Promise<Response> {
    if (context.var.caller.kind === 'nobody') return askToSignIn(context);
    return problem(context, {
      status: 403,
      title: 'This is for owners',
      whatHappened: `You are signed in without the right to this: it needs the role "${need}".`,
      whatToDo: ['Ask an owner of this Larder.'],
    });
  }

  /** Nobody is signed in, or nobody any more: what was typed must not be lost for it. */
  async function askToSignIn(context: WebContext): Promise<Response> {
    const { page } = context.var;
    const isClaimed = await firstOwner.isClaimed();
    const where = isClaimed ? '/login' : '/setup';
    context.header('Cache-Control', 'no-store');
    if (page.path.startsWith('/live?')) return context.text('Sign in again\n', 401);
    if (context.req.header('HX-Request') !== undefined) {
      const notice: NoticeProps = {
        tone: 'failed',
        text: 'Your session has ended.',
        hint: 'Sign in again in another tab, then do this once more: what you typed stays here.',
        link: { href: page.basePath + where, label: 'Sign in', newTab: true },
      };
      return context.html(renderUpdate({}, notice), 401);
    }
    if (context.req.header('Authorization') !== undefined) {
      return problem(context, {
        status: 401,
        title: 'This token is not good',
        whatHappened: 'It was revoked, has expired, or was copied in part.',
        whatToDo: ['Make another one: larder token create --scope viewer', 'Send it as Authorization: Bearer TOKEN.'],
      });
    }
    if (isSafeMethod(context.env.incoming.method ?? 'GET')) {
      const next = page.path === '/' ? '' : `?next=${encodeURIComponent(page.path)}`;
      return context.redirect(page.basePath + where + (isClaimed ? next : ''), 303);
    }
    if (!isClaimed) return context.redirect(page.basePath + where, 303);
    const carried = carryForm(page.path, await readForm(context));
    const next = ownPath(context, context.req.header('Referer'))?.slice(page.basePath.length) ?? '/';
    const props = { page, form: emptyForm, problem: null, next, carried };
    return context.html(renderPage(<LoginPage {...props} />), 401);
  }

  function pageRequest(context: WebContext, params: Record<string, string>, query: URLSearchParams): PageRequest {
    const { page, caller } = context.var;
    return { page, caller, params, query };
  }

  async function showLivePage(context: WebContext, livePage: LivePage): Promise<Response> {
    const query = new URL(context.req.url).searchParams;
    const request = pageRequest(context, context.req.param() as Record<string, string>, query);
    await livePage.opened?.(request);
    const regions = await livePage.regions(request);
    if (regions === null) return notFound(context);
    context.header('Vary', 'HX-Request, HX-Request-Type');
    const notice = notices.take(query.get('notice'), context.var.caller);
    return context.html(renderPage(await livePage.render(request, wholeRegions(regions), notice)));
  }

  /** The live page at `address` (path and query, without the base path), and what it is asked for there. */
  function findLivePage(context: WebContext, address: string): { page: LivePage; request: PageRequest } | null {
    if (!URL.canParse(address, 'http://page/')) return null;
    const url = new URL(address, 'http://page/');
    for (const page of routes.livePages) {
      const params = matchPath(page.path, url.pathname);
      if (params === null) continue;
      const { caller } = context.var;
      const own = { ...context.var.page, path: url.pathname + url.search };
      return { page, request: { page: own, caller, params, query: url.searchParams } };
    }
    return null;
  }

  async function answerAction(context: WebContext, action: Action): Promise<Response> {
    const { basePath: prefix } = context.var.page;
    const result = await runAction(context, action);
    if (result instanceof Response) return result;
    const { notice, goTo } = result;
    if (context.req.header('HX-Request') === undefined) {
      const target = goTo === undefined ? returnAddress(context) : prefix + goTo;
      return context.redirect(withNotice(context, target, notice), 303);
    }
    if (goTo !== undefined) {
      context.header('HX-Redirect', withNotice(context, prefix + goTo, notice));
      return context.body(null, 204);
    }
    return context.html(renderUpdate(await shownRegions(context), notice));
  }

  /** What the page says now that the form stands on; nothing when it is no live page. */
  async function shownRegions(context: WebContext): Promise<Record<string, string>> {
    const address = ownPath(context, context.req.header('HX-Current-URL'));
    const found = address === null ? null : findLivePage(context, address.slice(context.var.page.basePath.length));
    if (found === null || !may(context.var.caller, found.page.need)) return {};
    const regions = await found.page.regions(found.request);
    return regions === null ? {} : renderRegions(regions);
  }

  async function runAction(context: WebContext, action: Action): Promise<ActionResult | Response> {
    try {
      const { once, ...fields } = await readForm(context);
      if (!once) return await action(context);
      const { caller, page } = context.var;
      return await onceAnswers.run([caller, page.path, once, fields], () => action(context));
    } catch (error) {
      return { notice: describeFailure(error) };
    }
  }

  function describeFailure(error: unknown): NoticeProps {
    if (error instanceof LarderError) {
      const hint = error.hint === undefined ? null : formatSentence(error.hint);
      return { tone: 'failed', text: formatSentence(error.message), hint };
    }
    log.error('an action failed', { error: describeError(error), stack: stackOf(error) });
    return { tone: 'failed', text: 'Larder failed to do that.', hint: 'Its log says why.' };
  }

  /** `target` with the notice that it is to show; one that was shown before is not asked for again. */
  function withNotice(context: WebContext, target: string, notice: NoticeProps | null): string {
    const url = new URL(target, 'http://page/');
    url.searchParams.delete('notice');
    if (notice !== null) url.searchParams.set('notice', notices.keep(notice, context.var.caller));
    return url.pathname + url.search;
  }

  hono.use('*', compressPages);
  hono.use('*', async (context, next) => {
    const request = factsOf(context.env.incoming);
    const client = control.clientOf(request);
    context.set('client', client);
    context.set('caller', NOBODY);
    context.set('page', pageContext(context, NOBODY, client));
    if (!control.isKnownHost(client)) return refuseHost(context);
    const caller = await control.identify(request, client);
    context.set('caller', caller);
    context.set('page', pageContext(context, caller, client));
    await next();
    return undefined;
  });

  /** DNS rebinding: a page of another site points its own name at us, and would read our pages under it. */
  function refuseHost(context: WebContext): Response {
    const name = hostNameOf(context.var.client.host);
    const setting = `LARDER_ALLOWED_HOSTS=${name ?? 'NAME'}`;
    const whatHappened =
      name === null
        ? 'The request does not say by which name this Larder was asked for.'
        : `It was asked for as ${name}, and this Larder does not know that name as its own.`;
    if (context.var.page.path.startsWith(`${API_PREFIX}/`)) {
      const body = { type: 'about:blank', title: 'Unknown name', status: 421, code: 'unknown-host' };
      const text = JSON.stringify({ ...body, detail: whatHappened, hint: `if it is yours, set ${setting}` });
      return new Response(text, { status: 421, headers: { 'Content-Type': 'application/problem+json' } });
    }
    return problem(context, {
      status: 421,
      title: 'This name is not known here',
      whatHappened,
      whatToDo: [
        'Open Larder by its address, or by the name of its machine.',
        'If the name is yours: add it to the settings on the page “Settings”, or start Larder with this line in its environment.',
      ],
      snippet: setting,
    });
  }

  hono.all(`${API_PREFIX}/*`, async (context) => {
    const { caller, page } = context.var;
    return api.hono.fetch(context.req.raw, { ...context.env, caller, page });
  });

  routes.get('/live', 'viewer', (context) => {
    const found = findLivePage(context, context.req.query('at') ?? '/');
    if (found === null) return notFound(context);
    const { page, request } = found;
    if (!may(context.var.caller, page.need)) return refuse(context, page.need);
    const { caller } = context.var;
    if (!slots.hasRoomFor(caller)) return context.text('Too many pages are open\n', 503, { 'Retry-After': '30' });
    const write = async (stream: SSEStreamingApi, gone: AbortSignal) => {
      let isBusy = false;
      const closed = Promise.withResolvers<void>();
      gone.addEventListener('abort', () => closed.resolve(), { once: true });
      if (gone.aborted) return;
      const end = hub.subscribe({
        key: JSON.stringify([request.page.path, request.page.serverAddress, request.page.timeZone, request.caller]),
        regions: async () => {
          // A session that has ended meanwhile, or a role that was taken away, ends the stream.
          const now = await control.identify(factsOf(context.env.incoming), context.var.client);
          if (!may(now, page.need)) return null;
          return page.regions({ ...request, caller: now, page: { ...request.page, nowMs: clock.nowMs() } });
        },
        isBusy: () => isBusy,
        send: (text) => {
          isBusy = true;
          stream.write(text).then(() => {
            isBusy = false;
          }, closed.resolve);
        },
        close: closed.resolve,
      });
      await closed.promise;
      end();
    };
    return answerEvents(context, write, () => slots.take(caller));
  });

  addPages(routes, services);

  hono.notFound((context) => {
    // Above the base path nothing is ours, and nothing of the request was looked at.
    if (context.var.page === undefined) return context.text(`Larder is below ${basePath}/\n`, 404);
    return notFound(context);
  });
  hono.onError((error, context) => {
    log.error('a page failed', { path: context.req.path, error: describeError(error), stack: stackOf(error) });
    const known = error instanceof LarderError;
    return problem(context, {
      status: known ? statusOf(error) : 500,
      title: 'This page failed',
      whatHappened: known ? formatSentence(error.message) : 'Larder failed to make this page; its log says why.',
      whatToDo: [
        known && error.hint !== undefined ? formatSentence(error.hint) : 'Load it again.',
        'If it fails again, report it with what the log says.',
      ],
    });
  });

  return { hono, records: [...routes.records, ...api.records], stop: () => hub.stop() };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
