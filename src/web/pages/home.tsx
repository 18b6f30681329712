// What is kept: a list of entries with what can be done to each.
import { HomePage } from '../../../views/pages/home.tsx';
import { Entries } from '../../../views/parts/entries.tsx';
import { Entry } from '../../../views/parts/entry.tsx';
import { parseCursor } from '../home-model.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

export function addHomePage(routes: Routes, { model }: Pick<WebServices, 'model'>): void {
  routes.livePage({
    path: '/library',
    need: 'viewer',
    regions: async ({ page, query }) => {
      const shown = await model.entries(parseCursor(query.get('cursor') ?? undefined));
      const { entries, total, next } = shown;
      const rows = entries.map((entry) => [`entry-${entry.id}`, <Entry page={page} entry={entry} />] as const);
      return {
        entries: {
          key: JSON.stringify([entries.map((entry) => entry.id), total, next]),
          whole: <Entries page={page} {...shown} />,
          rows: Object.fromEntries(rows),
        },
      };
    },
    render: ({ page }, regions, notice) => <HomePage page={page} notice={notice} regions={regions} />,
  });
}
