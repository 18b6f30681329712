// What a kill costs: bytes that Larder had from the origin and does not have in its rows.
import { RangeSet } from '../../src/bytes/range-set.ts';
import type { CacheRows } from './cache-rows.ts';
import { etagOf, type Film } from './film.ts';
import type { OriginJob } from './film-origin.ts';

/** A fetch job at the moment of the kill. */
export interface JobAtKill {
  readonly path: string;
  readonly version: number;
  readonly start: number;
  /** Offset up to which the process had read the body. */
  readonly end: number;
}

/**
 * The jobs of one life of the process, as far as the process had read them. One that it broke off itself is left out:
 * how much of it was read is known to nobody.
 */
export function jobsAtKill(jobs: readonly OriginJob[], undelivered: ReadonlyMap<number, number>): JobAtKill[] {
  const lastOnConnection = new Map(jobs.map((job) => [job.clientPort, job]));
  return jobs
    .filter((job) => job.state !== 'aborted')
    .map((job) => {
      const waiting = lastOnConnection.get(job.clientPort) === job ? (undelivered.get(job.clientPort) ?? 0) : 0;
      return { ...job, end: job.start + Math.max(0, job.sentBytes - waiting) };
    });
}

export interface Loss {
  readonly job: JobAtKill;
  readonly bytes: number;
}

/** What each job had brought and no row has. */
export function lossesOf(
  jobs: readonly JobAtKill[],
  rows: CacheRows,
  seed: number,
  filmOf: (path: string) => Film,
): Loss[] {
  return jobs.map((job) => {
    const stored = rows.films.get(job.path);
    const isSame = stored?.etag === etagOf(filmOf(job.path), seed, job.version);
    const kept = RangeSet.of(isSame ? stored.ranges : []);
    return { job, bytes: job.end - job.start - kept.countWithin(job.start, job.end) };
  });
}

/** Bytes of `jobs` that lie in `ranges`: sent although they were there. */
export function sentAgain(jobs: readonly OriginJob[], ranges: RangeSet): number {
  return jobs.reduce((sum, job) => sum + ranges.countWithin(job.start, job.start + job.sentBytes), 0);
}
