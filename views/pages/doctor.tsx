import { formatCount, formatSentence } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import type { NoticeProps } from '../parts/notice.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';

export type FindingProps = {
  name: string;
  title: string;
  state: 'ok' | 'warning' | 'failed' | 'unknown';
  detail: string;
  hint: string | null;
};

export type DiagnosisProps = {
  page: PageContext;
  findings: readonly FindingProps[];
  checkedAtMs: number;
};

const states = {
  failed: { tone: 'failing', word: 'Failed' },
  warning: { tone: 'attention', word: 'Look at this' },
  unknown: { tone: 'neutral', word: 'Unknown' },
  ok: { tone: 'well', word: 'Well' },
} as const;

const order = ['failed', 'warning', 'unknown', 'ok'] as const;

/** What needs somebody comes first. */
export function Diagnosis({ page, findings, checkedAtMs }: DiagnosisProps) {
  const sorted = order.flatMap((state) => findings.filter((finding) => finding.state === state));
  return (
    <>
      <p class="headline">{headlineOf(findings)}</p>
      <p class="quiet">
        Checked <TimeAgo atMs={checkedAtMs} page={page} />.
      </p>
      <ul class="rows findings">
        {sorted.map(({ title, state, detail, hint }) => (
          <li>
            <h2>
              {title} <span class={`badge ${states[state].tone}`}>{states[state].word}</span>
            </h2>
            <p>{formatSentence(detail)}</p>
            {hint === null ? null : (
              <p class="finding-hint">
                <strong>What to do: </strong>
                {formatSentence(hint)}
              </p>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function headlineOf(findings: readonly FindingProps[]): string {
  const failed = findings.filter(({ state }) => state === 'failed').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  const toLookAt = `${formatCount(warnings, 'thing')} to look at`;
  if (failed > 0) return `${formatCount(failed, 'check')} failed${warnings > 0 ? `, and ${toLookAt}` : ''}.`;
  return warnings > 0 ? `Nothing failed; ${toLookAt}.` : 'All is well.';
}

export type DoctorPageProps = DiagnosisProps & { notice?: NoticeProps | null };

export function DoctorPage({ page, notice = null, ...diagnosis }: DoctorPageProps) {
  return (
    <Layout page={page} title="Doctor" section="/doctor" notice={notice}>
      <h1>Doctor</h1>
      <form
        method="post"
        action={`${page.basePath}/doctor/check`}
        hx-post={`${page.basePath}/doctor/check`}
        hx-swap="none"
      >
        <button type="submit">Check again</button>
      </form>
      <section class="panel" id="diagnosis" aria-label="What was found">
        <Diagnosis page={page} {...diagnosis} />
      </section>
      <p class="quiet">
        <code>larder doctor</code> tells the same on the command line, also when Larder does not start.
      </p>
    </Layout>
  );
}
