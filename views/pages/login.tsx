import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { CarriedFields, type CarriedForm } from '../parts/carried-form.tsx';
import { Field, type FormState } from '../parts/field.tsx';

export type LoginPageProps = {
  page: PageContext;
  form: FormState;
  /** Why it was not taken, and what to do. */
  problem: { text: string; hint: string | null } | null;
  /** Where to go afterwards, below the base path. */
  next: string;
  carried: CarriedForm | null;
};

export function LoginPage({ page, form, problem, next, carried }: LoginPageProps) {
  return (
    <Layout page={page} title="Sign in">
      <div class="narrow">
        <h1>Sign in</h1>
        {problem === null ? null : (
          <div class="notice failed" role="alert">
            <strong>Not signed in: </strong>
            {problem.text}
            {problem.hint === null ? null : ` ${problem.hint}`}
          </div>
        )}
        {carried === null ? null : (
          <p class="notice attention">
            Your session has ended, and what you sent was not done. Sign in again, and you can send it once more.
          </p>
        )}
        <form method="post" action={`${page.basePath}/login`} class="panel">
          <Field name="name" label="Name" form={form} autocomplete="username" required />
          <Field
            name="password"
            label="Password"
            type="password"
            form={form}
            autocomplete="current-password"
            required
            reveal
          />
          <input type="hidden" name="next" value={next} />
          {carried === null ? null : <CarriedFields form={carried} />}
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
        <details class="quiet">
          <summary>Forgotten the password?</summary>
          <p>
            Another owner can set a new one on the page “Users”. Or run this on the machine that Larder runs on; it
            prints a new password:
          </p>
          <pre>
            <code>larder token reset-password</code>
          </pre>
        </details>
      </div>
    </Layout>
  );
}

/** After signing in again: the form that was not taken before, to be sent by hand. */
export type SendAgainPageProps = {
  page: PageContext;
  carried: CarriedForm;
  /** What fields are called on the pages that have them. */
  labels: Readonly<Record<string, string>>;
};

export function SendAgainPage({ page, carried, labels }: SendAgainPageProps) {
  const { action, fields, left } = carried;
  // The hidden field of a switch comes before the switch itself: the last one counts.
  const shown = [...new Map(fields)].filter(([, value]) => value.trim() !== '');
  const labelOf = (name: string) => labels[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');
  return (
    <Layout page={page} title="Send it again">
      <div class="narrow">
        <h1>You are signed in again</h1>
        <p>What you sent before was not done, because your session had ended. You can send it now.</p>
        <form method="post" action={`${page.basePath}${action}`} class="panel">
          {shown.length === 0 ? null : (
            <dl class="facts">
              {shown.map(([name, value]) => (
                <div>
                  <dt>{labelOf(name)}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          )}
          {fields.map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          {left.map((name) => (
            <Field
              name={name}
              label={`${labelOf(name)} (enter it again)`}
              type="password"
              form={{ typed: {}, errors: {} }}
            />
          ))}
          <div class="actions">
            <button type="submit" class="primary">
              Send it now
            </button>
            <a class="button plain" href={`${page.basePath}/`}>
              Leave it
            </a>
          </div>
        </form>
      </div>
    </Layout>
  );
}
