import type { PageContext } from '../page-context.ts';
import { Field, FormErrors, type FormState } from '../parts/field.tsx';
import { SetupFrame, type SetupFrameStep } from '../parts/setup-frame.tsx';

export type SetupPageProps = {
  page: PageContext;
  form: FormState;
  steps: readonly SetupFrameStep[];
  suggestedName: string;
  /** From the address, when somebody followed a link that has it. */
  code: string;
  passwordLengthMin: number;
  problem: { text: string; hint: string | null } | null;
};

const labels = { code: 'Set-up code', name: 'Your name', password: 'Password' };

/** The first step of the first run: whoever has the code becomes the owner. */
export function SetupPage({ page, form, steps, suggestedName, code, passwordLengthMin, problem }: SetupPageProps) {
  return (
    <SetupFrame page={page} steps={steps} current={null} title="Make this Larder yours">
      <p>Nobody owns this Larder yet. The set-up code shows that you are the one who runs it.</p>
      {problem === null ? null : (
        <div class="notice failed" role="alert">
          <strong>Not taken: </strong>
          {problem.text}
          {problem.hint === null ? null : ` ${problem.hint}`}
        </div>
      )}
      <FormErrors form={form} labels={labels} />
      <form method="post" action={`${page.basePath}/setup`} class="panel">
        <Field
          name="code"
          label={labels.code}
          form={form}
          value={code}
          hint="16 letters and digits, from the console of Larder or the file setup-code in its data folder."
          autocomplete="one-time-code"
          placeholder="XXXX-XXXX-XXXX-XXXX"
          required
        />
        <Field name="name" label={labels.name} form={form} value={suggestedName} autocomplete="username" required />
        <Field
          name="password"
          label={labels.password}
          type="password"
          form={form}
          hint={`At least ${passwordLengthMin} characters. Three or four words that do not belong together are good.`}
          autocomplete="new-password"
          required
          reveal
        />
        <button type="submit" class="primary">
          Become the owner
        </button>
      </form>
      <details class="quiet">
        <summary>Where is the code?</summary>
        <p>
          Larder prints it when it starts (“set-up code: …”); under systemd, <code>journalctl -u larder</code> shows it,
          under Docker <code>docker logs larder</code>. This shows it again on the machine that Larder runs on:
        </p>
        <pre>
          <code>larder token setup</code>
        </pre>
        <p>
          Or start Larder with <code>LARDER_ADMIN_PASSWORD</code> set: then no code is asked for.
        </p>
      </details>
    </SetupFrame>
  );
}
