import type { Child } from 'hono/jsx';
import type { PageContext } from '../page-context.ts';
import { Field, FormErrors, type FormState } from './field.tsx';
import { Once } from './once.tsx';
import type { SignInCodeProps } from './sign-in-code.tsx';
import { type ConversionProps, conversionLabels, SourceConversion } from './source-conversion.tsx';
import { type SourceKind, sourceKinds } from './source-kinds.ts';
import { SourceSignIn, signInLabels } from './source-sign-in.tsx';

export type SourceFormProps = {
  /** Below the base path: where it is saved, and where it is tested as it stands. */
  action: string;
  testAction: string;
  /** Where the test goes without JavaScript, when that is elsewhere; told from a save by `act=test`. */
  plainTestAction?: string;
  /** Where a code to sign in by is asked for; null where there is none. */
  codeAction: string | null;
  /** The code that was given; null while there is none. */
  code?: SignInCodeProps | null;
  kind: SourceKind;
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
    conversion: ConversionProps;
    itemsPerCatalogue: number | null;
  } | null;
  submit: string;
  /** What the test of this form came to, when it was sent without JavaScript. */
  children?: Child;
};

export const sourceFieldLabels = {
  name: 'Name',
  url: 'Address',
  ...signInLabels,
  ...conversionLabels,
  itemsPerCatalogue: 'Titles of each catalogue',
  file: 'A file to test with',
};

/** Where nothing was chosen yet. */
const usualConversion: ConversionProps = { transcode: 'growing', ladder: {} };
const secretWays = ['password', 'token', 'headers', 'certificate', 'apiKey'];

export function SourceForm({ page, ...props }: SourceFormProps & { page: PageContext }) {
  const {
    form,
    kind,
    source,
    action,
    testAction,
    plainTestAction = testAction,
    codeAction,
    code = null,
    submit,
  } = props;
  const { signIns, converts } = sourceKinds[kind];
  const hasSecret = secretWays.includes(form.typed.signIn ?? '') || kind === 'stremio';
  const wasTyped = hasSecret && (Object.keys(form.errors).length > 0 || props.children);
  const credentialsLocked = source?.credentialsLocked ?? false;
  return (
    <form method="post" action={`${page.basePath}${action}`} class="source-form" autocomplete="off">
      <Once page={page} />
      <input type="hidden" name="kind" value={kind} />
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
          placeholder={kind === 'http' ? 'films' : kind}
          hint={`Stands in stream addresses, /${kind === 'http' ? 's' : 'stream'}/NAME/…, and cannot be changed later. Letters, digits, - and _.`}
        />
      ) : null}
      <Address form={form} kind={kind} source={source} />
      {credentialsLocked || signIns.length === 0 ? null : (
        <SourceSignIn
          page={page}
          form={form}
          kind={kind}
          kept={source?.credentials ?? null}
          codeAction={codeAction}
          code={code}
        />
      )}
      {wasTyped && !credentialsLocked ? (
        <p class="hint">
          {kind === 'stremio'
            ? 'The manifest address has to be typed again: it is never sent back to a page.'
            : 'A password, token, key or header that was typed has to be typed again: it is never sent back to a page.'}
        </p>
      ) : null}
      {converts ? <SourceConversion form={form} conversion={source?.conversion ?? usualConversion} /> : null}
      {kind === 'stremio' ? <CatalogueSize form={form} chosen={source?.itemsPerCatalogue ?? null} /> : null}
      <details class="more-settings" open={form.typed.local !== undefined && form.typed.local !== 'auto'}>
        <summary>Private networks</summary>
        <LocalChoice form={form} local={source === null ? null : source.local} isNew={source === null} />
      </details>
      <fieldset class="test-box">
        <legend>Test</legend>
        {kind === 'http' ? (
          <Field
            name="file"
            label={sourceFieldLabels.file}
            form={form}
            placeholder="Some Film.mkv"
            hint="Optional. A path below the address; left empty, Larder looks for one in the folder’s listing."
          />
        ) : (
          <p class="hint">Signs in, finds a title, and fetches a little of it.</p>
        )}
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

type PartProps = Pick<SourceFormProps, 'form' | 'kind' | 'source'>;

function Address({ form, kind, source }: PartProps) {
  const { addressLabel, addressHint, addressExample } = sourceKinds[kind];
  if (source !== null && source.lockedBy !== null) {
    return (
      <div class="field">
        <p class="label">{addressLabel}</p>
        <p class="hint">
          Set by <code>{source.lockedBy}</code>: change it there and start Larder again.
        </p>
        <code>{source.url}</code>
      </div>
    );
  }
  // What is a secret as a whole is not shown to be changed, only replaced.
  const isHidden = kind === 'stremio' && source !== null;
  const keeps = isHidden
    ? ` Left empty, it stays as it is: at ${new URL(source.url).host}.`
    : source === null
      ? ''
      : ' A new address keeps what is cached.';
  return (
    <Field
      name="url"
      label={addressLabel}
      form={form}
      value={isHidden ? '' : (source?.url ?? '')}
      type={kind === 'stremio' ? 'text' : 'url'}
      inputmode="url"
      required={!isHidden}
      autocomplete="off"
      placeholder={addressExample}
      hint={`${addressHint}${keeps}`}
    />
  );
}

function CatalogueSize({ form, chosen }: { form: FormState; chosen: number | null }) {
  return (
    <details class="more-settings" open={form.errors.itemsPerCatalogue !== undefined}>
      <summary>Catalogues</summary>
      <Field
        name="itemsPerCatalogue"
        label={sourceFieldLabels.itemsPerCatalogue}
        form={form}
        value={chosen === null ? '' : String(chosen)}
        type="number"
        inputmode="numeric"
        placeholder="1000"
        hint="How many are listed in the library, the first ones. What is not listed plays all the same."
      />
    </details>
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
