// An origin as scenarios see it: somewhere that serves files and counts what it gave away.
import { setTimeout as sleep } from 'node:timers/promises';

export interface OriginCount {
  readonly requests: number;
  /** Body bytes handed to the kernel; when a client leaves, what still lay in the socket's buffer is included. */
  readonly bodyBytes: number;
}

export interface Origin {
  /** Ends with a slash. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** What was given of one file, or of all together. */
  count(fileName?: string): Promise<OriginCount>;
  stop(): Promise<void>;
}

/** Waits until nothing has been given for `quietMs`, at most `limitMs`; tells whether it fell quiet. */
export async function waitUntilQuiet(origin: Origin, quietMs = 300, limitMs = 10_000): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  let lastBytes = -1;
  let quietSinceMs = performance.now();
  while (performance.now() < deadlineMs) {
    const { bodyBytes, requests } = await origin.count();
    if (bodyBytes + requests !== lastBytes) {
      lastBytes = bodyBytes + requests;
      quietSinceMs = performance.now();
    } else if (performance.now() - quietSinceMs >= quietMs) return true;
    await sleep(25);
  }
  return false;
}
