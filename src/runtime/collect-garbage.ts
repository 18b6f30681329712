// Where it cannot be left to the runtime when garbage is collected. The database driver closes a connection's files only
// when the last statement made on it was collected: a thread that ends before that leaves them open for the life of the
// process. And a sync of a large library makes garbage faster than memory is given back.

/** Collects garbage now, where the runtime offers that. */
export function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  Bun?.gc(true);
}
