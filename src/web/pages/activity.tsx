// Who plays what, what they wait for, and a button that stops them; and who did before.
import { ActivityPage, OpenReaders } from '../../../views/pages/activity.tsx';
import { EndedReaders } from '../../../views/parts/ended-readers.tsx';
import { Fetching } from '../../../views/parts/fetching.tsx';
import { ReaderRow } from '../../../views/parts/reader-row.tsx';
import { parseId } from '../parse-id.ts';
import { endedReaderProps, readerProps } from '../reader-words.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

const ENDED_PER_PAGE = 20;

export function addActivityPages(
  routes: Routes,
  { readers, fetchJobs, items }: Pick<WebServices, 'readers' | 'fetchJobs' | 'items'>,
): void {
  routes.livePage({
    path: '/activity',
    need: 'owner',
    regions: async ({ page, query }) => {
      const before = parseId(query.get('before'));
      const ended = await readers.listEnded(ENDED_PER_PAGE + 1, before);
      const shown = ended.slice(0, ENDED_PER_PAGE);
      const open = readers.list();
      const itemPathOf = await items.pathsOf([...open, ...shown].map((reader) => reader.entryId));
      const rows = open.map((reader) => readerProps(reader, itemPathOf, true, page.nowMs));
      const last = shown.at(-1);
      return {
        readers: {
          key: JSON.stringify(rows.map((reader) => reader.id)),
          whole: <OpenReaders page={page} readers={rows} />,
          rows: Object.fromEntries(
            rows.map((reader) => [`reader-${reader.id}`, <ReaderRow page={page} reader={reader} />]),
          ),
        },
        fetching: <Fetching page={page} jobs={fetchJobs.list()} />,
        ended: (
          <EndedReaders
            page={page}
            readers={shown.map((reader) => endedReaderProps(reader, itemPathOf))}
            nextPath={ended.length > ENDED_PER_PAGE && last !== undefined ? `/activity?before=${last.id}` : null}
            isFirst={before === null}
          />
        ),
      };
    },
    render: ({ page }, regions, notice) => <ActivityPage page={page} notice={notice} regions={regions} />,
  });

  routes.action('/activity/:id{[0-9]{1,15}}/stop', 'owner', async (context) => {
    const { title, address } = readers.stop(context.req.param('id') ?? '');
    return {
      notice: { tone: 'done', text: `${title} was stopped at ${address}.`, hint: 'What was fetched for it is kept.' },
    };
  });
}
