import { formatBytes, formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from './action-form.tsx';

export type JobProps = {
  id: string;
  action: 'fetch' | 'stop' | 'pin' | 'unpin' | 'drop' | 'restore' | 'verify' | 'recheck';
  state: 'waiting' | 'running' | 'done' | 'stopped';
  /** A title, where it is about one. */
  title: string | null;
  itemCount: number;
  itemsDone: number;
  bytesDone: number;
  damagedBytes: number;
  failureCount: number;
  failures: readonly { mediaId: number; title: string; message: string; hint: string | null }[];
  canRestore: boolean;
};

/** What acts on many, or takes long: how far it is, and what could not be done. */
export function Jobs({ page, jobs }: { page: PageContext; jobs: readonly JobProps[] }) {
  if (jobs.length === 0) return null;
  return (
    <section class="panel jobs" aria-label="Jobs">
      <ul class="rows">
        {jobs.map((job) => (
          <li id={`job-${job.id}`}>
            <Job page={page} job={job} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Job({ page, job }: { page: PageContext; job: JobProps }) {
  const what = job.title ?? formatCount(job.itemCount, 'item');
  const isOpen = job.state === 'waiting' || job.state === 'running';
  return (
    <>
      <p class="job-line">
        {describeJob(job, what)}
        {isOpen ? (
          <ActionForm page={page} action={`/jobs/${job.id}/stop`} label="Stop" name={describeJob(job, what)} />
        ) : job.canRestore ? (
          <ActionForm page={page} action={`/jobs/${job.id}/restore`} label="Bring back" name={what} />
        ) : null}
      </p>
      {isOpen && job.itemCount > 1 ? (
        <progress max={job.itemCount} value={job.itemsDone} aria-label={describeJob(job, what)} />
      ) : null}
      {job.failureCount === 0 ? null : (
        <details class="failures">
          <summary>{formatCount(job.failureCount, 'failure')}</summary>
          <ul>
            {job.failures.map(({ mediaId, title, message, hint }) => (
              <li>
                {mediaId === 0 ? title : <a href={`${page.basePath}/items/${mediaId}`}>{title}</a>}: {message}
                {hint === null ? null : `; ${hint}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const doing = {
  fetch: 'Asking for',
  stop: 'Stopping',
  pin: 'Pinning',
  unpin: 'Unpinning',
  drop: 'Dropping',
  restore: 'Bringing back',
  verify: 'Comparing with checksums:',
  recheck: 'Checking with the origin:',
} as const;

const did = {
  fetch: 'Asked for',
  stop: 'Stopped',
  pin: 'Pinned',
  unpin: 'Unpinned',
  drop: 'Dropped',
  restore: 'Brought back',
  verify: 'Compared with checksums:',
  recheck: 'Checked with the origin:',
} as const;

function describeJob(job: JobProps, what: string): string {
  const count = job.itemCount > 1 ? `${job.itemsDone.toLocaleString('en')} of ${what}` : what;
  if (job.state === 'waiting') return `${doing[job.action]} ${what}: waits for another job`;
  if (job.state === 'running') return `${doing[job.action]} ${count}${bytesOf(job)}`;
  if (job.failureCount > 0 && job.itemCount > 1) {
    const well = Math.max(0, job.itemsDone - job.failureCount);
    return `${did[job.action]} ${well.toLocaleString('en')} of ${what}${bytesOf(job)}${damageOf(job)}`;
  }
  const end = job.state === 'stopped' ? `${did[job.action]} ${count}, then stopped` : `${did[job.action]} ${what}`;
  return `${end}${bytesOf(job)}${damageOf(job)}`;
}

function bytesOf({ action, bytesDone }: JobProps): string {
  return action === 'verify' || action === 'drop' ? `, ${formatBytes(bytesDone)}` : '';
}

function damageOf({ action, damagedBytes }: JobProps): string {
  if (action !== 'verify') return '';
  return damagedBytes === 0 ? ', all as it was fetched' : `, ${formatBytes(damagedBytes)} damaged and given up`;
}
