// The first run: whoever has the code becomes the owner, then one page for each thing that is to be settled.
import { z } from 'zod';
import { formatSentence } from '../../../views/format.ts';
import { SetupPage } from '../../../views/pages/setup.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import { renderPage } from '../../../views/render.ts';
import { deviceName } from '../../access/device-name.ts';
import { LarderError } from '../../errors.ts';
import { PASSWORD_LENGTH_MIN } from '../../limits.ts';
import { statusOf } from '../../proxy/error-response.ts';
import { SETUP_STEPS } from '../../settings/setup-progress.ts';
import { parseForm, readForm } from '../forms.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { giveSessionCookie } from '../session-cookie.ts';
import type { WebContext } from '../web-environment.ts';

const claimSchema = z.object({
  code: z.string().trim().min(1, 'Enter the set-up code.').max(100, 'This is not a set-up code.'),
  name: z.string().trim().min(1, 'Enter a name to sign in with.').max(64, 'Use at most 64 characters.'),
  password: z.string().min(1, 'Choose a password.').max(1_000, 'Use at most 256 characters.'),
});

type Services = Pick<WebServices, 'access' | 'setup' | 'settings' | 'noteEvent'>;

export function addSetupPages(routes: Routes, { access, setup, settings, noteEvent }: Services): void {
  const { firstOwner, sessions, control } = access;

  interface Problem {
    readonly text: string;
    readonly hint: string | null;
  }

  async function show(context: WebContext, form: FormState, problem: Problem | null, status = 200): Promise<Response> {
    const { page } = context.var;
    const code = context.req.query('code') ?? '';
    const suggestedName = settings.current.adminUser;
    const steps = setup.offered();
    const props = { form, code, suggestedName, steps, problem, passwordLengthMin: PASSWORD_LENGTH_MIN };
    return context.html(renderPage(<SetupPage page={page} {...props} />), status as 200);
  }

  routes.get('/setup', 'public', async (context) => {
    if (!(await firstOwner.isClaimed())) {
      await firstOwner.code(); // there is one to ask for, also when its file was removed
      return show(context, emptyForm, null);
    }
    const { caller, page } = context.var;
    const next = caller.kind === 'session' && caller.role === 'owner' ? await setup.next() : null;
    if (next === null) return context.notFound();
    return context.redirect(`${page.basePath}/setup/${next}`, 303);
  });

  routes.post('/setup', 'public', async (context) => {
    if (await firstOwner.isClaimed()) return context.notFound();
    const form = await parseForm(context, claimSchema);
    if (!form.ok) return show(context, form.state, null, 422);
    const { client, page } = context.var;
    try {
      const owner = await firstOwner.claim({ ...form.value, address: client.address });
      const device = deviceName(context.req.header('User-Agent'));
      const secret = await sessions.open(owner.id, { device, address: client.address });
      giveSessionCookie(context, control.cookieName, secret);
      await setup.begin();
      await noteEvent('claimed', owner.name, `${owner.name} became the owner of this Larder.`);
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      if (error.retryAfterMs !== undefined) {
        context.header('Retry-After', String(Math.ceil(error.retryAfterMs / 1_000)));
      }
      const hint = error.hint === undefined ? null : formatSentence(error.hint);
      const status = error.code === 'invalid' ? 422 : statusOf(error);
      return show(context, form.state, { text: formatSentence(error.message), hint }, status);
    }
    const next = await setup.next();
    if (next === null) await setup.finish();
    return context.redirect(next === null ? `${page.basePath}/` : `${page.basePath}/setup/${next}`, 303);
  });

  routes.post('/setup/skip', 'owner', async (context) => {
    const fields = await readForm(context);
    const step = SETUP_STEPS.find((name) => name === fields.step);
    if (step === undefined || (await setup.steps()) === null) return context.notFound();
    const next = await setup.pass(step, 'skipped');
    const { page } = context.var;
    return context.redirect(next === null ? `${page.basePath}/` : `${page.basePath}/setup/${next}`, 303);
  });
}
