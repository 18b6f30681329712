import { formatBitRate, formatByteRange, formatBytes, formatDuration, formatRate } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { qualityWords } from './quality-words.ts';

export type JobAudience =
  | { kind: 'reader'; address: string }
  | { kind: 'read-ahead'; address: string | null }
  | { kind: 'download' }
  | { kind: 'background-fill' };

export type JobProps = {
  /** Letters, digits, '-' and '_' only: it becomes part of an element's id. */
  id: string;
  title: string;
  quality: string;
  source: string;
  /** The bytes that the job is to bring, half-open; the end may not be known. */
  startBytes: number;
  endBytes: number | null;
  /** How far it has come, counted from the start of the file. */
  positionBytes: number;
  bytesPerSecond: number | null;
  priority: 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW';
  audience: JobAudience;
  /** Why it does not run, in words; null while bytes flow. */
  waitingFor: string | null;
  /** Since when it has been running, or waiting. */
  sinceMs: number | null;
};

export type FetchingProps = { jobs: readonly JobProps[] };

const priorityWords = {
  CRITICAL: 'at once',
  HIGH: 'soon',
  MEDIUM: 'asked for',
  LOW: 'when idle',
} as const satisfies Record<JobProps['priority'], string>;

/** In the order in which the scheduler will do it: shown order is executed order. */
export function Fetching({ page, jobs }: FetchingProps & { page: PageContext }) {
  return (
    <>
      <h2>
        Being fetched now <span class="count">{jobs.length}</span>
      </h2>
      {jobs.length === 0 ? <p class="quiet">Nothing is being fetched.</p> : null}
      <ol class="rows">
        {jobs.map((job) => (
          <Job key={job.id} page={page} {...job} />
        ))}
      </ol>
    </>
  );
}

function Job({ page, ...job }: JobProps & { page: PageContext }) {
  const goal = job.endBytes === null ? ', end unknown' : ` of ${formatByteRange(job.startBytes, job.endBytes)}`;
  const lastedMs = job.sinceMs === null ? 0 : page.nowMs - job.sinceMs;
  const since = lastedMs < 1_000 ? null : formatDuration(lastedMs);
  return (
    <li id={`job-${job.id}`}>
      <h3>
        {job.title} <span class="quality">{qualityWords(job.quality)}</span>
      </h3>
      <dl class="facts">
        <Fact name="Source">{job.source}</Fact>
        <Fact name="For" width="wide">
          {describeAudience(job.audience)}
        </Fact>
        <Fact name="Position" title={`Bytes ${job.positionBytes} of ${job.startBytes} to ${job.endBytes ?? 'unknown'}`}>
          {formatBytes(job.positionBytes)}
          {goal}
        </Fact>
        <Fact name="Rate" title={formatBitRate(job.bytesPerSecond)}>
          {formatRate(job.bytesPerSecond)}
        </Fact>
        <Fact name="Priority">{priorityWords[job.priority]}</Fact>
        <Fact name={job.waitingFor === null ? 'Runs' : 'Waits'}>
          {job.waitingFor === null ? null : <strong class="waiting">{job.waitingFor}</strong>}
          {since === null
            ? job.waitingFor === null
              ? 'just now'
              : null
            : `${job.waitingFor === null ? '' : ', '}for ${since}`}
        </Fact>
      </dl>
    </li>
  );
}

function describeAudience(audience: JobAudience): string {
  switch (audience.kind) {
    case 'reader':
      return `reader ${audience.address}`;
    case 'read-ahead':
      return audience.address === null ? 'read-ahead' : `read-ahead of ${audience.address}`;
    case 'download':
      return 'a download';
    case 'background-fill':
      return 'background fill';
  }
}
