import type { Child } from 'hono/jsx';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import type { NoticeProps } from './notice.tsx';

export type SetupFrameStep = {
  /** Last part of its address: `/setup/NAME`. */
  name: string;
  title: string;
  state: 'open' | 'done' | 'skipped';
};

export type SetupFrameProps = {
  page: PageContext;
  /** All steps behind the claim, in their order. */
  steps: readonly SetupFrameStep[];
  /** Name of the one that is shown; null for the claim. */
  current: string | null;
  /** What this step is about, as a heading. */
  title: string;
  notice?: NoticeProps | null;
  /** The content has its own way on: there is nothing to skip. */
  isDone?: boolean;
  children?: Child;
};

const words = { open: 'to do', done: 'done', skipped: 'skipped' } as const;

type StepsProps = {
  page: PageContext;
  all: readonly { name: string | null; title: string; state: SetupFrameStep['state'] }[];
  current: string | null;
};

function Steps({ page, all, current }: StepsProps) {
  const index = all.findIndex(({ name }) => name === current);
  return (
    <>
      <p class="quiet" id="setup-step">
        Set-up, step {index + 1} of {all.length}
      </p>
      <ol class="setup-steps" aria-labelledby="setup-step">
        {all.map((step) => (
          <li aria-current={step.name === current ? 'step' : undefined} class={step.state}>
            {step.name === null || step.name === current || current === null ? (
              step.title
            ) : (
              <a href={`${page.basePath}/setup/${step.name}`}>{step.title}</a>
            )}
            <span class="visually-hidden"> ({step.name === current ? 'now' : words[step.state]})</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** One step of the first run. Below its content stands the way past it. */
export function SetupFrame({ page, steps, current, title, notice = null, isDone = false, children }: SetupFrameProps) {
  const all = [{ name: null, title: 'Owner', state: current === null ? 'open' : 'done' } as const, ...steps];
  const index = all.findIndex(({ name }) => name === current);
  return (
    <Layout page={{ ...page, visitor: null }} title={`${title} · Set-up`} notice={notice}>
      <div class="narrow setup">
        {all.length === 1 ? null : <Steps page={page} all={all} current={current} />}
        <h1>{title}</h1>
        {children}
        {current === null || isDone ? null : (
          <form method="post" action={`${page.basePath}/setup/skip`} class="skip-step">
            <button type="submit" name="step" value={current}>
              {index === all.length - 1 ? 'Finish without this' : 'Skip this step'}
            </button>
            <span class="quiet">It can be done on the pages of Larder at any time.</span>
          </form>
        )}
      </div>
    </Layout>
  );
}
