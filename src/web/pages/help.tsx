import { HelpPage } from '../../../views/pages/help.tsx';
import { renderPage } from '../../../views/render.ts';
import type { Routes } from '../routes.ts';

export function addHelpPage(routes: Routes): void {
  routes.get('/help', 'viewer', (context) => context.html(renderPage(<HelpPage page={context.var.page} />)));
}
