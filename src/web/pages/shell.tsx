// What belongs to the frame of every page: its colours, and the list of all pages for small screens.
import { setCookie } from 'hono/cookie';
import { MorePage } from '../../../views/pages/more.tsx';
import { renderPage } from '../../../views/render.ts';
import { returnAddress } from '../return-address.ts';
import type { Routes } from '../routes.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
const THEME_COOKIE_SECONDS = 400 * 86_400; // the most that browsers keep

export function addShellPages(routes: Routes): void {
  routes.get('/more', 'viewer', (context) => context.html(renderPage(<MorePage page={context.var.page} />)));

  // A cookie and not a row: it is of this browser, and pages without sign-in heed it too.
  routes.post('/theme', 'public', async (context) => {
    const form = await context.req.parseBody();
    const theme = THEMES.find((name) => name === form.theme) ?? 'auto';
    const path = `${context.var.page.basePath}/`;
    setCookie(context, 'larder_theme', theme, { path, maxAge: THEME_COOKIE_SECONDS, sameSite: 'Lax', httpOnly: true });
    return context.redirect(returnAddress(context), 303);
  });
}
