// Ends work that several wait for, and that none of them may end: an answer that trickles in for ever would keep all
// who come later waiting, too.
import type { Clock } from '../../clock.ts';
import { LarderError } from '../../errors.ts';
import { READER_WAIT_MAX_MS } from '../../limits.ts';

/** @throws LarderError `origin-silent` after READER_WAIT_MAX_MS, when no reader waits any more */
export async function withDeadline<Result>(
  clock: Clock,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const timer = clock.after(READER_WAIT_MAX_MS, () => abort.abort());
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new LarderError('origin-silent', `the server took more than ${READER_WAIT_MAX_MS / 1_000} s to answer`, {
      retry: 'soon',
      cause: error,
      hint: 'it may have too much to do: see how fast its own pages are',
    });
  } finally {
    timer.cancel();
  }
}
