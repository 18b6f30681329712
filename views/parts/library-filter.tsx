import type { PageContext } from '../page-context.ts';
import { availabilityWords, typeWords } from './library-item.tsx';

/** What was chosen, as it stands in the address. */
export type LibraryQueryProps = {
  query: string;
  source: string | null;
  type: string | null;
  availability: 'none' | 'partly' | 'whole' | null;
  unreachable: boolean;
  pinned: boolean;
  sort: 'used' | 'title' | 'size' | 'added';
  view: 'list' | 'grid';
};

export type FacetProps = {
  sources: readonly { name: string; count: number }[];
  types: readonly { name: string; count: number }[];
  availabilities: Readonly<Record<'none' | 'partly' | 'whole', number>>;
  unreachable: number;
  pinned: number;
};

/** The address of the library with these choices: what is as it is by default is left out. */
export function libraryPath(chosen: LibraryQueryProps, more: Readonly<Record<string, string>> = {}): string {
  return `/library${queryText(chosen, more)}`;
}

export function queryText(chosen: LibraryQueryProps, more: Readonly<Record<string, string>> = {}): string {
  const fields = new URLSearchParams();
  if (chosen.query !== '') fields.set('q', chosen.query);
  if (chosen.source !== null) fields.set('source', chosen.source);
  if (chosen.type !== null) fields.set('type', chosen.type);
  if (chosen.availability !== null) fields.set('availability', chosen.availability);
  if (chosen.unreachable) fields.set('unreachable', '1');
  if (chosen.pinned) fields.set('pinned', '1');
  if (chosen.sort !== 'used') fields.set('sort', chosen.sort);
  if (chosen.view !== 'list') fields.set('view', chosen.view);
  for (const [name, value] of Object.entries(more)) fields.set(name, value);
  const text = fields.toString();
  return text === '' ? '' : `?${text}`;
}

/** A plain GET form; htmx sends it while somebody types. */
export function LibraryFilter({
  page,
  chosen,
  facets,
}: {
  page: PageContext;
  chosen: LibraryQueryProps;
  facets: FacetProps;
}) {
  const action = `${page.basePath}/library`;
  return (
    <search>
      <form
        id="filter"
        class="filter"
        method="get"
        action={action}
        data-sparse
        hx-get={action}
        hx-trigger="input delay:200ms, submit"
        hx-target="#library"
        hx-select="#library"
        hx-swap="outerMorph"
        hx-replace-url="true"
        hx-sync="this:replace"
      >
        <div class="filter-words">
          <label class="visually-hidden" for="q">
            Search
          </label>
          <input
            id="q"
            name="q"
            type="search"
            value={chosen.query}
            autocomplete="off"
            placeholder="Title, year, folder"
          />
          <button type="submit">Show</button>
        </div>
        <fieldset class="segments">
          <legend>Here</legend>
          <Choice name="availability" value="" label="All" checked={chosen.availability === null} />
          {(['whole', 'partly', 'none'] as const).map((value) => (
            <Choice
              name="availability"
              value={value}
              label={capitalized(availabilityWords[value].word)}
              count={facets.availabilities[value]}
              checked={chosen.availability === value}
            />
          ))}
        </fieldset>
        <div class="filter-rest">
          <Switch name="pinned" label="Pinned" count={facets.pinned} checked={chosen.pinned} />
          <Switch name="unreachable" label="Unreachable" count={facets.unreachable} checked={chosen.unreachable} />
          <Select id="source" label="Source" all="All sources" chosen={chosen.source} options={facets.sources} />
          <Select
            id="type"
            label="Kind"
            all="All kinds"
            chosen={chosen.type}
            options={facets.types.map(({ name, count }) => ({ name, count, label: typeWords[name] ?? name }))}
          />
          <label class="select">
            <span>Sort</span>
            <select name="sort">
              {sorts.map(([value, label]) => (
                <option value={value === 'used' ? '' : value} selected={chosen.sort === value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        </div>
        {chosen.view === 'list' ? null : <input type="hidden" name="view" value={chosen.view} />}
      </form>
    </search>
  );
}

const sorts = [
  ['used', 'Last played'],
  ['title', 'Title'],
  ['size', 'Largest'],
  ['added', 'Newest here'],
] as const;

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A region of the live page. */
function Count({ name, count }: { name: string; count: number }) {
  return (
    <span class="count" id={`facet-${name}`}>
      {count.toLocaleString('en')}
    </span>
  );
}

type ChoiceProps = { name: string; value: string; label: string; count?: number; checked: boolean };

function Choice({ name, value, label, count, checked }: ChoiceProps) {
  return (
    <label>
      <input type="radio" name={name} value={value} checked={checked} />
      <span>
        {label} {count === undefined ? null : <Count name={value} count={count} />}
      </span>
    </label>
  );
}

function Switch({ name, label, count, checked }: Omit<ChoiceProps, 'value'>) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value="1" checked={checked} />
      <span>
        {label} <Count name={name} count={count ?? 0} />
      </span>
    </label>
  );
}

type Option = { name: string; count: number; label?: string };

function Select(props: { id: string; label: string; all: string; chosen: string | null; options: readonly Option[] }) {
  const { id, label, all, chosen, options } = props;
  const isListed = chosen === null || options.some(({ name }) => name === chosen);
  return (
    <label class="select">
      <span>{label}</span>
      <select name={id}>
        <option value="">{all}</option>
        {options.map(({ name, count, label: words }) => (
          <option value={name} selected={name === chosen}>
            {words ?? name} ({count.toLocaleString('en')})
          </option>
        ))}
        {isListed ? null : (
          <option value={chosen} selected>
            {chosen} (0)
          </option>
        )}
      </select>
    </label>
  );
}
