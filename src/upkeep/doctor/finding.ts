// What `larder doctor` and the page of that name say of one thing they looked at.
import type { Clock } from '../../clock.ts';
import { describeError, LarderError } from '../../errors.ts';

export type FindingState = 'ok' | 'warning' | 'failed' | 'unknown';

export interface Finding {
  /** Stable, for scripts: `disk-space`. */
  readonly name: string;
  readonly state: FindingState;
  /** What was found, in a sentence without its full stop. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint: string | null;
}

export interface Check {
  readonly name: string;
  /** What it looks at, as a heading: `Free space`. */
  readonly title: string;
  readonly run: () => Promise<Omit<Finding, 'name'> | readonly Finding[]>;
}

export interface CheckedFinding extends Finding {
  readonly title: string;
}

/** A check that takes longer is told as unknown: a dead network mount answers never. */
const CHECK_MAX_MS = 15_000;

export function ok(detail: string, hint: string | null = null): Omit<Finding, 'name'> {
  return { state: 'ok', detail, hint };
}

export function warning(detail: string, hint: string): Omit<Finding, 'name'> {
  return { state: 'warning', detail, hint };
}

export function failed(detail: string, hint: string): Omit<Finding, 'name'> {
  return { state: 'failed', detail, hint };
}

export function unknown(detail: string, hint: string | null = null): Omit<Finding, 'name'> {
  return { state: 'unknown', detail, hint };
}

/** Runs all at the same time. @returns their findings in the order of the checks */
export async function runChecks(checks: readonly Check[], clock: Clock): Promise<CheckedFinding[]> {
  const results = await Promise.all(checks.map((check) => runCheck(check, clock)));
  return results.flat();
}

async function runCheck(check: Check, clock: Clock): Promise<CheckedFinding[]> {
  const { name, title } = check;
  const late = Promise.withResolvers<Omit<Finding, 'name'>>();
  const timer = clock.after(CHECK_MAX_MS, () =>
    late.resolve(unknown(`there was no answer within ${CHECK_MAX_MS / 1_000} s`, 'a disk or a share may hang')),
  );
  try {
    const result = await Promise.race([check.run(), late.promise]);
    if (isSeveral(result)) return result.map((finding) => ({ ...finding, title }));
    return [{ name, title, ...result }];
  } catch (error) {
    const hint = error instanceof LarderError ? (error.hint ?? null) : null;
    return [{ name, title, state: 'failed', detail: describeError(error), hint }];
  } finally {
    timer.cancel();
  }
}

function isSeveral(result: Awaited<ReturnType<Check['run']>>): result is readonly Finding[] {
  return Array.isArray(result);
}
