// The cookie that a browser is known by. Its value is in no page and no script can read it.
import { deleteCookie, setCookie } from 'hono/cookie';
import { SESSION_MAX_MS } from '../limits.ts';
import type { WebContext } from './web-environment.ts';

export function giveSessionCookie(context: WebContext, name: string, secret: string): void {
  setCookie(context, name, secret, { ...attributesOf(context), maxAge: SESSION_MAX_MS / 1_000 });
}

export function takeSessionCookie(context: WebContext, name: string): void {
  deleteCookie(context, name, attributesOf(context));
}

function attributesOf(context: WebContext) {
  const { page, client } = context.var;
  return {
    path: `${page.basePath}/`,
    httpOnly: true,
    // Not Strict: who comes from a start page or a mail would be shown the sign-in.
    sameSite: 'Lax' as const,
    secure: client.protocol === 'https',
  };
}
