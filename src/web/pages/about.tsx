// About: what this Larder is; where things are and what to put into a report for its owner.
import { AboutPage, LicencesPage } from '../../../views/pages/about.tsx';
import { renderPage } from '../../../views/render.ts';
import { describeForIssue } from '../../upkeep/about.ts';
import { isOwner } from '../caller.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

type Services = Pick<WebServices, 'about' | 'licences' | 'settings' | 'doctor'>;

export function addAboutPages(routes: Routes, { about, licences, settings, doctor }: Services): void {
  routes.get('/about', 'viewer', async (context) => {
    const facts = about.about();
    const isForOwner = isOwner(context.var.caller);
    const report = isForOwner ? describeForIssue(facts, settings.list(), (await doctor.diagnose()).findings) : '';
    const inside = isForOwner ? { ...facts, report } : null;
    return context.html(renderPage(<AboutPage page={context.var.page} about={{ ...facts, inside }} />));
  });

  routes.get('/about/licences', 'viewer', (context) =>
    context.html(renderPage(<LicencesPage page={context.var.page} licences={licences()} />)),
  );
}
