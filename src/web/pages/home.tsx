// The first page: what is kept, what is fetched, and for whom.
import { HomePage, renderHomeRegions } from '../../../views/pages/home.tsx';
import { Entry } from '../../../views/parts/entry.tsx';
import { parseCursor } from '../home-model.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

export function addHomePage(routes: Routes, { model, actions }: Pick<WebServices, 'model' | 'actions'>): void {
  routes.livePage({
    path: '/',
    need: 'viewer',
    regions: async ({ page, query }) => {
      const home = await model.regions(parseCursor(query.get('cursor') ?? undefined));
      const regions = renderHomeRegions(page, home);
      const { entries, total, next } = home.entries;
      const rows = entries.map((entry) => [`entry-${entry.id}`, <Entry page={page} entry={entry} />] as const);
      return {
        ...regions,
        entries: {
          key: JSON.stringify([entries.map((entry) => entry.id), total, next]),
          whole: regions.entries,
          rows: Object.fromEntries(rows),
        },
      };
    },
    render: ({ page }, regions, notice) => <HomePage page={page} notice={notice} regions={regions} />,
  });

  routes.action('/preferences', 'owner', async (context) => {
    const form = await context.req.parseBody();
    return { notice: await actions.setBackgroundFill(form.backgroundFill === 'on') };
  });
}
