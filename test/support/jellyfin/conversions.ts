// Conversions that a stand-in for Jellyfin has running: one job for each play session. A job of one file ends 10 s after
// its last reader left, one of HLS 60 s after the last ping (TranscodeManager.cs, PingTimer).

export interface ConversionJob {
  readonly playSessionId: string;
  readonly deviceId: string;
  readonly itemId: string;
  readonly isHls: boolean;
  readonly query: Readonly<Record<string, string>>;
  readers: number;
  lastPingMs: number;
}

const GROWING_IDLE_MS = 10_000;
const HLS_IDLE_MS = 60_000;

export class Conversions {
  readonly #jobs = new Map<string, ConversionJob>();
  readonly #nowMs: () => number;
  /** Play sessions of jobs that ended, and why. */
  readonly ended: { readonly playSessionId: string; readonly reason: 'stopped' | 'idle' }[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get running(): readonly ConversionJob[] {
    this.#endIdle();
    return [...this.#jobs.values()];
  }

  open(job: Omit<ConversionJob, 'readers' | 'lastPingMs'>): ConversionJob {
    this.#endIdle();
    const running = this.#jobs.get(job.playSessionId) ?? { ...job, readers: 0, lastPingMs: this.#nowMs() };
    this.#jobs.set(job.playSessionId, running);
    return running;
  }

  /** Any play session may be pinged, one that is not known too (PlaystateController.cs, PingPlaybackSession). */
  ping(playSessionId: string): void {
    this.#endIdle();
    const job = this.#jobs.get(playSessionId);
    if (job !== undefined) job.lastPingMs = this.#nowMs();
  }

  stop(playSessionId: string): void {
    if (this.#jobs.delete(playSessionId)) this.ended.push({ playSessionId, reason: 'stopped' });
  }

  readerLeft(job: ConversionJob): void {
    job.readers -= 1;
    job.lastPingMs = this.#nowMs();
  }

  #endIdle(): void {
    for (const job of this.#jobs.values()) {
      const isHeld = !job.isHls && job.readers > 0;
      if (isHeld || this.#nowMs() - job.lastPingMs < (job.isHls ? HLS_IDLE_MS : GROWING_IDLE_MS)) continue;
      this.#jobs.delete(job.playSessionId);
      this.ended.push({ playSessionId: job.playSessionId, reason: 'idle' });
    }
  }
}
