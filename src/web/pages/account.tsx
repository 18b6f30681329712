// What belongs to the visitor: password, preferences, the browsers they are signed in with, tokens for their players.
import { z } from 'zod';
import { formatCount, formatSentence } from '../../../views/format.ts';
import { AccountPage } from '../../../views/pages/account.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { NoticeProps } from '../../../views/parts/notice.tsx';
import { SessionList } from '../../../views/parts/session-list.tsx';
import { TokenList } from '../../../views/parts/token-list.tsx';
import { type Rendered, renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { readHeight } from '../../library/auto-qualities.ts';
import { PASSWORD_LENGTH_MIN } from '../../limits.ts';
import { statusOf } from '../../proxy/error-response.ts';
import { SHOWN_MAX, sessionProps, tokenProps } from '../access-views.ts';
import type { Caller } from '../caller.ts';
import { parseForm, readForm } from '../forms.ts';
import { type Regions, wholeRegions } from '../live-page.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import type { WebContext } from '../web-environment.ts';

type Visitor = Extract<Caller, { kind: 'session' }>;

const ID = ':id{[0-9]{1,15}}';
const THEMES = ['auto', 'light', 'dark'] as const;

const passwordSchema = z.object({
  current: z.string().min(1, 'Enter the password that you signed in with.'),
  next: z.string().min(1, 'Choose a new password.').max(1_000, 'Use at most 256 characters.'),
});

/** @throws LarderError for tokens: what is one's own is somebody's */
export function visitorOf(caller: Caller): Visitor {
  if (caller.kind === 'session') return caller;
  throw new LarderError('conflict', 'a token has no account', { hint: 'sign in with a name and a password' });
}

export function addAccountPages(routes: Routes, { access }: Pick<WebServices, 'access'>): void {
  const { users, sessions, tokens } = access;

  async function regionsOf({ page, caller }: Pick<WebContext['var'], 'page' | 'caller'>): Promise<Regions | null> {
    if (caller.kind !== 'session') return null;
    const [ownSessions, ownTokens] = await Promise.all([
      sessions.list(caller.userId, SHOWN_MAX + 1),
      tokens.listOf(caller.userId, SHOWN_MAX + 1),
    ]);
    return {
      sessions: (
        <SessionList
          page={page}
          sessions={ownSessions.slice(0, SHOWN_MAX).map((session) => sessionProps(session, caller))}
          hasMore={ownSessions.length > SHOWN_MAX}
          base="/account/sessions"
          showUser={false}
        />
      ),
      tokens: (
        <TokenList
          page={page}
          tokens={ownTokens.slice(0, SHOWN_MAX).map(tokenProps)}
          hasMore={ownTokens.length > SHOWN_MAX}
          base="/account/tokens"
          none="You have made no tokens yet."
        />
      ),
    };
  }

  function pageOf(
    { page, caller }: Pick<WebContext['var'], 'page' | 'caller'>,
    regions: Readonly<Record<string, Rendered>>,
    notice: NoticeProps | null,
    form: FormState,
  ): Rendered {
    const { userName, role, preferences } = visitorOf(caller);
    const props = { page, notice, name: userName, role, preferences, form, regions };
    return <AccountPage {...props} passwordLengthMin={PASSWORD_LENGTH_MIN} />;
  }

  routes.livePage({
    path: '/account',
    need: 'viewer',
    regions: regionsOf,
    render: (request, regions, notice) => pageOf(request, regions, notice, emptyForm),
  });

  routes.action('/account/password', 'viewer', async (context) => {
    const visitor = visitorOf(context.var.caller);
    const form = await parseForm(context, passwordSchema);
    const show = async (state: FormState, status: number) =>
      context.html(
        renderPage(pageOf(context.var, wholeRegions((await regionsOf(context.var)) ?? {}), null, state)),
        status as 422,
      );
    if (!form.ok) return show(form.state, 422);
    try {
      await users.changePassword(visitor.userId, { ...form.value, sessionId: visitor.sessionId });
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      const field = error.code === 'invalid' ? 'next' : 'current';
      const words = [error.message, error.hint ?? ''].filter((text) => text !== '').map(formatSentence);
      const status = error.code === 'throttled' ? statusOf(error) : 422;
      return show({ typed: {}, errors: { [field]: words.join(' ') } }, status);
    }
    const text = 'Your password was changed. All your other sessions have ended.';
    return { notice: { tone: 'done', text }, goTo: '/account' };
  });

  routes.action('/account/preferences', 'viewer', async (context) => {
    const { userId } = visitorOf(context.var.caller);
    const fields = await readForm(context);
    const theme = THEMES.find((name) => name === fields.theme) ?? 'auto';
    const maxHeight = readHeight(String(fields.maxHeight ?? ''));
    await users.setPreferences(userId, { theme, shortcuts: fields.shortcuts === 'on', maxHeight });
    return { notice: { tone: 'done', text: 'Your preferences were saved.' }, goTo: '/account' };
  });

  routes.action(`/account/sessions/${ID}/end`, 'viewer', async (context) => {
    const { userId } = visitorOf(context.var.caller);
    const session = await sessions.get(Number(context.req.param('id')));
    if (session === null || session.userId !== userId) throw noSession();
    await sessions.end(session.id);
    return { notice: { tone: 'done', text: `The session of ${session.device} has ended.` } };
  });

  routes.action('/account/sessions/end-others', 'viewer', async (context) => {
    const { userId, sessionId } = visitorOf(context.var.caller);
    const count = await sessions.endAllOf(userId, sessionId);
    return { notice: { tone: 'done', text: `${formatCount(count, 'other session')} of yours ended.` } };
  });

  routes.action('/account/tokens', 'viewer', async (context) => {
    const { userId, userName } = visitorOf(context.var.caller);
    const { name = '' } = await readForm(context);
    const request = { name: String(name), scope: 'stream', userId, lifetimeMs: null, by: userName } as const;
    return { notice: tokenNotice(await tokens.create(request)), goTo: '/account' };
  });

  routes.action(`/account/tokens/${ID}/revoke`, 'viewer', async (context) => {
    const { userId, userName } = visitorOf(context.var.caller);
    const token = await tokens.revoke(Number(context.req.param('id')), userName, userId);
    if (token === null) throw noToken();
    return { notice: { tone: 'done', text: `${token.name} was revoked. What it played has ended.` } };
  });
}

export function tokenNotice({ secret, token }: { secret: string; token: { readonly name: string } }): NoticeProps {
  const text = `${token.name} was made. This is the token; it is shown this once:`;
  return { tone: 'done', text, secret: { label: `Token ${token.name}`, value: secret } };
}

export function noSession(): LarderError {
  return new LarderError('missing', 'there is no such session', { hint: 'it may have ended meanwhile' });
}

export function noToken(): LarderError {
  return new LarderError('missing', 'there is no such token', { hint: 'it may have been revoked meanwhile' });
}
