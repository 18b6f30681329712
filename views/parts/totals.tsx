import { formatBytes, formatMoment, formatPercent } from '../format.ts';
import type { PageContext } from '../page-context.ts';

export type TotalsProps = {
  entryCount: number | null;
  /** Share of the served bytes that came from the disk, 0 to 1; null as long as nothing was served. */
  hitRatio: number | null;
  servedBytes: number | null;
  originBytes: number | null;
  /** From when on served and fetched bytes are counted. */
  countedSinceMs: number | null;
};

export function Totals(props: TotalsProps & { page: PageContext }) {
  const since = props.countedSinceMs === null ? undefined : `Since ${formatMoment(props.countedSinceMs)}`;
  return (
    <dl class="totals">
      <Total name="Entries" value={props.entryCount === null ? 'unknown' : props.entryCount.toLocaleString('en')} />
      <Total
        name="Hit ratio"
        value={formatPercent(props.hitRatio)}
        title="Share of the served bytes that came from the disk"
      />
      <Total name="Served to players" value={formatBytes(props.servedBytes)} title={since} />
      <Total name="Fetched from sources" value={formatBytes(props.originBytes)} title={since} />
    </dl>
  );
}

function Total({ name, value, title }: { name: string; value: string; title?: string | undefined }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
