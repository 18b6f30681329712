import { connect } from './database.ts';

/**
 * Moves the write-ahead log into the database file. PASSIVE: it never waits for, nor holds up, the main thread's
 * writes. Blocks for an fsync or more: for the upkeep thread.
 */
export async function checkpointFile(databaseFile: string): Promise<void> {
  const client = connect(databaseFile);
  try {
    await client.execute('PRAGMA wal_checkpoint(PASSIVE)');
  } finally {
    client.close();
  }
}
