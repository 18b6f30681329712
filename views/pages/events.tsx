import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { describeKind, EventList, type EventProps } from '../parts/event-list.tsx';
import { type LogLineProps, LogList } from '../parts/log-list.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import type { Rendered } from '../render.ts';

/** Empty where nothing is chosen. */
export type EventFilterProps = { kind: string; subject: string; severity: string; q: string };
export type LogFilterProps = { level: string; part: string; q: string };

export type EventsPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  regions: Readonly<Record<string, Rendered>>;
} & (
  | { view: 'events'; filter: EventFilterProps; kinds: readonly string[] }
  | { view: 'log'; filter: LogFilterProps; parts: readonly string[] }
);

/** What happened and why, and the log behind it: two lists under one roof, each with its filters in the address. */
export function EventsPage(props: EventsPageProps) {
  const { page, notice, regions } = props;
  const path = props.view === 'log' ? '/log' : '/events';
  return (
    <Layout page={page} title={props.view === 'log' ? 'Log' : 'Events'} section="/events" notice={notice} live>
      <h1>{props.view === 'log' ? 'Log' : 'Events'}</h1>
      <nav class="tabs" aria-label="Events and log">
        <a href={`${page.basePath}/events`} aria-current={props.view === 'events' ? 'page' : undefined}>
          What happened
        </a>
        <a href={`${page.basePath}/log`} aria-current={props.view === 'log' ? 'page' : undefined}>
          Log
        </a>
      </nav>
      <form method="get" action={page.basePath + path} class="filters">
        {props.view === 'events' ? (
          <>
            <Select name="kind" label="What" value={props.filter.kind} all="Everything">
              {props.kinds.map((kind) => [kind, describeKind(kind)])}
            </Select>
            <Select name="severity" label="How bad" value={props.filter.severity} all="Any">
              {[
                ['warning', 'Warnings'],
                ['error', 'Errors'],
              ]}
            </Select>
            {props.filter.subject === '' ? null : (
              <p class="field">
                <label for="subject">About</label>
                <input id="subject" name="subject" type="text" value={props.filter.subject} />
              </p>
            )}
          </>
        ) : (
          <>
            <Select name="level" label="Level" value={props.filter.level} all="All">
              {[
                ['info', 'Info and worse'],
                ['warning', 'Warnings and errors'],
                ['error', 'Errors'],
              ]}
            </Select>
            <Select name="part" label="Part" value={props.filter.part} all="All parts">
              {props.parts.map((part) => [part, part])}
            </Select>
          </>
        )}
        <p class="field">
          <label for="q">Words</label>
          <input id="q" name="q" type="search" value={props.filter.q} autocomplete="off" />
        </p>
        <button type="submit">Filter</button>
        {Object.values(props.filter).every((value) => value === '') ? null : (
          <a href={page.basePath + path}>Clear the filter</a>
        )}
      </form>
      <section id="list" class="panel" aria-label={props.view === 'log' ? 'Log lines' : 'Events'}>
        {regions.list}
      </section>
    </Layout>
  );
}

type SelectProps = {
  name: string;
  label: string;
  value: string;
  all: string;
  children: readonly (readonly string[])[];
};

function Select({ name, label, value, all, children }: SelectProps) {
  return (
    <p class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">{all}</option>
        {children.map(([choice, words]) => (
          <option value={choice} selected={choice === value}>
            {words}
          </option>
        ))}
      </select>
    </p>
  );
}

export type ListPaging = {
  /** Below the base path; null on the newest page, and on the last. */
  newestPath: string | null;
  olderPath: string | null;
};

export type EventRegionProps = ListPaging & { events: readonly EventProps[]; isFiltered: boolean };

export function EventRegion({ page, events, isFiltered, ...paging }: EventRegionProps & { page: PageContext }) {
  return (
    <>
      {events.length > 0 ? null : (
        <p class="quiet">
          {isFiltered
            ? 'Nothing that is kept fits this filter.'
            : 'Nothing out of the ordinary yet. What goes to make room, damage that was found, and a disk that refuses bytes are told here, each with its reason.'}
        </p>
      )}
      <EventList page={page} events={events} />
      <Paging page={page} {...paging} />
    </>
  );
}

export type LogRegionProps = ListPaging & { lines: readonly LogLineProps[]; isFiltered: boolean };

export function LogRegion({ page, lines, isFiltered, ...paging }: LogRegionProps & { page: PageContext }) {
  return (
    <>
      {lines.length > 0 ? null : (
        <p class="quiet">
          {isFiltered ? 'None of the last thousand lines fits this filter.' : 'Nothing was logged since the start.'}
        </p>
      )}
      <LogList page={page} lines={lines} />
      <Paging page={page} {...paging} />
    </>
  );
}

function Paging({ page, newestPath, olderPath }: ListPaging & { page: PageContext }) {
  return (
    <p class="paging">
      {newestPath === null ? null : <a href={page.basePath + newestPath}>Newest</a>}
      {olderPath === null ? null : <a href={page.basePath + olderPath}>Older</a>}
    </p>
  );
}
