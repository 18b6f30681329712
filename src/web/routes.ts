// The one place where addresses are given out. Every route says what right it needs; what says nothing does not exist.
import type { Hono } from 'hono';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { Need } from './caller.ts';
import type { LivePage } from './live-page.ts';
import type { WebContext, WebEnvironment } from './web-environment.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RouteRecord {
  readonly method: Method;
  /** Below the base path, in hono's notation. */
  readonly path: string;
  readonly need: Need;
}

export type Handler = (context: WebContext) => Response | Promise<Response>;

/** What an action came to: shown on the page that it was sent from, or on another one that it leads to. */
export interface ActionResult {
  readonly notice: NoticeProps | null;
  /** Below the base path, such as `/library`; by default the page the form stands on. */
  readonly goTo?: string;
}

/** Answers with a page of its own, by status 422, where a form was filled in wrongly. */
export type Action = (context: WebContext) => Promise<ActionResult | Response>;

export interface RoutesOptions {
  readonly hono: Hono<WebEnvironment>;
  /** Runs `handler` if the caller has the right, and answers in words if not. */
  readonly guard: (context: WebContext, need: Need, handler: Handler) => Response | Promise<Response>;
  readonly showLivePage: (context: WebContext, page: LivePage) => Promise<Response>;
  readonly answerAction: (context: WebContext, action: Action) => Promise<Response>;
}

export class Routes {
  readonly records: RouteRecord[] = [];
  readonly livePages: LivePage[] = [];
  readonly #options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  get(path: string, need: Need, handler: Handler): void {
    this.#add('GET', path, need, handler);
  }

  /** A form that answers with a page of its own, such as one that was filled in wrongly. */
  post(path: string, need: Need, handler: Handler): void {
    this.#add('POST', path, need, handler);
  }

  livePage(page: LivePage): void {
    this.livePages.push(page);
    this.get(page.path, page.need, (context) => this.#options.showLivePage(context, page));
  }

  /** A form that changes something and is answered by a notice. A LarderError that is thrown becomes one. */
  action(path: string, need: Need, action: Action): void {
    this.post(path, need, (context) => this.#options.answerAction(context, action));
  }

  #add(method: Method, path: string, need: Need, handler: Handler): void {
    this.records.push({ method, path, need });
    this.#options.hono.on(method, path, (context) => this.#options.guard(context, need, handler));
  }
}
