// The upkeep thread: what blocks for long on the database. It has a connection of its own and only reads and
// checkpoints; all writes stay with the main thread.

import { checkpointFile } from '../db/checkpoint.ts';
import { describeError } from '../errors.ts';

export interface CheckpointRequest {
  readonly kind: 'checkpoint';
  readonly databaseFile: string;
}

export interface CheckpointResult {
  readonly kind: 'checkpointed';
  readonly error: string | null;
}

/** `releaseFiles` is called when the connection was closed: what it still holds goes then. */
export function runUpkeepThread(
  post: (message: CheckpointResult) => void,
  releaseFiles: () => void,
): (message: CheckpointRequest) => void {
  return (message) => {
    void checkpointFile(message.databaseFile)
      .then(
        () => null,
        (error: unknown) => describeError(error),
      )
      // In a turn of its own, when nothing refers to the connection any more.
      .then((error) => new Promise<string | null>((resolve) => setImmediate(() => resolve(error))))
      .then((error) => {
        releaseFiles();
        post({ kind: 'checkpointed', error });
      });
  };
}
