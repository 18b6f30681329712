// Waits until a program does nothing.
import { readCpuSeconds } from '../bench/system/process-tree.ts';

export interface QuietOptions {
  /** It must be idle for so long. */
  readonly quietMs: number;
  /** And is looked at as it is after this, idle or not. */
  readonly limitMs: number;
  readonly isBusy: () => boolean;
}

const LOOK_EVERY_MS = 100;
/** Of one processor, while the runtime's collector winds down. */
const IDLE_CPU_SHARE = 0.02;

/** Waits until the program does nothing. @returns whether it came to that */
export async function waitUntilIdle(pid: number, options: QuietOptions): Promise<boolean> {
  const startedAtMs = performance.now();
  let since = { atMs: startedAtMs, cpuSeconds: readCpuSeconds(pid) };
  for (;;) {
    const now = { atMs: performance.now(), cpuSeconds: readCpuSeconds(pid) };
    const usedMs = (now.cpuSeconds - since.cpuSeconds) * 1_000;
    if (options.isBusy() || usedMs > Math.max(20, (now.atMs - since.atMs) * IDLE_CPU_SHARE)) since = now;
    if (now.atMs - since.atMs >= options.quietMs) return true;
    if (now.atMs - startedAtMs >= options.limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
