// The database of a running Larder, and of one that is not.
import type { Clock } from '../../clock.ts';
import type { Inspection } from '../../db/inspect.ts';
import { describeAge } from '../../words.ts';
import { type Check, failed, ok, warning } from './finding.ts';

const CHECK_OLD_MS = 21 * 86_400_000;

export interface DatabaseState {
  readonly checkedAtMs: number | null;
  readonly problems: readonly string[];
}

/** Of a running Larder, whose database is looked through about once a week. */
export function databaseCheck(clock: Clock, state: () => DatabaseState): Check {
  return {
    name: 'database',
    title: 'Database',
    run: () => Promise.resolve(describe()),
  };

  function describe() {
    const { checkedAtMs, problems } = state();
    const hint = 'start Larder again: it makes a new database from what stands beside the chunk files';
    if (problems[0] !== undefined) return failed(`the database is damaged: ${problems[0]}`, hint);
    if (checkedAtMs === null) return ok('the database was not looked through yet; Larder does that by itself');
    const detail = `the database was looked through ${describeAge(clock.nowMs() - checkedAtMs)} and is sound`;
    return clock.nowMs() - checkedAtMs > CHECK_OLD_MS
      ? warning(detail, 'Larder looks once a week while it runs: let it run, or see its log')
      : ok(detail);
  }
}

/** While no Larder runs on the folder; the driver is loaded by whoever calls this. */
export function stoppedDatabaseCheck(inspect: () => Promise<Inspection>): Check {
  const name = 'database';
  return {
    name,
    title: 'Database',
    run: async () => {
      const result = await inspect();
      if (result.kind === 'none') return ok('there is no database yet; the first start makes it');
      if (result.kind === 'in-use') return ok(`the database is in use by a running Larder (pid ${result.pid})`);
      if (result.problems.length === 0) return ok(`the database is sound (schema ${result.schema})`);
      const hint =
        'move larder.db away, with its -wal and -shm, and start Larder: it makes a new one from what stands beside the chunk files';
      return result.problems.map((problem) => ({ name, ...failed(`the database is damaged: ${problem}`, hint) }));
    },
  };
}
