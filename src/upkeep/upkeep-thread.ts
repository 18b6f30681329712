// The upkeep thread: what blocks for long on the database. It has a connection of its own and only reads and
// checkpoints; all writes stay with the main thread.

import { checkpointFile } from '../db/checkpoint.ts';
import { checkDatabaseFile } from '../db/database.ts';
import { describeError } from '../errors.ts';

export type UpkeepRequest =
  | { readonly kind: 'checkpoint'; readonly databaseFile: string }
  /** `calledOff` holds one integer; other than 0 it calls the check off. */
  | { readonly kind: 'check'; readonly databaseFile: string; readonly calledOff: SharedArrayBuffer };

export type UpkeepResult =
  | { readonly kind: 'checkpointed'; readonly error: string | null }
  /** Null: it was called off. */
  | { readonly kind: 'checked'; readonly problems: readonly string[] | null };

async function work(request: UpkeepRequest): Promise<UpkeepResult> {
  if (request.kind === 'check') {
    const calledOff = new Int32Array(request.calledOff);
    const problems = await checkDatabaseFile(request.databaseFile, () => Atomics.load(calledOff, 0) !== 0);
    return { kind: 'checked', problems };
  }
  try {
    await checkpointFile(request.databaseFile);
    return { kind: 'checkpointed', error: null };
  } catch (error) {
    return { kind: 'checkpointed', error: describeError(error) };
  }
}

/** `releaseFiles` is called when the connection was closed: what it still holds goes then. */
export function runUpkeepThread(
  post: (message: UpkeepResult) => void,
  releaseFiles: () => void,
): (message: UpkeepRequest) => void {
  return (message) => {
    void work(message)
      // In a turn of its own, when nothing refers to the connection any more.
      .then((result) => new Promise<UpkeepResult>((resolve) => setImmediate(() => resolve(result))))
      .then((result) => {
        releaseFiles();
        post(result);
      });
  };
}
