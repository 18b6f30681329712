// Who may come in: people, tokens, and the browsers that are signed in.
import { z } from 'zod';
import { formatCount, formatSentence } from '../../../views/format.ts';
import { UserList, type UserProps, UsersPage } from '../../../views/pages/users.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { NoticeProps } from '../../../views/parts/notice.tsx';
import { SessionList } from '../../../views/parts/session-list.tsx';
import { TokenList } from '../../../views/parts/token-list.tsx';
import { type Rendered, renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { PASSWORD_LENGTH_MIN } from '../../limits.ts';
import { nameOf, SHOWN_MAX, sessionProps, tokenProps } from '../access-views.ts';
import { parseForm, readForm } from '../forms.ts';
import { type Regions, wholeRegions } from '../live-page.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import type { WebContext } from '../web-environment.ts';
import { noSession, noToken, tokenNotice } from './account.tsx';

const ID = ':id{[0-9]{1,15}}';
const DAY_MS = 86_400_000;

const role = z.enum(['owner', 'viewer'], 'Choose owner or viewer.');
const newUserSchema = z.object({
  name: z.string().trim().min(1, 'Enter a name to sign in with.').max(64, 'Use at most 64 characters.'),
  password: z.string().min(1, 'Choose a password.').max(1_000, 'Use at most 256 characters.'),
  role,
});
const newTokenSchema = z.object({
  'token-name': z.string().default(''),
  scope: z.enum(['admin', 'viewer', 'stream']),
  days: z.union([z.literal(''), z.coerce.number().int().min(1).max(3_650)]).default(''),
});

export function addUserPages(routes: Routes, { access }: Pick<WebServices, 'access'>): void {
  const { users, sessions, tokens } = access;

  async function regionsOf({ page, caller }: Pick<WebContext['var'], 'page' | 'caller'>): Promise<Regions> {
    const [allUsers, allSessions, allTokens] = await Promise.all([
      users.list(SHOWN_MAX + 1),
      sessions.list(null, SHOWN_MAX + 1),
      tokens.list(SHOWN_MAX + 1),
    ]);
    const ownerCount = allUsers.filter((user) => user.role === 'owner').length;
    const rows = allUsers.slice(0, SHOWN_MAX).map(
      (user): UserProps => ({
        id: user.id,
        name: user.name,
        role: user.role,
        createdAtMs: user.createdAt,
        lastSignInAtMs: user.lastSignInAt,
        isSelf: caller.kind === 'session' && caller.userId === user.id,
        sessionCount: allSessions.filter(({ userId }) => userId === user.id).length,
        tokenCount: allTokens.filter(({ userId }) => userId === user.id).length,
        isLastOwner: user.role === 'owner' && ownerCount === 1,
      }),
    );
    return {
      users: (
        <UserList
          page={page}
          users={rows}
          hasMore={allUsers.length > SHOWN_MAX}
          passwordLengthMin={PASSWORD_LENGTH_MIN}
        />
      ),
      tokens: (
        <TokenList
          page={page}
          tokens={allTokens.slice(0, SHOWN_MAX).map(tokenProps)}
          hasMore={allTokens.length > SHOWN_MAX}
          base="/users/tokens"
          none="There are no tokens. Scripts and players that cannot sign in use one."
        />
      ),
      sessions: (
        <SessionList
          page={page}
          sessions={allSessions.slice(0, SHOWN_MAX).map((session) => sessionProps(session, caller))}
          hasMore={allSessions.length > SHOWN_MAX}
          base="/users/sessions"
          showUser
        />
      ),
    };
  }

  function pageOf(
    page: WebContext['var']['page'],
    regions: Readonly<Record<string, Rendered>>,
    notice: NoticeProps | null,
    form: FormState,
  ): Rendered {
    const props = { page, notice, form, regions, passwordLengthMin: PASSWORD_LENGTH_MIN };
    return <UsersPage {...props} />;
  }

  routes.livePage({
    path: '/users',
    need: 'owner',
    regions: regionsOf,
    render: ({ page }, regions, notice) => pageOf(page, regions, notice, emptyForm),
  });

  routes.action('/users', 'owner', async (context) => {
    const form = await parseForm(context, newUserSchema);
    const show = async (state: FormState) => {
      const regions = wholeRegions(await regionsOf(context.var));
      return context.html(renderPage(pageOf(context.var.page, regions, null, state)), 422);
    };
    if (!form.ok) return show(form.state);
    try {
      const user = await users.create(form.value, nameOf(context.var.caller));
      return { notice: { tone: 'done', text: `${user.name} was added as ${user.role}.` }, goTo: '/users' };
    } catch (error) {
      if (!(error instanceof LarderError) || !['invalid', 'conflict'].includes(error.code)) throw error;
      const field = error.message.includes('password') ? 'password' : 'name';
      const words = [error.message, error.hint ?? ''].filter((text) => text !== '').map(formatSentence);
      return show({ typed: form.state.typed, errors: { [field]: words.join(' ') } });
    }
  });

  routes.action(`/users/${ID}/role`, 'owner', async (context) => {
    const fields = await readForm(context);
    const wanted = role.safeParse(fields.role);
    if (!wanted.success)
      throw new LarderError('invalid', 'there is no such role', { hint: 'roles are owner and viewer' });
    const id = Number(context.req.param('id'));
    const user = await users.setRole(id, wanted.data, nameOf(context.var.caller));
    const text = `${user.name} is ${user.role === 'owner' ? 'an owner' : 'a viewer'} now, and has to sign in again.`;
    return { notice: { tone: 'done', text } };
  });

  routes.action(`/users/${ID}/password`, 'owner', async (context) => {
    const id = Number(context.req.param('id'));
    const password = (await readForm(context))[`password-${id}`];
    await users.setPassword(id, typeof password === 'string' ? password : '', nameOf(context.var.caller));
    const { name } = await users.get(id);
    return { notice: { tone: 'done', text: `${name} has a new password, and has to sign in with it.` } };
  });

  routes.action(`/users/${ID}/remove`, 'owner', async (context) => {
    const user = await users.remove(Number(context.req.param('id')), nameOf(context.var.caller));
    return { notice: { tone: 'done', text: `${user.name} was removed, with all sessions and tokens.` } };
  });

  routes.action('/users/tokens', 'owner', async (context) => {
    const form = await parseForm(context, newTokenSchema);
    if (!form.ok) throw new LarderError('invalid', 'this is no token to make', { hint: 'choose from the lists' });
    const { caller } = context.var;
    const { scope, days } = form.value;
    const made = await tokens.create({
      name: form.value['token-name'],
      scope,
      userId: caller.kind === 'session' ? caller.userId : null,
      lifetimeMs: days === '' ? null : days * DAY_MS,
      by: nameOf(caller),
    });
    return { notice: tokenNotice(made), goTo: '/users' };
  });

  routes.action(`/users/tokens/${ID}/revoke`, 'owner', async (context) => {
    const token = await tokens.revoke(Number(context.req.param('id')), nameOf(context.var.caller));
    if (token === null) throw noToken();
    return { notice: { tone: 'done', text: `${token.name} was revoked. What it played has ended.` } };
  });

  routes.action(`/users/sessions/${ID}/end`, 'owner', async (context) => {
    const session = await sessions.get(Number(context.req.param('id')));
    if (session === null) throw noSession();
    await sessions.end(session.id);
    return { notice: { tone: 'done', text: `The session of ${session.userName} on ${session.device} has ended.` } };
  });

  routes.action('/users/sessions/end-others', 'owner', async (context) => {
    const { caller } = context.var;
    const count = await sessions.endAll(caller.kind === 'session' ? caller.sessionId : null);
    return { notice: { tone: 'done', text: `${formatCount(count, 'other session')} ended.` } };
  });
}
