/** Lets requests be served: statements of the database resolve without giving the loop a turn. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
