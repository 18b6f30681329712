// The first page: is it well, who plays, is there room, what comes next.
import { DashboardPage, SpaceRegion } from '../../../views/pages/dashboard.tsx';
import { Alerts } from '../../../views/parts/alerts.tsx';
import { Answers } from '../../../views/parts/answers.tsx';
import { EventList } from '../../../views/parts/event-list.tsx';
import { Headline } from '../../../views/parts/headline.tsx';
import { PlayingList } from '../../../views/parts/playing-list.tsx';
import { SourceStates } from '../../../views/parts/source-states.tsx';
import { Traffic } from '../../../views/parts/traffic-chart.tsx';
import { EVERYTHING } from '../../library/item-filter.ts';
import { chartRanges, type TrafficChart } from '../../upkeep/traffic-history.ts';
import { isOwner } from '../caller.ts';
import { alertProps, answersOf, headlineOf, isChartRange, sourceProps, trafficProps } from '../dashboard-model.ts';
import { describeTrouble } from '../describe-trouble.ts';
import { readerProps } from '../reader-words.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { eventProps } from './events.tsx';

const EVENTS_SHOWN = 8;
/** A chart is of what flowed up to a few seconds ago: its text changes no more often than it is looked at. */
const CHART_AGE_MS = 10_000;

type DashboardServices = Pick<
  WebServices,
  | 'readers'
  | 'fetchJobs'
  | 'items'
  | 'storage'
  | 'traffic'
  | 'events'
  | 'status'
  | 'namedSources'
  | 'library'
  | 'isCatalogue'
  | 'clock'
>;

export function addDashboardPage(routes: Routes, services: DashboardServices): void {
  const { readers, fetchJobs, items, storage, traffic, events, status, namedSources, library, isCatalogue, clock } =
    services;
  const charts = new Map<string, { readonly atMs: number; readonly chart: Promise<TrafficChart> }>();

  function chartOf(range: TrafficChart['range']): Promise<TrafficChart> {
    const nowMs = clock.monotonicMs();
    const known = charts.get(range);
    if (known !== undefined && nowMs - known.atMs < CHART_AGE_MS) return known.chart;
    const chart = traffic.chart(range);
    charts.set(range, { atMs: nowMs, chart });
    chart.catch(() => charts.delete(range));
    return chart;
  }

  routes.livePage({
    path: '/',
    need: 'viewer',
    regions: async ({ page, query, caller }) => {
      const { nowMs } = page;
      const mayChange = isOwner(caller);
      const asked = query.get('range');
      const chart = await chartOf(isChartRange(asked, chartRanges) ? asked : 'day');
      const week = await chartOf('week');
      const open = readers.list();
      const now = await status.get();
      const disk = await storage.state();
      const sources = namedSources();
      const { total: whole } = await library.count({ ...EVERYTHING, availability: 'whole' });
      const { total: partly } = await library.count({ ...EVERYTHING, availability: 'partly' });
      const keptItems = whole + partly;
      const facts = { status: now, roomBytes: disk.roomBytes, readers: open, week, keptItems, isOwner: mayChange };
      const forAll = {
        headline: (
          <Headline
            page={page}
            {...headlineOf(sources, now.alerts, open.length, page)}
            {...(mayChange ? {} : { advicePath: null })}
          />
        ),
        answers: <Answers page={page} answers={answersOf(facts, nowMs)} />,
        traffic: <Traffic page={page} {...trafficProps(chart, now)} />,
        space: <SpaceRegion page={page} disk={disk} trouble={describeTrouble(disk.trouble)} mayChange={mayChange} />,
      };
      if (!mayChange) return forAll;
      const itemPathOf = await items.pathsOf(open.map((reader) => reader.entryId));
      const latest = await events.list({}, EVENTS_SHOWN, null);
      return {
        ...forAll,
        readers: (
          <PlayingList page={page} readers={open.map((reader) => readerProps(reader, itemPathOf, false, nowMs))} />
        ),
        alerts: <Alerts page={page} alerts={now.alerts.map((alert) => alertProps(alert, isCatalogue))} />,
        sources: (
          <SourceStates
            page={page}
            sources={sources.map((source) => sourceProps(source, (id) => fetchJobs.countRunning(id)))}
          />
        ),
        events: (
          <>
            <h2>
              <a href={`${page.basePath}/events`}>Latest events</a>
            </h2>
            {latest.length > 0 ? null : <p class="quiet">Nothing out of the ordinary yet.</p>}
            <EventList page={page} events={latest.map((row) => eventProps(row, isCatalogue))} />
          </>
        ),
      };
    },
    render: ({ page }, regions, notice) => <DashboardPage page={page} notice={notice} regions={regions} />,
  });
}
