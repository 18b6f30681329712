import { formatBytes } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ItemLink, type ItemLinkProps } from './reader-row.tsx';

export type EntryToGoProps = ItemLinkProps & { source: string; bytes: number; reason: string };

/** In the order in which they go. */
export function EntriesToGo({ page, entries }: { page: PageContext; entries: readonly EntryToGoProps[] }) {
  return (
    <ol class="rows to-go">
      {entries.map((entry) => (
        <li>
          <span>
            <ItemLink page={page} {...entry} />
          </span>
          <span class="number">{formatBytes(entry.bytes)}</span>
          <span class="quiet">
            {entry.source}, {entry.reason}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function NextToGo({ page, entries }: { page: PageContext; entries: readonly EntryToGoProps[] }) {
  return (
    <>
      <h2>What goes next</h2>
      {entries.length === 0 ? (
        <p class="quiet">Nothing can go: the cache is empty, or everything in it is pinned or in use.</p>
      ) : (
        <p class="quiet">
          When room is needed, what was not used for longest goes first. What is pinned or in use stays, so it is not
          listed.
        </p>
      )}
      <EntriesToGo page={page} entries={entries} />
    </>
  );
}
