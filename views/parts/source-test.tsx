import { formatBytes, formatCount, formatRate, formatSentence, formatWait } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { TimeAgo } from './time-ago.tsx';

export type TestStepProps = {
  step: string;
  /** Null: it was not tried. */
  ok: boolean | null;
  ms: number | null;
  detail: string;
  hint: string | null;
};

export type TestReportProps = {
  atMs: number;
  ok: boolean;
  file: string | null;
  steps: readonly TestStepProps[];
  capabilities: {
    ranges: boolean | null;
    length: boolean | null;
    validator: string | null;
    firstByteMs: number | null;
    bytesPerSecond: number | null;
  };
};

const steps = [
  ['name', 'Name'],
  ['connect', 'Connection'],
  ['tls', 'TLS'],
  ['sign-in', 'Sign-in'],
  ['ranges', 'Ranges'],
  ['length', 'Length'],
  ['speed', 'Speed'],
  ['clock', 'Clock'],
] as const;

export type SourceTestProps = {
  /** As far as it has come; all of them when it is over. */
  done: readonly TestStepProps[];
  running: boolean;
};

/** All steps have their rows from the start, so that nothing moves while they fill. */
export function SourceTest({ done, running }: SourceTestProps) {
  const found = new Map(done.map((step) => [step.step, step]));
  return (
    <div class="test-result">
      <ol class="test-steps">
        {steps.map(([name, label], index) => {
          const step = found.get(name);
          const badge = badgeOf(step, running && index === done.length);
          return (
            <li class={step?.ok === false ? 'wrong' : undefined}>
              <span class="step-name">{label}</span>
              <span class={`badge ${badge.tone}`}>{badge.word}</span>
              <span class="step-ms">{step?.ms ? formatStep(step.ms) : ''}</span>
              <span class="step-detail">
                {step === undefined ? '' : formatSentence(step.detail)}
                {step?.hint ? <span class="hint"> {formatSentence(step.hint)}</span> : null}
              </span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function formatStep(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : formatWait(ms);
}

function badgeOf(step: TestStepProps | undefined, isNext: boolean): { tone: string; word: string } {
  if (step === undefined) return isNext ? { tone: 'neutral', word: 'Trying' } : { tone: 'neutral', word: 'Waiting' };
  if (step.ok === null) return { tone: 'neutral', word: 'Skipped' };
  // What works and comes with advice is to be looked at.
  if (step.ok && step.hint !== null) return { tone: 'attention', word: 'Note' };
  return step.ok ? { tone: 'well', word: 'Works' } : { tone: 'failing', word: 'Wrong' };
}

/** In one sentence what a test came to. */
export function testOutcome({ ok, steps, file }: Pick<TestReportProps, 'ok' | 'steps' | 'file'>): string {
  const wrong = steps.filter((step) => step.ok === false);
  if (!ok) return `It does not work: ${wrong[0]?.detail ?? 'the test did not end'}.`;
  if (wrong.length > 0) return `It works, with ${formatCount(wrong.length, 'limit')}: ${wrong[0]!.detail}.`;
  if (file !== null) return 'It works.';
  const signIn = steps.find((step) => step.step === 'sign-in');
  return `${formatSentence(signIn?.detail ?? 'it answers')} Give a file below to test the rest.`;
}

function OutcomeBadge({ report: { ok, file } }: { report: TestReportProps }) {
  if (!ok) return <span class="badge failing">Failed</span>;
  return file === null ? <span class="badge attention">Not all tested</span> : <span class="badge well">Works</span>;
}

/** The last test of a source as it is saved, folded away. */
export function LastTest({ page, report }: { page: PageContext; report: TestReportProps }) {
  const { capabilities } = report;
  const said = (value: boolean | null, yes: string, no: string) => (value === null ? 'unknown' : value ? yes : no);
  return (
    <>
      <p>
        <OutcomeBadge report={report} /> {testOutcome(report)} Tested <TimeAgo atMs={report.atMs} page={page} />
        {report.file === null ? '.' : ` with ${report.file}.`}
      </p>
      <dl class="facts">
        <Fact name="Seeking">{said(capabilities.ranges, 'from any place', 'from the start only')}</Fact>
        <Fact name="Lengths">{said(capabilities.length, 'told', 'not told')}</Fact>
        <Fact name="Versions told by">{capabilities.validator ?? 'unknown'}</Fact>
        <Fact name="First byte after">
          {capabilities.firstByteMs === null ? 'unknown' : formatStep(capabilities.firstByteMs)}
        </Fact>
        <Fact name="Speed">{formatRate(capabilities.bytesPerSecond)}</Fact>
      </dl>
      <details class="last-steps">
        <summary>Every step of it</summary>
        <SourceTest done={report.steps} running={false} />
      </details>
    </>
  );
}

/** "12 entries with 3.40 GB, 2 of them pinned". */
export function describeHoldings(holdings: { entryCount: number; pinnedCount: number; cachedBytes: number }): string {
  const pinned = holdings.pinnedCount === 0 ? '' : `, ${holdings.pinnedCount.toLocaleString('en')} of them pinned`;
  return `${formatCount(holdings.entryCount, 'entry', 'entries')} with ${formatBytes(holdings.cachedBytes)}${pinned}`;
}
