// The database driver closes a connection's files only when the last statement made on it was collected. A thread that
// ends before that leaves them open for the life of the process; so it asks the runtime to collect first.

/** Collects garbage now, where the runtime offers that. */
export function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  Bun?.gc(true);
}
