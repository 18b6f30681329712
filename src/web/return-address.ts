// Where a form leads back to: the page of ours that it stood on.
import { safeNext } from './next-page.ts';
import type { WebContext } from './web-environment.ts';

/** Path and query of `address` when it is one of our pages, below the base path; else null. */
export function ownPath(context: WebContext, address: string | undefined): string | null {
  const { serverAddress, basePath } = context.var.page;
  if (address === undefined || !URL.canParse(address, `${serverAddress}/`)) return null;
  const url = new URL(address, `${serverAddress}/`);
  if (url.host !== new URL(serverAddress).host || !`${url.pathname}/`.startsWith(`${basePath}/`)) return null;
  const path = url.pathname + url.search;
  // `//host` is a path here, and another host once it is sent.
  return safeNext(path) === path ? path : null;
}

/** The page that a form was sent from, with its query; the first page where the browser does not say. */
export function returnAddress(context: WebContext): string {
  return ownPath(context, context.req.header('Referer')) ?? `${context.var.page.basePath}/`;
}
