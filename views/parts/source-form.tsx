import type { Child } from 'hono/jsx';
import type { PageContext } from '../page-context.ts';
import { Field, FormErrors, type FormState } from './field.tsx';
import { Once } from './once.tsx';

export type SignIn = 'none' | 'keep' | 'password' | 'token' | 'headers';

export type SourceFormProps = {
  /** Below the base path: where it is saved, and where it is tested as it stands. */
  action: string;
  testAction: string;
  /** Where the test goes without JavaScript, when that is elsewhere; told from a save by `act=test`. */
  plainTestAction?: string;
  form: FormState;
  /** Null for a new source, which chooses its name here. */
  source: {
    url: string;
    local: boolean | null;
    /** In words, such as "user name and password"; null when it has none. */
    credentials: string | null;
    /** Where address and perhaps credentials are set; null when they can be changed here. */
    lockedBy: string | null;
    credentialsLocked: boolean;
  } | null;
  submit: string;
  /** What the test of this form came to, when it was sent without JavaScript. */
  children?: Child;
};

export const sourceFieldLabels = {
  name: 'Name',
  url: 'Address',
  signIn: 'Sign-in',
  username: 'User name',
  password: 'Password',
  token: 'Token',
  credentialHeaders: 'Headers',
  file: 'A file to test with',
};

export function SourceForm({ page, ...props }: SourceFormProps & { page: PageContext }) {
  const { form, source, action, testAction, plainTestAction = testAction, submit } = props;
  const locked = source?.lockedBy ?? null;
  const hasSecret = ['password', 'token', 'headers'].includes(form.typed.signIn ?? '');
  const secretWasTyped = hasSecret && (Object.keys(form.errors).length > 0 || props.children);
  return (
    <form method="post" action={`${page.basePath}${action}`} class="source-form" autocomplete="off">
      <Once page={page} />
      {/* What Enter in a field presses: the first submit button of a form, and the test is not meant by that. */}
      <button type="submit" hidden>
        {submit}
      </button>
      <FormErrors form={form} labels={sourceFieldLabels} />
      {source === null ? (
        <Field
          name="name"
          label={sourceFieldLabels.name}
          form={form}
          required
          placeholder="films"
          hint="Stands in stream addresses, /s/NAME/…, and cannot be changed later. Letters, digits, - and _."
        />
      ) : null}
      {locked === null ? (
        <Field
          name="url"
          label={sourceFieldLabels.url}
          form={form}
          value={source?.url ?? ''}
          type="url"
          inputmode="url"
          required
          placeholder="https://host/films/"
          hint={`The folder that holds the files, over http or https.${source === null ? '' : ' A new address keeps what is cached.'}`}
        />
      ) : (
        <div class="field">
          <p class="label">{sourceFieldLabels.url}</p>
          <p class="hint">
            Set by <code>{locked}</code>: change it there and start Larder again.
          </p>
          <code>{source!.url}</code>
        </div>
      )}
      {source?.credentialsLocked ? null : <Credentials form={form} kept={source?.credentials ?? null} />}
      {secretWasTyped && source?.credentialsLocked !== true ? (
        <p class="hint">
          A password, token or header that was typed has to be typed again: it is never sent back to a page.
        </p>
      ) : null}
      <details class="more-settings" open={form.typed.local !== undefined && form.typed.local !== 'auto'}>
        <summary>Private networks</summary>
        <LocalChoice form={form} local={source === null ? null : source.local} isNew={source === null} />
      </details>
      <fieldset class="test-box">
        <legend>Test</legend>
        <Field
          name="file"
          label={sourceFieldLabels.file}
          form={form}
          placeholder="Some Film.mkv"
          hint="Optional. A path below the address; left empty, Larder looks for one in the folder’s listing."
        />
        <button
          type="submit"
          name="act"
          value="test"
          formaction={`${page.basePath}${plainTestAction}`}
          formnovalidate
          hx-post={`${page.basePath}${testAction}`}
          hx-target="#test"
          hx-swap="innerHTML"
          hx-disable="this"
        >
          Test it as it stands here
        </button>
        <div id="test">{props.children}</div>
      </fieldset>
      <button type="submit" class="primary">
        {submit}
      </button>
    </form>
  );
}

const choices: readonly (readonly [SignIn, string])[] = [
  ['none', 'None'],
  ['password', 'User name and password'],
  ['token', 'Token'],
  ['headers', 'Headers'],
];

/** Only the fields of what is chosen are shown, by CSS alone. */
function Credentials({ form, kept }: { form: FormState; kept: string | null }) {
  const chosen = form.typed.signIn ?? (kept === null ? 'none' : 'keep');
  const all = kept === null ? choices : ([['keep', `As it is: ${kept}`], ...choices] as const);
  return (
    <fieldset class="field sign-in">
      <legend>{sourceFieldLabels.signIn}</legend>
      <p class="hint">Kept sealed on this machine, sent to the source only, and shown to nobody again.</p>
      {all.map(([value, label]) => (
        <label class="choice">
          <input type="radio" name="signIn" value={value} checked={chosen === value} />
          {label}
        </label>
      ))}
      <div class="for-password">
        <Field name="username" label={sourceFieldLabels.username} form={form} autocomplete="off" />
        <Field
          name="password"
          label={sourceFieldLabels.password}
          form={form}
          type="password"
          autocomplete="new-password"
        />
      </div>
      <div class="for-token">
        <Field
          name="token"
          label={sourceFieldLabels.token}
          form={form}
          type="password"
          autocomplete="off"
          hint="Sent as Authorization: Bearer."
        />
      </div>
      <div class="for-headers">
        <HeaderLines form={form} />
      </div>
    </fieldset>
  );
}

function HeaderLines({ form }: { form: FormState }) {
  const error = form.errors.credentialHeaders;
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for="credentialHeaders">{sourceFieldLabels.credentialHeaders}</label>
      <p class="hint" id="credentialHeaders-hint">
        One in each line, such as X-Api-Key: 123
      </p>
      <textarea
        id="credentialHeaders"
        name="credentialHeaders"
        rows={3}
        spellcheck={false}
        autocomplete="off"
        aria-describedby={error ? 'credentialHeaders-hint credentialHeaders-error' : 'credentialHeaders-hint'}
        aria-invalid={error ? 'true' : undefined}
      ></textarea>
      {error ? (
        <p class="error" id="credentialHeaders-error">
          {error}
        </p>
      ) : null}
    </div>
  );
}

function LocalChoice({ form, local, isNew }: { form: FormState; local: boolean | null; isNew: boolean }) {
  const chosen = form.typed.local ?? (local === null ? 'auto' : local ? 'yes' : 'no');
  const words = {
    auto: isNew ? 'As its address is' : 'As its address is (not chosen yet)',
    yes: 'Yes',
    no: 'No',
  };
  const values = isNew || local === null ? (['auto', 'yes', 'no'] as const) : (['yes', 'no'] as const);
  return (
    <div class="field">
      <label for="local">May it lead to addresses of private networks?</label>
      <p class="hint" id="local-hint">
        A source on the internet that could would open this network to whoever runs it. Larder itself and cloud metadata
        are never reached.
      </p>
      <select id="local" name="local" aria-describedby="local-hint">
        {values.map((value) => (
          <option value={value} selected={chosen === value}>
            {words[value]}
          </option>
        ))}
      </select>
    </div>
  );
}
