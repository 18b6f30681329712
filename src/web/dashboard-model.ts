// What the first page says, as plain values.

import { formatBytes, formatCount, formatSentence, formatSince } from '../../views/format.ts';
import type { PageContext } from '../../views/page-context.ts';
import type { AlertProps } from '../../views/parts/alerts.tsx';
import type { AnswerProps } from '../../views/parts/answers.tsx';
import type { HeadlineProps } from '../../views/parts/headline.tsx';
import type { SourceStateProps } from '../../views/parts/source-states.tsx';
import type { TrafficProps } from '../../views/parts/traffic-chart.tsx';
import type { OpenReader } from '../proxy/readers.ts';
import type { Alert, AlertKind } from '../upkeep/alerts.ts';
import type { SourceState } from '../upkeep/source-health.ts';
import type { Status } from '../upkeep/status.ts';
import type { ChartRange, TrafficChart } from '../upkeep/traffic-history.ts';
import { type IsCatalogue, subjectWords } from './entry-words.ts';
import { describeWait } from './reader-words.ts';

const DAY_MS = 86_400_000;
/** A forecast beyond this says nothing worth knowing. */
const FORECAST_DAYS_MAX = 365;

export interface NamedSource {
  readonly id: number;
  readonly name: string;
  readonly state: SourceState | undefined;
}

/** When it is for the visitor. */
type Moment = Pick<PageContext, 'nowMs' | 'timeZone'>;

export function headlineOf(
  sources: readonly NamedSource[],
  alerts: readonly Alert[],
  readerCount: number,
  page: Moment,
): HeadlineProps {
  const watching = readerCount === 0 ? 'Nobody is watching.' : `${formatCount(readerCount, 'reader')}.`;
  if (sources.length === 0) {
    return {
      tone: 'attention',
      sentence: 'Larder runs, and has no source yet.',
      advice: 'Add one under Sources: that is where films come from.',
    };
  }
  const [worst] = alerts;
  if (worst === undefined) return { tone: 'well', sentence: `All is well. ${watching}` };
  const faults = [spaceFault(alerts), failingFault(alerts, page)].filter((fault) => fault !== null);
  const sentence = faults.length > 0 ? faults.join(' ') : formatSentence(worst.title);
  return {
    tone: worst.severity === 'error' ? 'failing' : 'attention',
    sentence: `${sentence} ${watching}`,
    advice: worst.advice === null ? null : formatSentence(worst.advice),
    advicePath: worst.kind === 'no-room' || worst.kind === 'disk-refused' ? '/storage' : null,
  };
}

function spaceFault(alerts: readonly Alert[]): string | null {
  const space = alerts.find((alert) => alert.kind === 'disk-refused' || alert.kind === 'no-room');
  return space === undefined ? null : `Nothing can be cached: ${space.cause}; streams go on uncached.`;
}

function failingFault(alerts: readonly Alert[], { nowMs, timeZone }: Moment): string | null {
  const failing = alerts.filter((alert) => alert.kind === 'source-failing');
  if (failing.length === 0) return null;
  if (failing.length > 1) {
    const sinceMs = Math.min(...failing.map((alert) => alert.sinceMs ?? nowMs));
    const since = formatSince(sinceMs, nowMs, timeZone);
    return `${failing.length} sources do not answer, the first since ${since}; what is cached plays on.`;
  }
  const names = failing.map(
    ({ subject, sinceMs }) => `${subject} does not answer since ${formatSince(sinceMs ?? nowMs, nowMs, timeZone)}`,
  );
  return `${names.join(', ')}; what is cached plays on.`;
}

export interface AnswerFacts {
  readonly status: Status;
  readonly roomBytes: number;
  readonly readers: readonly OpenReader[];
  readonly week: TrafficChart;
  /** Of which something is here. */
  readonly keptItems: number;
  readonly isOwner: boolean;
}

