// How fast a client wants to read, as a function for Exchange.pace.

/** Reads no faster than this, counted from the first piece on. */
export function paceOf(bytesPerSecond: number): (receivedBytes: number) => number {
  let startedAtMs = Number.NaN;
  return (receivedBytes) => {
    if (Number.isNaN(startedAtMs)) startedAtMs = performance.now();
    return startedAtMs + (receivedBytes / bytesPerSecond) * 1000 - performance.now();
  };
}
