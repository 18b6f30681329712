import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Field, FormErrors, type FormState } from '../parts/field.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { Once } from '../parts/once.tsx';
import type { Rendered } from '../render.ts';

export type AccountPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  name: string;
  role: 'owner' | 'viewer';
  preferences: { theme: 'auto' | 'light' | 'dark'; shortcuts: boolean; maxHeight: number | null };
  passwordLengthMin: number;
  /** Of the password. */
  form: FormState;
  regions: Readonly<Record<string, Rendered>>;
};

const themes = [
  ['auto', 'As chosen at the bottom of the page, or as the system'],
  ['light', 'Light, wherever I sign in'],
  ['dark', 'Dark, wherever I sign in'],
] as const;

const labels = { current: 'Current password', next: 'New password' };

const heights = [
  ['', 'The best there is'],
  ['2160', '2160 lines (4K)'],
  ['1080', '1080 lines'],
  ['720', '720 lines'],
  ['480', '480 lines'],
  ['360', '360 lines'],
] as const;

/** What belongs to the visitor: password, preferences, browsers and players. */
export function AccountPage(props: AccountPageProps) {
  const { page, notice, name, role, preferences, passwordLengthMin, form, regions } = props;
  return (
    <Layout page={page} title="Account" section="/account" notice={notice}>
      <h1>Account</h1>
      <div class="signed-in">
        <span>
          You are signed in as <strong>{name}</strong>, {role === 'owner' ? 'an owner' : 'a viewer'}.
        </span>
        <form method="post" action={`${page.basePath}/logout`}>
          <button type="submit">Sign out</button>
        </form>
      </div>
      <div class="side-by-side">
        <section class="panel" aria-labelledby="password-heading">
          <h2 id="password-heading">Password</h2>
          <FormErrors form={form} labels={labels} />
          <form method="post" action={`${page.basePath}/account/password`}>
            {/* Tells password managers whose password it is. */}
            <input type="text" name="username" value={name} autocomplete="username" hidden />
            <Field
              name="current"
              label={labels.current}
              type="password"
              form={form}
              autocomplete="current-password"
              required
              reveal
            />
            <Field
              name="next"
              label={labels.next}
              type="password"
              form={form}
              hint={`At least ${passwordLengthMin} characters. All your other sessions end.`}
              autocomplete="new-password"
              required
              reveal
            />
            <button type="submit" class="primary">
              Change the password
            </button>
          </form>
        </section>
        <section class="panel" aria-labelledby="preferences-heading">
          <h2 id="preferences-heading">Preferences</h2>
          <form method="post" action={`${page.basePath}/account/preferences`}>
            <fieldset class="field choices">
              <legend>Colours</legend>
              {themes.map(([value, label]) => (
                <label>
                  <input type="radio" name="theme" value={value} checked={preferences.theme === value} /> {label}
                </label>
              ))}
            </fieldset>
            <div class="field choices">
              <label>
                <input type="checkbox" name="shortcuts" value="on" checked={preferences.shortcuts} /> Single keys do
                something, such as <kbd>/</kbd> for search (<a href={`${page.basePath}/help`}>all of them</a>)
              </label>
            </div>
            <div class="field">
              <label for="max-height">Best automatic quality</label>
              <p class="hint" id="max-height-hint">
                Where Larder chooses the quality for you: in a browser you are signed in with, and by your tokens and
                signed addresses.
              </p>
              <select id="max-height" name="maxHeight" aria-describedby="max-height-hint">
                {heights.map(([value, label]) => (
                  <option value={value} selected={String(preferences.maxHeight ?? '') === value}>
                    {label}
                  </option>
                ))}
              </select>
            </div>
            <button type="submit">Save the preferences</button>
          </form>
        </section>
      </div>
      <section class="panel" aria-labelledby="sessions-heading">
        <h2 id="sessions-heading">Where you are signed in</h2>
        <div id="sessions">{regions.sessions}</div>
      </section>
      <section class="panel" aria-labelledby="tokens-heading">
        <h2 id="tokens-heading">Tokens for your players</h2>
        <p class="quiet">
          A player that cannot sign in takes a token: at the end of the address (<code>?token=…</code>), or as the
          password with any name. It opens streams and nothing else.
        </p>
        <div id="tokens">{regions.tokens}</div>
        <form method="post" action={`${page.basePath}/account/tokens`} class="add-row">
          <Once page={page} />
          <Field name="name" label="What is it for?" form={{ typed: {}, errors: {} }} placeholder="Living room TV" />
          <button type="submit">Make a token</button>
        </form>
      </section>
    </Layout>
  );
}
