import { formatDuration, formatPercent, formatRate } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ItemLink, type ReaderProps } from './reader-row.tsx';

/** Who plays what, in two lines each; the rest of it is on the page of activity. */
export function PlayingList({ page, readers }: { page: PageContext; readers: readonly ReaderProps[] }) {
  return (
    <>
      <h2>
        <a href={`${page.basePath}/activity`}>Playing now</a> <span class="count">{readers.length}</span>
      </h2>
      {readers.length > 0 ? null : (
        <p class="quiet">
          Nobody is playing anything. Give a player an address such as <code>{page.playerAddress}/s/SOURCE/FILE</code>.
        </p>
      )}
      <ul class="rows">
        {readers.map((reader) => (
          <li>
            <h3>
              <ItemLink page={page} {...reader} />
            </h3>
            <p class="event">
              {reader.player ?? reader.address}: {formatRate(reader.toPlayerRate)},{' '}
              {reader.servedBytes === 0
                ? 'nothing sent yet'
                : `${formatPercent(reader.fromDiskBytes / reader.servedBytes)} from disk`}
              {reader.waiting === null ? null : (
                <strong class="waiting">
                  ; waits {reader.waiting.words} for {formatDuration(page.nowMs - reader.waiting.sinceMs)}
                </strong>
              )}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
