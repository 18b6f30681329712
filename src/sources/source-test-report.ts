// What the test of a source found, as plain values: for pages, the API, and the row that keeps the last one.

export const testStepNames = ['name', 'connect', 'tls', 'sign-in', 'ranges', 'length', 'speed', 'clock'] as const;
export type TestStepName = (typeof testStepNames)[number];

export interface TestStep {
  readonly step: TestStepName;
  /** Null when it was not tried, because an earlier one failed or there is nothing to try. */
  readonly ok: boolean | null;
  readonly ms: number | null;
  /** What was found, in words. */
  readonly detail: string;
  /** What to do. */
  readonly hint: string | null;
}

/** What a source was seen to be capable of; null is not known. */
export interface SourceCapabilities {
  readonly ranges: boolean | null;
  readonly length: boolean | null;
  readonly validator: 'strong ETag' | 'Last-Modified' | 'none' | null;
  readonly firstByteMs: number | null;
  readonly bytesPerSecond: number | null;
}

export interface SourceTestReport {
  readonly atMs: number;
  /** Whether files can be streamed from it, as far as was seen. */
  readonly ok: boolean;
  /** The file that was asked for, below the source; null when only its folder was. */
  readonly file: string | null;
  readonly steps: readonly TestStep[];
  readonly capabilities: SourceCapabilities;
}

/** A report as its row keeps it; null for none, or one of another time. */
export function parseReport(text: string | null): SourceTestReport | null {
  if (text === null) return null;
  try {
    const report = JSON.parse(text) as SourceTestReport;
    return Array.isArray(report.steps) && typeof report.atMs === 'number' ? report : null;
  } catch {
    return null; // not ours
  }
}
