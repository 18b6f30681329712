import { formatBytes, formatClock, formatPercent, zoneLabel } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Swatch } from './chunk-map-legend.tsx';
import {
  chartHeight,
  chartWidth,
  columnsPath,
  niceMost,
  ratioHeight,
  sharesPath,
  type TrafficPointProps,
} from './traffic-geometry.ts';

export type TrafficProps = {
  range: string;
  /** Oldest first, at most 120. */
  points: readonly TrafficPointProps[];
  slotMs: number;
  /** Ever since the first start. */
  savedBytes: number;
  hitRatio: number | null;
};

const ranges = [
  ['hour', 'Hour', 'in the last hour'],
  ['day', 'Day', 'in the last 24 hours'],
  ['week', 'Week', 'in the last 7 days'],
  ['quarter', '90 days', 'in the last 90 days'],
] as const;

const dayMs = 86_400_000;
const tableRows = 12;

/** What was served, and how much of it the disk saved from being fetched again. Drawn here, with the same as words. */
export function Traffic({ page, ...traffic }: TrafficProps & { page: PageContext }) {
  const { points, range } = traffic;
  const served = sum(points.map((point) => point.servedBytes));
  const fromDisk = sum(points.map((point) => point.fromDiskBytes));
  const when = ranges.find(([name]) => name === range)?.[2] ?? '';
  return (
    <>
      <div class="panel-head">
        <h2>Saved by the disk</h2>
        <nav class="tabs" aria-label="Time span of the charts">
          {ranges.map(([name, label]) => (
            <a href={`${page.basePath}/?range=${name}`} aria-current={name === range ? 'true' : undefined}>
              {label}
            </a>
          ))}
        </nav>
      </div>
      <p class="traffic-words">
        {served === 0 ? (
          <>Nothing was played {when}.</>
        ) : (
          <>
            <strong>{formatBytes(fromDisk)}</strong> of {formatBytes(served)} came from the disk {when} (
            {formatPercent(fromDisk / served)}).
          </>
        )}{' '}
        <span class="quiet">
          Ever: {formatBytes(traffic.savedBytes)} saved, hit ratio {formatPercent(traffic.hitRatio)}.
        </span>
      </p>
      <Chart page={page} {...traffic} served={served} fromDisk={fromDisk} when={when} />
      <details>
        <summary>As a table</summary>
        <TrafficTable page={page} {...traffic} />
      </details>
    </>
  );
}

type ChartProps = TrafficProps & { page: PageContext; served: number; fromDisk: number; when: string };

function Chart({ page, points, slotMs, served, fromDisk, when }: ChartProps) {
  const most = niceMost(Math.max(0, ...points.map((point) => point.servedBytes)));
  const shares = points.map((point) => (point.servedBytes === 0 ? null : point.fromDiskBytes / point.servedBytes));
  const startMs = points[0]?.atMs ?? 0;
  // The last one is not over yet.
  const endMs = Math.min((points.at(-1)?.atMs ?? 0) + slotMs, page.nowMs);
  const isLong = endMs - startMs > dayMs / 2;
  return (
    <div class="chart">
      <span class="chart-most">{served === 0 ? '' : formatBytes(most)}</span>
      <svg class="traffic" role="img" viewBox={`0 0 ${chartWidth} ${chartHeight}`} preserveAspectRatio="none">
        <title>{`Served ${when}: ${formatBytes(served)}, ${formatBytes(fromDisk)} of it from the disk`}</title>
        <path
          d={columnsPath(
            points.map((point) => point.servedBytes),
            most,
          )}
          fill="url(#chunk-in-flight)"
        />
        <path
          class="whole"
          d={columnsPath(
            points.map((point) => point.fromDiskBytes),
            most,
          )}
        />
      </svg>
      <span class="chart-most">{served === 0 ? '' : '100 %'}</span>
      <svg class="traffic ratio" role="img" viewBox={`0 0 ${chartWidth} ${ratioHeight}`} preserveAspectRatio="none">
        <title>{`Hit ratio ${when}: ${formatPercent(served === 0 ? null : fromDisk / served)}`}</title>
        <path class="ratio-line" d={sharesPath(shares)} vector-effect="non-scaling-stroke" />
      </svg>
      <p class="chart-times">
        <span>{formatClock(startMs, isLong, page.timeZone)}</span>
        <span>
          {formatClock(endMs, isLong, page.timeZone)}
          {zoneLabel(page.timeZone)}
        </span>
      </p>
      <ul class="legend" aria-label="Legend of the charts">
        <li>
          <Swatch>
            <rect class="whole" width="24" height="12" />
          </Swatch>
          from the disk
        </li>
        <li>
          <Swatch>
            <rect width="24" height="12" fill="url(#chunk-in-flight)" />
          </Swatch>
          from sources
        </li>
        <li>
          <Swatch>
            <path class="ratio-line" d="M0 6H24" />
          </Swatch>
          hit ratio
        </li>
      </ul>
    </div>
  );
}

/** A dozen rows that say the same. */
function TrafficTable({ page, points, range }: TrafficProps & { page: PageContext }) {
  const perRow = Math.ceil(points.length / tableRows);
  const rows = Array.from({ length: Math.ceil(points.length / perRow) }, (_, index) =>
    points.slice(index * perRow, (index + 1) * perRow),
  );
  const isLong = range === 'week' || range === 'quarter';
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">From{zoneLabel(page.timeZone)}</th>
          <th scope="col" class="number">
            Served
          </th>
          <th scope="col" class="number">
            From disk
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            <th scope="row">{formatClock(row[0]!.atMs, isLong, page.timeZone)}</th>
            <td class="number">{formatBytes(sum(row.map((point) => point.servedBytes)))}</td>
            <td class="number">{formatBytes(sum(row.map((point) => point.fromDiskBytes)))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
