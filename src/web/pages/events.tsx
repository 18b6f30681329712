// What happened and why, and the log: live on their first page, older ones page by page, with filters in the address.
import {
  type EventFilterProps,
  EventRegion,
  EventsPage,
  type ListPaging,
  type LogFilterProps,
  LogRegion,
} from '../../../views/pages/events.tsx';
import type { EventProps } from '../../../views/parts/event-list.tsx';
import type { LogLineProps } from '../../../views/parts/log-list.tsx';
import type { EventFilter, EventRow, Severity } from '../../db/events.ts';
import type { LogLevel } from '../../log.ts';
import { type LogFilter, type LogLine, logLevels } from '../../upkeep/log-ring.ts';
import { type IsCatalogue, subjectWords } from '../entry-words.ts';
import { parseId } from '../parse-id.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

const EVENTS_PER_PAGE = 50;
const LINES_PER_PAGE = 100;
const TEXT_MAX = 200;
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error'];

export function addEventPages(
  routes: Routes,
  { events, logRing, isCatalogue }: Pick<WebServices, 'events' | 'logRing' | 'isCatalogue'>,
): void {
  routes.livePage({
    path: '/events',
    need: 'owner',
    regions: async ({ page, query }) => {
      const filter = eventFilterIn(query);
      const before = parseId(query.get('before'));
      const rows = await events.list(filterOf(filter), EVENTS_PER_PAGE + 1, before);
      const shown = rows.slice(0, EVENTS_PER_PAGE);
      const paging = pagingOf('/events', filter, before, rows.length > EVENTS_PER_PAGE ? shown.at(-1)?.id : undefined);
      const isFiltered = Object.values(filter).some((value) => value !== '');
      return {
        list: (
          <EventRegion
            page={page}
            events={shown.map((row) => eventProps(row, isCatalogue))}
            isFiltered={isFiltered}
            {...paging}
          />
        ),
      };
    },
    render: async ({ page, query }, regions, notice) => (
      <EventsPage
        page={page}
        notice={notice}
        view="events"
        filter={eventFilterIn(query)}
        kinds={await events.listKinds()}
        regions={regions}
      />
    ),
  });

  routes.livePage({
    path: '/log',
    need: 'owner',
    regions: async ({ page, query }) => {
      const filter = logFilterIn(query);
      const before = parseId(query.get('before'));
      const lines = logRing.list(logFilterOf(filter), LINES_PER_PAGE + 1, before);
      const shown = lines.slice(0, LINES_PER_PAGE);
      const paging = pagingOf('/log', filter, before, lines.length > LINES_PER_PAGE ? shown.at(-1)?.id : undefined);
      const isFiltered = Object.values(filter).some((value) => value !== '');
      return { list: <LogRegion page={page} lines={shown.map(lineProps)} isFiltered={isFiltered} {...paging} /> };
    },
    render: ({ page, query }, regions, notice) => (
      <EventsPage
        page={page}
        notice={notice}
        view="log"
        filter={logFilterIn(query)}
        parts={logRing.parts()}
        regions={regions}
      />
    ),
  });
}

export function eventProps({ id, at, kind, subject, severity, text }: EventRow, isCatalogue: IsCatalogue): EventProps {
  return { id: String(id), atMs: at, kind, subject, words: subjectWords(subject, isCatalogue), severity, text };
}

function lineProps({ id, atMs, level, part, message, fields }: LogLine): LogLineProps {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return { id: String(id), atMs, level, part, message, fields: words };
}

function textIn(query: URLSearchParams, name: string): string {
  return (query.get(name) ?? '').trim().slice(0, TEXT_MAX);
}

function eventFilterIn(query: URLSearchParams): EventFilterProps {
  const severity = SEVERITIES.find((name) => name === query.get('severity')) ?? '';
  return { kind: textIn(query, 'kind'), subject: textIn(query, 'subject'), severity, q: textIn(query, 'q') };
}

function logFilterIn(query: URLSearchParams): LogFilterProps {
  const level = logLevels.find((name) => name === query.get('level')) ?? '';
  return { level, part: textIn(query, 'part'), q: textIn(query, 'q') };
}

function filterOf({ kind, subject, severity, q }: EventFilterProps): EventFilter {
  return {
    kind: kind || undefined,
    subject: subject || undefined,
    severity: (severity || undefined) as Severity | undefined,
    text: q || undefined,
  };
}

function logFilterOf({ level, part, q }: LogFilterProps): LogFilter {
  return { level: (level || undefined) as LogLevel | undefined, part: part || undefined, text: q || undefined };
}

function pagingOf(
  path: string,
  filter: Readonly<Record<string, string>>,
  before: number | null,
  last: number | undefined,
): ListPaging {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ''));
  const address = (extra: string) => {
    const text = [query.toString(), extra].filter((part) => part !== '').join('&');
    return text === '' ? path : `${path}?${text}`;
  };
  return {
    newestPath: before === null ? null : address(''),
    olderPath: last === undefined ? null : address(`before=${last}`),
  };
}
