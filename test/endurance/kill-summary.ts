// What rounds of kill -9 found, in figures.

export interface KillSummary {
  rounds: number;
  kills: number;
  killsBeforeListening: number;
  jobsAtKills: number;
  verifiedBytes: number;
  largestLossBytes: number;
  /** Sent by the origin a second time, because a kill had lost it. */
  resentBytes: number;
  wholeReads: number;
  readonly startMs: number[];
  longestStopMs: number;
}

export function emptySummary(): KillSummary {
  return {
    rounds: 0,
    kills: 0,
    killsBeforeListening: 0,
    jobsAtKills: 0,
    verifiedBytes: 0,
    largestLossBytes: 0,
    resentBytes: 0,
    wholeReads: 0,
    startMs: [],
    longestStopMs: 0,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

export function summaryText(summary: KillSummary, seed: number): string {
  return `rounds               ${summary.rounds} (seed ${seed})
kills                ${summary.kills}, ${summary.killsBeforeListening} of them before it listened
fetch jobs at kills  ${summary.jobsAtKills}
verified             ${megabytes(summary.verifiedBytes)}, ${summary.wholeReads} whole films
largest re-fetch     ${megabytes(summary.largestLossBytes)} of one job; ${megabytes(summary.resentBytes)} sent again in all
start                median ${median(summary.startMs).toFixed(0)} ms, most ${Math.max(...summary.startMs).toFixed(0)} ms
stop                 most ${summary.longestStopMs.toFixed(0)} ms`;
}
