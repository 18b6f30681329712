import type { PageContext } from '../page-context.ts';
import { Field, type FormState } from './field.tsx';
import { LinesField } from './lines-field.tsx';
import { SignInCode, type SignInCodeProps } from './sign-in-code.tsx';
import { type SignIn, type SourceKind, sourceKinds } from './source-kinds.ts';

export const signInLabels = {
  signIn: 'Sign-in',
  username: 'User name',
  password: 'Password',
  token: 'Token',
  credentialHeaders: 'Headers',
  credentialCertificate: 'Certificate',
  credentialKey: 'Private key',
  credentialAuthority: 'Authority of the server',
  credentialApiKey: 'API key',
  signInId: 'Code',
};

const choiceWords: Readonly<Record<Exclude<SignIn, 'keep'>, string>> = {
  none: 'None',
  password: 'User name and password',
  token: 'Token',
  headers: 'Headers',
  certificate: 'Client certificate',
  apiKey: 'API key',
  code: 'Code',
};

/** What signing in by a code is called where the code comes from. */
const codeWords: Partial<Record<SourceKind, string>> = { jellyfin: 'Quick Connect', plex: 'Sign in at plex.tv' };

const tokenHints: Partial<Record<SourceKind, string>> = {
  http: 'Sent as Authorization: Bearer.',
  plex: 'What stands behind X-Plex-Token= in the address that “View XML” of any title opens.',
};

export type SourceSignInProps = {
  page: PageContext;
  form: FormState;
  kind: SourceKind;
  /** In words, what there is already; null when there is nothing. */
  kept: string | null;
  /** Where a code is asked for, below the base path; null where that cannot be done. */
  codeAction: string | null;
  code: SignInCodeProps | null;
};

/** Only the fields of what is chosen are shown, by CSS alone. */
export function SourceSignIn({ page, form, kind, kept, codeAction, code }: SourceSignInProps) {
  const offered = sourceKinds[kind].signIns.filter((way) => way !== 'code' || codeAction !== null);
  const chosen = form.typed.signIn ?? (kept === null ? offered[0] : 'keep');
  const labelOf = (way: Exclude<SignIn, 'keep'>) => (way === 'code' ? codeWords[kind] : null) ?? choiceWords[way];
  return (
    <fieldset class="field sign-in">
      <legend>{signInLabels.signIn}</legend>
      <p class="hint">Kept sealed on this machine, sent to the source only, and shown to nobody again.</p>
      {kept === null ? null : <Choice value="keep" label={`As it is: ${kept}`} chosen={chosen} />}
      {offered.map((way) => (
        <Choice value={way} label={labelOf(way)} chosen={chosen} />
      ))}
      {offered.includes('password') ? (
        <div class="for-password">
          <Field name="username" label={signInLabels.username} form={form} autocomplete="off" />
          <Field
            name="password"
            label={signInLabels.password}
            form={form}
            type="password"
            autocomplete="new-password"
          />
        </div>
      ) : null}
      {offered.includes('token') ? (
        <div class="for-token">
          <Field
            name="token"
            label={signInLabels.token}
            form={form}
            type="password"
            autocomplete="off"
            hint={tokenHints[kind] ?? ''}
          />
        </div>
      ) : null}
      {offered.includes('headers') ? (
        <div class="for-headers">
          <LinesField
            name="credentialHeaders"
            label={signInLabels.credentialHeaders}
            form={form}
            hint="One in each line, such as X-Api-Key: 123"
          />
        </div>
      ) : null}
      {offered.includes('certificate') ? <CertificateFields form={form} /> : null}
      {offered.includes('apiKey') ? (
        <div class="for-apiKey">
          <Field
            name="credentialApiKey"
            label={signInLabels.credentialApiKey}
            form={form}
            type="password"
            autocomplete="off"
            hint="Made in the Jellyfin dashboard, under API keys."
          />
        </div>
      ) : null}
      {codeAction === null ? null : (
        <div class="for-code">
          <SignInCode page={page} kind={kind} action={codeAction} code={code} error={form.errors.signInId ?? null} />
        </div>
      )}
    </fieldset>
  );
}

function Choice({ value, label, chosen }: { value: SignIn; label: string; chosen: string | undefined }) {
  return (
    <label class="choice">
      <input type="radio" name="signIn" value={value} checked={chosen === value} />
      {label}
    </label>
  );
}

function CertificateFields({ form }: { form: FormState }) {
  return (
    <div class="for-certificate">
      <LinesField
        name="credentialCertificate"
        label={signInLabels.credentialCertificate}
        form={form}
        hint="In PEM, beginning with -----BEGIN CERTIFICATE-----; with those between it and its authority, if there are any."
        rows={4}
      />
      <LinesField
        name="credentialKey"
        label={signInLabels.credentialKey}
        form={form}
        hint="Of this certificate, in PEM, without a passphrase."
        rows={4}
      />
      <LinesField
        name="credentialAuthority"
        label={signInLabels.credentialAuthority}
        form={form}
        hint="Optional, in PEM: which authority the certificate of the server is of, where that is one of your own."
      />
    </div>
  );
}
