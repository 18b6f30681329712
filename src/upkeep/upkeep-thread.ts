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

export function runUpkeepThread(post: (message: CheckpointResult) => void): (message: CheckpointRequest) => void {
  return (message) => {
    void checkpointFile(message.databaseFile).then(
      () => post({ kind: 'checkpointed', error: null }),
      (error: unknown) => post({ kind: 'checkpointed', error: describeError(error) }),
    );
  };
}
