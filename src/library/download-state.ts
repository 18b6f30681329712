// How far a wish for a whole file is, as pages and the API tell it.
import type { DownloadRow } from '../db/download-queue.ts';

export interface DownloadState {
  /** `failed`: it was given up. */
  readonly state: 'queued' | 'running' | 'failed';
  /** It is under way, and stands still for somebody who plays from the same source. */
  readonly isResting: boolean;
  /** That failed. */
  readonly attempts: number;
  /** Not before; null when it is not tried again. */
  readonly nextAttemptAt: number | null;
  /** What went wrong last, in words. */
  readonly error: string | null;
}

/** @param isAtRest - whether nothing comes of the file because downloads of its source rest */
export function describeDownload(
  { attempts, nextAttemptAt, errorText }: Pick<DownloadRow, 'attempts' | 'nextAttemptAt' | 'errorText'>,
  state: DownloadState['state'],
  isAtRest: boolean,
): DownloadState {
  return {
    state,
    isResting: state === 'running' && isAtRest,
    attempts,
    nextAttemptAt: state === 'queued' ? nextAttemptAt : null,
    error: errorText,
  };
}
