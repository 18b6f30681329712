import { formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ChunkMapLegend } from './chunk-map-legend.tsx';
import { EmptyLibrary } from './empty-library.tsx';
import { Entry, type EntryProps } from './entry.tsx';

export type EntriesProps = {
  /** One page of at most 50, the qualities of one title beside each other. */
  entries: readonly EntryProps[];
  /** How many there are on all pages. */
  total: number | null;
  /** The cursor of this page; null on the first one. */
  cursor: string | null;
  /** The cursor of the next page; null on the last one. */
  next: string | null;
  /** So that an empty page can say what to play. */
  sourceNames: readonly string[];
};

export type TitleGroup = { key: string; title: string; entries: EntryProps[] };

export function Entries({ page, ...props }: EntriesProps & { page: PageContext }) {
  if (props.entries.length === 0 && props.cursor === null) {
    return <EmptyLibrary page={page} sourceNames={props.sourceNames} />;
  }
  return (
    <>
      <h2>
        Kept here <span class="count">{formatCount(props.total, 'entry', 'entries')}</span>
      </h2>
      <ChunkMapLegend />
      {groupByTitle(props.entries).map((group) => (
        <Title key={group.key} page={page} group={group} />
      ))}
      <Paging page={page} cursor={props.cursor} next={props.next} />
    </>
  );
}

/** Titles in the order of their first entry. */
export function groupByTitle(entries: readonly EntryProps[]): TitleGroup[] {
  const groups = new Map<string, TitleGroup>();
  for (const entry of entries) {
    const group = groups.get(entry.groupKey);
    if (group) group.entries.push(entry);
    else groups.set(entry.groupKey, { key: entry.groupKey, title: entry.title, entries: [entry] });
  }
  return [...groups.values()];
}

function Title({ page, group }: { page: PageContext; group: TitleGroup }) {
  return (
    <article class="title">
      <h3>{group.title}</h3>
      {group.entries.map((entry) => (
        <div class="entry" id={`entry-${entry.id}`}>
          <Entry page={page} entry={entry} />
        </div>
      ))}
    </article>
  );
}

function Paging({ page, cursor, next }: { page: PageContext; cursor: string | null; next: string | null }) {
  if (cursor === null && next === null) return null;
  return (
    <nav class="paging" aria-label="Pages of entries">
      {cursor === null ? null : <a href={`${page.basePath}/library`}>First page</a>}
      {next === null ? null : (
        <a rel="next" href={`${page.basePath}/library?cursor=${encodeURIComponent(next)}`}>
          Next page
        </a>
      )}
    </nav>
  );
}
