import { formatCount } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Field, FormErrors, type FormState } from '../parts/field.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { Once } from '../parts/once.tsx';
import { RowAction } from '../parts/row-action.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { scopeWords } from '../parts/token-list.tsx';
import type { Rendered } from '../render.ts';

export type UserProps = {
  id: number;
  name: string;
  role: 'owner' | 'viewer';
  createdAtMs: number;
  lastSignInAtMs: number | null;
  isSelf: boolean;
  /** What ends when they are removed. */
  sessionCount: number;
  tokenCount: number;
  /** There must always be one. */
  isLastOwner: boolean;
};

export type UsersPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  /** Of the one that is to be added. */
  form: FormState;
  passwordLengthMin: number;
  regions: Readonly<Record<string, Rendered>>;
};

const labels = { name: 'Name', password: 'Password', role: 'Role' };
const roleMeaning = {
  owner: 'An owner may do everything, also remove you.',
  viewer: 'A viewer sees the library and plays, and changes only what is their own.',
} as const;
const lifetimes = [
  ['', 'Until it is revoked'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'A year'],
] as const;

/** Who may come in: people, tokens, and the browsers that are signed in. */
export function UsersPage({ page, notice, form, passwordLengthMin, regions }: UsersPageProps) {
  return (
    <Layout page={page} title="Users" section="/users" notice={notice}>
      <h1>Users and tokens</h1>
      <section class="panel" aria-labelledby="users-heading">
        <h2 id="users-heading">Users</h2>
        <div id="users">{regions.users}</div>
        <details class="add" open={Object.keys(form.errors).length > 0}>
          <summary>Add somebody…</summary>
          <FormErrors form={form} labels={labels} />
          <form method="post" action={`${page.basePath}/users`}>
            <Once page={page} />
            <Field name="name" label={labels.name} form={form} autocomplete="off" required />
            <Field
              name="password"
              label={labels.password}
              type="password"
              form={form}
              hint={`At least ${passwordLengthMin} characters. Tell it to them; they can change it on their account page.`}
              autocomplete="new-password"
              required
              reveal
            />
            <div class="field">
              <label for="role">{labels.role}</label>
              <select id="role" name="role">
                <option value="viewer" selected={form.typed.role !== 'owner'}>
                  Viewer: sees the library, plays, changes what is their own
                </option>
                <option value="owner" selected={form.typed.role === 'owner'}>
                  Owner: everything
                </option>
              </select>
            </div>
            <button type="submit" class="primary">
              Add them
            </button>
          </form>
        </details>
      </section>
      <section class="panel" aria-labelledby="tokens-heading">
        <h2 id="tokens-heading">Tokens</h2>
        <div id="tokens">{regions.tokens}</div>
        <details class="add">
          <summary>Make a token…</summary>
          <form method="post" action={`${page.basePath}/users/tokens`}>
            <Once page={page} />
            <Field
              name="token-name"
              label="What is it for?"
              form={{ typed: {}, errors: {} }}
              placeholder="Backup script"
            />
            <div class="field">
              <label for="scope">What may it do?</label>
              <select id="scope" name="scope">
                {(['stream', 'viewer', 'admin'] as const).map((scope) => (
                  <option value={scope}>
                    {scope}: {scopeWords[scope]}
                  </option>
                ))}
              </select>
            </div>
            <div class="field">
              <label for="days">How long?</label>
              <select id="days" name="days">
                {lifetimes.map(([days, words]) => (
                  <option value={days}>{words}</option>
                ))}
              </select>
            </div>
            <button type="submit" class="primary">
              Make it
            </button>
          </form>
        </details>
      </section>
      <section class="panel" aria-labelledby="sessions-heading">
        <h2 id="sessions-heading">Signed in now</h2>
        <div id="sessions">{regions.sessions}</div>
      </section>
    </Layout>
  );
}

export type UserListProps = {
  page: PageContext;
  users: readonly UserProps[];
  hasMore: boolean;
  passwordLengthMin: number;
};

export function UserList({ page, users, hasMore, passwordLengthMin }: UserListProps) {
  return (
    <>
      <ul class="rows cards">
        {users.map((user) => (
          <UserRow page={page} user={user} passwordLengthMin={passwordLengthMin} />
        ))}
      </ul>
      {hasMore ? <p class="quiet">The first {users.length} are shown; the API lists all.</p> : null}
    </>
  );
}

function UserRow({ page, user, passwordLengthMin }: { page: PageContext; user: UserProps; passwordLengthMin: number }) {
  const { id, name, role, isSelf, isLastOwner } = user;
  const base = `${page.basePath}/users/${id}`;
  const other = role === 'owner' ? 'viewer' : 'owner';
  const ends = [formatCount(user.sessionCount, 'session'), formatCount(user.tokenCount, 'token')].join(' and ');
  return (
    <li>
      <div>
        <h3>
          {name} <span class="badge">{role}</span> {isSelf ? <span class="badge well">You</span> : null}
        </h3>
        <p class="quiet">
          Added <TimeAgo atMs={user.createdAtMs} page={page} />
          {user.lastSignInAtMs === null ? (
            ', never signed in'
          ) : (
            <>
              , last signed in <TimeAgo atMs={user.lastSignInAtMs} page={page} />
            </>
          )}
          {isLastOwner ? '. The only owner can neither be removed nor become a viewer.' : null}
        </p>
      </div>
      {isSelf ? (
        <a class="button plain" href={`${page.basePath}/account`}>
          Account
        </a>
      ) : (
        <div class="actions">
          {isLastOwner ? null : (
            <details class="confirm">
              <summary aria-label={`Make ${other}: ${name}`}>Make {other}…</summary>
              <p>{roleMeaning[other]} All their sessions end.</p>
              <RowAction
                action={`${base}/role`}
                label={other === 'owner' ? `Make ${name} an owner` : `Make ${name} a viewer`}
                name={ends}
                fields={{ role: other }}
                dangerous
              />
            </details>
          )}
          <details class="confirm">
            <summary aria-label={`New password: ${name}`}>New password…</summary>
            <p>All their sessions end. Tell them the new one.</p>
            <form method="post" action={`${base}/password`} hx-post={`${base}/password`} hx-swap="none">
              <Field
                name={`password-${id}`}
                label={`New password of ${name}`}
                type="password"
                form={{ typed: {}, errors: {} }}
                hint={`At least ${passwordLengthMin} characters.`}
                autocomplete="new-password"
                required
              />
              <button type="submit">Set it</button>
            </form>
          </details>
          {isLastOwner ? null : (
            <details class="confirm">
              <summary aria-label={`Remove: ${name}`}>Remove…</summary>
              <p>{ends} end with it. This cannot be undone.</p>
              <RowAction action={`${base}/remove`} label={`Remove ${name}`} name={ends} dangerous />
            </details>
          )}
        </div>
      )}
    </li>
  );
}
