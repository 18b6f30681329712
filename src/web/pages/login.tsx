// Signing in and out.
import { z } from 'zod';
import { formatSentence } from '../../../views/format.ts';
import { LoginPage, type LoginPageProps, SendAgainPage } from '../../../views/pages/login.tsx';
import { emptyForm } from '../../../views/parts/field.tsx';
import { sourceFieldLabels } from '../../../views/parts/source-form.tsx';
import { renderPage } from '../../../views/render.ts';
import { deviceName } from '../../access/device-name.ts';
import { LarderError } from '../../errors.ts';
import { options, settingNames } from '../../options.ts';
import { statusOf } from '../../proxy/error-response.ts';
import { readCarriedForm } from '../carried-form.ts';
import { parseForm, readForm } from '../forms.ts';
import { safeNext } from '../next-page.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { giveSessionCookie, takeSessionCookie } from '../session-cookie.ts';
import type { WebContext } from '../web-environment.ts';

const signInSchema = z.object({
  name: z.string().min(1, 'Enter your name.').max(1_000, 'This is no name.'),
  password: z.string().min(1, 'Enter your password.').max(10_000, 'This is no password.'),
});

/** What a form that was sent too late is told back in: settings and sources, and what else reads badly. */
const fieldLabels: Readonly<Record<string, string>> = {
  ...Object.fromEntries(settingNames.map((name) => [name, options[name].label])),
  ...sourceFieldLabels,
  local: 'Private networks',
  setting: 'Back to the default',
  days: 'Days',
  'token-name': 'What the token is for',
};

export function addLoginPages(routes: Routes, { access }: Pick<WebServices, 'access'>): void {
  function show(context: WebContext, props: Omit<LoginPageProps, 'page'>, status = 200): Response {
    return context.html(renderPage(<LoginPage page={context.var.page} {...props} />), status as 200);
  }

  routes.get('/login', 'public', async (context) => {
    const next = safeNext(context.req.query('next'));
    const { page, caller } = context.var;
    if (caller.kind === 'session') return context.redirect(page.basePath + next, 303);
    if (!(await access.firstOwner.isClaimed())) return context.redirect(`${page.basePath}/setup`, 303);
    return show(context, { form: emptyForm, problem: null, next, carried: null });
  });

  routes.post('/login', 'public', async (context) => {
    const fields = await readForm(context);
    const next = safeNext(typeof fields.next === 'string' ? fields.next : null);
    const carried = readCarriedForm(fields);
    const form = await parseForm(context, signInSchema);
    if (!form.ok) return show(context, { form: form.state, problem: null, next, carried }, 422);
    const { client, page, caller } = context.var;
    try {
      const { name, password } = form.value;
      const { secret } = await access.signIn.signIn({
        name,
        password,
        address: client.address,
        isPrivate: client.isPrivate,
        device: deviceName(context.req.header('User-Agent')),
      });
      // The browser forgets the session it had: nobody else shall have it.
      if (caller.kind === 'session') await access.sessions.end(caller.sessionId);
      giveSessionCookie(context, access.control.cookieName, secret);
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      if (error.retryAfterMs !== undefined) {
        context.header('Retry-After', String(Math.ceil(error.retryAfterMs / 1_000)));
      }
      const hint = error.hint === undefined ? null : formatSentence(error.hint);
      const problem = { text: formatSentence(error.message), hint };
      return show(context, { form: form.state, problem, next, carried }, statusOf(error));
    }
    if (carried === null) return context.redirect(page.basePath + next, 303);
    return context.html(renderPage(<SendAgainPage page={page} carried={carried} labels={fieldLabels} />));
  });

  routes.post('/logout', 'public', async (context) => {
    const { caller, page } = context.var;
    if (caller.kind === 'session') await access.sessions.end(caller.sessionId);
    takeSessionCookie(context, access.control.cookieName);
    return context.redirect(`${page.basePath}/login`, 303);
  });
}
