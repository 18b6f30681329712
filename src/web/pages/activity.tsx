// Who plays what, what they wait for, and a button that stops them; and who did before.
import { ActivityPage, OpenReaders } from '../../../views/pages/activity.tsx';
import { EndedReaders } from '../../../views/parts/ended-readers.tsx';
import { Fetching } from '../../../views/parts/fetching.tsx';
import { ReaderRow } from '../../../views/parts/reader-row.tsx';
import { WishList, type WishProps } from '../../../views/parts/wish-list.tsx';
import type { Wish, WishPlace } from '../../db/download-queue.ts';
import { describeDownload } from '../../library/download-state.ts';
import { type IsCatalogue, titleInPath } from '../entry-words.ts';
import type { ItemPathOf } from '../item-paths.ts';
import { parseId } from '../parse-id.ts';
import { endedReaderProps, readerProps } from '../reader-words.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

const ENDED_PER_PAGE = 20;
const WISHES_PER_PAGE = 50;

export function addActivityPages(
  routes: Routes,
  {
    readers,
    fetchJobs,
    items,
    wishes,
    restingDownloads,
    isCatalogue,
  }: Pick<WebServices, 'readers' | 'fetchJobs' | 'items' | 'wishes' | 'restingDownloads' | 'isCatalogue'>,
): void {
  routes.livePage({
    path: '/activity',
    need: 'owner',
    regions: async ({ page, query }) => {
      const before = parseId(query.get('before'));
      const ended = await readers.listEnded(ENDED_PER_PAGE + 1, before);
      const shown = ended.slice(0, ENDED_PER_PAGE);
      const open = readers.list();
      const place = readPlace(query.get('behind'));
      const wished = await wishes.list(WISHES_PER_PAGE, place);
      const itemPathOf = await items.pathsOf([...open, ...shown, ...wished.wishes].map(({ entryId }) => entryId));
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
        wishes: (
          <WishList
            page={page}
            wishes={wished.wishes.map((wish) =>
              wishProps(wish, itemPathOf, isCatalogue, restingDownloads.has(wish.entryId)),
            )}
            count={wished.count}
            bytes={wished.bytes}
            nextPath={wished.next === null ? null : `/activity?behind=${writePlace(wished.next)}`}
            isFirst={place === null}
          />
        ),
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

  routes.action('/activity/wishes/cancel', 'owner', async () => {
    const count = await wishes.cancelAll();
    const text = count === 0 ? 'Nothing was to be fetched any more.' : `${count} will not be fetched.`;
    return { notice: { tone: 'done', text, hint: 'What has come is kept.' } };
  });

  routes.action('/activity/:id{[0-9]{1,15}}/stop', 'owner', async (context) => {
    const { title, address } = readers.stop(context.req.param('id') ?? '');
    return {
      notice: { tone: 'done', text: `${title} was stopped at ${address}.`, hint: 'What was fetched for it is kept.' },
    };
  });
}

function wishProps(wish: Wish, itemPathOf: ItemPathOf, isCatalogue: IsCatalogue, isAtRest: boolean): WishProps {
  const { entryId, title, year, quality, source, requestedBy, sizeBytes, cachedBytes } = wish;
  return {
    entryId,
    title: titleInPath(wish, isCatalogue) ?? (year === null ? title : `${title} (${year})`),
    quality,
    source,
    itemPath: itemPathOf(entryId),
    byPerson: requestedBy === 'person',
    sizeBytes,
    cachedBytes,
    download: describeDownload(wish, wish.state, isAtRest),
  };
}

/** The place in an address, as in `2.1700000000000.17`. */
function writePlace({ part, nextAttemptAt, id }: WishPlace): string {
  return `${part}.${nextAttemptAt}.${id}`;
}

function readPlace(text: string | null): WishPlace | null {
  const match = /^([0-5])\.(\d{1,15})\.(\d{1,15})$/.exec(text ?? '');
  return match === null ? null : { part: Number(match[1]), nextAttemptAt: Number(match[2]), id: Number(match[3]) };
}