export function answersOf(
  { status, roomBytes, readers, week, keptItems, isOwner }: AnswerFacts,
  nowMs: number,
): AnswerProps[] {
  const ownerPath = (path: string) => (isOwner ? path : null);
  const waiting = readers.filter((reader) => reader.waiting !== null);
  const [firstWaiting] = waiting;
  const { queued, running } = status.jobs;
  const isRefused = status.alerts.some((alert) => alert.kind === 'disk-refused');
  const isStuck = status.alerts.some((alert) => alert.kind === 'no-room');
  return [
    {
      name: 'Playing',
      value: readers.length === 0 ? 'Nobody' : formatCount(readers.length, 'reader'),
      detail:
        firstWaiting === undefined
          ? readers.length === 0
            ? 'nobody waits'
            : 'none of them waits'
          : `${waiting.length === 1 ? 'one waits' : `${waiting.length} wait`} ${describeWait(firstWaiting.waiting!, nowMs)}`,
      isWaiting: firstWaiting !== undefined,
      path: ownerPath('/activity'),
    },
    isRefused
      ? {
          name: 'Room',
          value: 'Refused',
          detail: 'the disk takes nothing',
          isWaiting: true,
          path: ownerPath('/storage'),
        }
      : {
          name: 'Room',
          value: roomBytes > 0 && !isStuck ? formatBytes(roomBytes) : 'Full',
          detail: isStuck
            ? 'and nothing may go: in use or pinned'
            : roomBytes > 0
              ? `of ${formatBytes(status.space.capBytes)}`
              : 'the oldest makes room for what comes',
          isWaiting: isStuck,
          path: ownerPath('/storage'),
        },
    {
      name: 'Kept',
      value: formatBytes(status.space.usedBytes),
      detail: `of ${formatCount(keptItems, 'item')}`,
      isWaiting: false,
      path: '/library',
    },
    {
      name: 'Next',
      value: queued === 0 ? 'Nothing queued' : `${queued.toLocaleString('en')} to fetch`,
      detail:
        queued > 0
          ? `${formatCount(running, 'request')} under way`
          : isStuck
            ? 'what comes is passed on, and not kept'
            : describeForecast(roomBytes, week),
      isWaiting: false,
      path: ownerPath('/activity#wishes'),
    },
  ];
}

/** When the cache is at its size, at the rate of the last week. */
export function describeForecast(roomBytes: number, week: TrafficChart): string {
  if (roomBytes <= 0) return 'each new film makes an old one go';
  const begun = week.points.findIndex((point) => point.originBytes > 0);
  if (begun < 0) return 'nothing was fetched this week';
  const fetched = week.points.reduce((sum, point) => sum + point.originBytes, 0);
  // At least a day: an hour of playing is no rate to foresee months by.
  const days = Math.max(1, ((week.points.length - begun) * week.slotMs) / DAY_MS);
  const left = (roomBytes / fetched) * days;
  if (left > FORECAST_DAYS_MAX) return 'room for more than a year';
  return left < 1
    ? 'full within a day at this week’s rate'
    : `full in ${formatCount(Math.floor(left), 'day')} at this week’s rate`;
}

const ALERT_PATHS: Readonly<Record<AlertKind, (alert: Alert) => string>> = {
  'source-failing': ({ subject }) => `/sources/${encodeURIComponent(subject)}`,
  'disk-refused': () => '/storage',
  'no-room': () => '/storage',
  damaged: ({ subject }) => `/events?kind=damaged&subject=${encodeURIComponent(subject)}`,
  'untrusted-proxy': () => '/doctor',
};

export function alertProps(alert: Alert, isCatalogue: IsCatalogue): AlertProps {
  const { id, severity, title, sinceMs, meanwhile, advice } = alert;
  const cause = alert.kind === 'damaged' ? withWords(alert, isCatalogue) : alert.cause;
  return { id, severity, title, sinceMs, cause, meanwhile, advice, path: ALERT_PATHS[alert.kind](alert) };
}

/** The cause begins with the file that it is about. */
function withWords({ subject, cause }: Alert, isCatalogue: IsCatalogue): string {
  return cause.startsWith(subject) ? subjectWords(subject, isCatalogue) + cause.slice(subject.length) : cause;
}

export function sourceProps({ id, name, state }: NamedSource, countRunning: (id: number) => number): SourceStateProps {
  const failingSinceMs = state?.failingSince ?? null;
  return {
    name,
    state: failingSinceMs !== null ? 'failing' : state?.lastSuccessAt != null ? 'well' : 'untried',
    failingSinceMs,
    lastSuccessAtMs: state?.lastSuccessAt ?? null,
    requestsInFlight: countRunning(id),
  };
}

export function trafficProps(chart: TrafficChart, { totals, hitRatio }: Status): TrafficProps {
  return {
    range: chart.range,
    slotMs: chart.slotMs,
    points: chart.points.map(({ atMs, servedBytes, servedFromDiskBytes }) => ({
      atMs,
      servedBytes,
      fromDiskBytes: servedFromDiskBytes,
    })),
    savedBytes: totals.servedFromDiskBytes,
    hitRatio,
  };
}

export function isChartRange(text: string | null, ranges: readonly ChartRange[]): text is ChartRange {
  return ranges.some((range) => range === text);
}
