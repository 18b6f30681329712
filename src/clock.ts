// The only source of time. Everything that waits or dates takes a Clock, so that tests can turn it by hand.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since 1970 UTC: for rows, logs and pages. May jump. */
  nowMs(): number;
  /** Milliseconds that never jump: for durations and deadlines. */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, action: () => void): Timer;
  /** Runs `action` every `periodMs` until cancelled. Does not keep the process alive. */
  every(periodMs: number, action: () => void): Timer;
}

/** Longest delay of a timer; a longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const handle = setTimeout(action, Math.min(delayMs, TIMER_MAX_MS));
    unreference(handle);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, action) {
    const handle = setInterval(action, periodMs);
    unreference(handle);
    return { cancel: () => clearInterval(handle) };
  },
};

/** Node's and Bun's timers are objects with `unref`; a web standard timer is a number that has none. */
function unreference(handle: unknown): void {
  if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as { unref(): void }).unref();
}
