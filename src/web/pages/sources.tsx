// Sources: which there are and how each fares; adding, testing, changing and removing them.
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { formatBytes, formatSentence } from '../../../views/format.ts';
import {
  NewSourcePage,
  Removals,
  SourceLastTest,
  SourceList,
  SourcePage,
  SourceRemoval,
  SourceStanding,
  type SourceSummaryProps,
  SourcesPage,
  TestOutcome,
} from '../../../views/pages/sources.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { SourceFormProps } from '../../../views/parts/source-form.tsx';
import { SourceTest, type TestReportProps } from '../../../views/parts/source-test.tsx';
import { type Rendered, renderFragment, renderPage } from '../../../views/render.ts';
import { describeError, LarderError } from '../../errors.ts';
import type { SourceInput } from '../../library/source-registry.ts';
import type { SourceService, SourceTestRequest, SourceView } from '../../library/source-service.ts';
import { statusOf } from '../../proxy/error-response.ts';
import type { CredentialKind } from '../../sources/http-credentials.ts';
import { parseHttpCredentials } from '../../sources/http-credentials.ts';
import { parseSourceName, parseSourceUrl } from '../../sources/http-source.ts';
import type { TestStep } from '../../sources/source-test-report.ts';
import { parseForm } from '../forms.ts';
import type { PageRequest } from '../live-page.ts';
import type { ActionResult, Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import type { WebContext } from '../web-environment.ts';

const text = z.string().default('');

const formSchema = z.object({
  name: text.transform((name) => name.trim()),
  url: text.transform((url) => url.trim()),
  signIn: z.enum(['none', 'keep', 'password', 'token', 'headers']).default('none'),
  username: text,
  password: text,
  token: text.transform((token) => token.trim()),
  credentialHeaders: text,
  local: z.enum(['auto', 'yes', 'no']).default('auto'),
  file: text,
});

type SourceFormValue = z.infer<typeof formSchema>;

export interface SourceFormResult {
  readonly name: string;
  readonly input: SourceInput;
  readonly file: string;
  readonly state: FormState;
}

const KIND_WORDS: Readonly<Record<CredentialKind, string | null>> = {
  none: null,
  password: 'user name and password',
  token: 'token',
  headers: 'headers',
};

/** Headers as they are typed, one in each line. A line without a colon is a name that no header has. */
function readHeaderLines(lines: string): Record<string, string> {
  const entries = lines.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    entries.map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** Undefined keeps what there is. */
function credentialsOf(value: SourceFormValue): unknown {
  if (value.signIn === 'keep') return undefined;
  if (value.signIn === 'password') return { username: value.username, password: value.password };
  if (value.signIn === 'token') return { token: value.token };
  if (value.signIn === 'headers') return { headers: readHeaderLines(value.credentialHeaders) };
  return null;
}

/** The field that each kind of credentials stands in, or begins with. */
const CREDENTIAL_FIELDS = {
  none: 'signIn',
  keep: 'signIn',
  password: 'username',
  token: 'token',
  headers: 'credentialHeaders',
};

function words(error: unknown): string {
  const hint = error instanceof LarderError && error.hint !== undefined ? ` ${formatSentence(error.hint)}` : '';
  return formatSentence(describeError(error)) + hint;
}

/** What is wrong with the form, each below its field. `isNew` wants a name, `hasUrl` an address. */
function findErrors(value: SourceFormValue, isNew: boolean, hasUrl: boolean): Record<string, string> {
  const errors: Record<string, string> = {};
  const check = (field: string, parse: () => unknown) => {
    try {
      parse();
    } catch (error) {
      errors[field] = words(error);
    }
  };
  if (isNew) check('name', () => parseSourceName(value.name));
  if (hasUrl) check('url', () => parseSourceUrl(value.url));
  check(CREDENTIAL_FIELDS[value.signIn], () => parseHttpCredentials(credentialsOf(value)));
  return errors;
}

/** @throws LarderError when the form cannot be read at all */
export async function readSourceForm(context: WebContext, isNew: boolean): Promise<SourceFormResult> {
  const result = await parseForm(context, formSchema);
  if (!result.ok) throw new LarderError('invalid', 'the form is not one of ours', { hint: 'load the page again' });
  const { value, state } = result;
  // A source that is declared outside has no field for its address.
  const hasUrl = isNew || state.typed.url !== undefined;
  const credentials = state.typed.signIn === undefined && !isNew ? undefined : credentialsOf(value);
  const input: SourceInput = {
    ...(hasUrl ? { url: value.url } : {}),
    ...(credentials === undefined || (credentials === null && isNew) ? {} : { credentials }),
    ...(value.local === 'auto' ? {} : { local: value.local === 'yes' }),
  };
  return { name: value.name, input, file: value.file, state: { ...state, errors: findErrors(value, isNew, hasUrl) } };
}

/** The state of the form with what the service said of it. */
function withError(state: FormState, error: LarderError): FormState {
  return { ...state, errors: { [error.code === 'conflict' ? 'name' : 'url']: words(error) } };
}

function summaryOf(view: SourceView): SourceSummaryProps {
  const { standing } = view;
  return {
    name: view.name,
    url: view.url,
    failingSinceMs: standing.failingSince,
    lastSuccessAtMs: standing.lastSuccessAt,
    lastErrorAtMs: standing.lastErrorAt,
    lastError: standing.lastErrorText,
    hint: standing.hint,
    credentialsLost: view.credentialsLost,
    holdings: view.holdings,
    lastTest: view.lastTest,
  };
}

function settingsOf(view: SourceView): NonNullable<SourceFormProps['source']> {
  const { url, local, lockedBy, credentialsLocked } = view;
  return { url, local, credentials: KIND_WORDS[view.credentials], lockedBy, credentialsLocked };
}

/** Aborted when whoever asked has gone. */
export function goneSignal(context: WebContext): AbortSignal {
  const gone = new AbortController();
  context.env.outgoing.once('close', () => gone.abort());
  return gone.signal;
}

/**
 * Tests a form as it stands. htmx is told of each step as it is done; without JavaScript the page comes when all is
 * done, made by `show`.
 */
export async function answerTest(
  context: WebContext,
  sources: SourceService,
  request: SourceTestRequest,
  show: (report: TestReportProps | LarderError) => Response | Promise<Response>,
): Promise<Response> {
  const signal = goneSignal(context);
  if (context.req.header('HX-Request') === undefined) {
    return show(await sources.test(request, signal).catch(refusal));
  }
  context.header('X-Accel-Buffering', 'no');
  return streamSSE(context, async (stream) => {
    const done: TestStep[] = [];
    // Steps come as they are done; each is written in its turn.
    let written: Promise<unknown> = Promise.resolve();
    const send = (content: Rendered) => {
      const data = renderFragment(content);
      written = written.then(() => stream.writeSSE({ data }));
    };
    send(<SourceTest done={done} running />);
    try {
      const report = await sources.test(request, signal, (step) => {
        done.push(step);
        send(<SourceTest done={done} running />);
      });
      send(<TestOutcome report={report} />);
    } catch (error) {
      send(<TestRefused error={words(error)} />);
    }
    await written.catch(() => undefined); // whoever asked has gone
  });
}

/** What the owner can put right; anything else is thrown on. */
function refusal(error: unknown): LarderError {
  if (error instanceof LarderError && error.code !== 'unknown-source') return error;
  throw error;
}

function TestRefused({ error }: { error: string }) {
  return (
    <p class="notice failed" role="alert">
      <strong>Not tested: </strong>
      {error}
    </p>
  );
}

export function addSourcePages(routes: Routes, { sources }: Pick<WebServices, 'sources'>): void {
  routes.livePage({
    path: '/sources',
    need: 'owner',
    regions: async ({ page }) => ({
      sources: <SourceList page={page} sources={(await sources.list()).map(summaryOf)} />,
      removals: <Removals removals={sources.removals()} />,
    }),
    render: ({ page }, regions, notice) => <SourcesPage page={page} notice={notice} regions={regions} />,
  });

  routes.get('/sources/new', 'owner', (context) =>
    context.html(renderPage(<NewSourcePage page={context.var.page} form={emptyForm} test={null} />)),
  );

  routes.action('/sources/new', 'owner', async (context) => {
    const { name, input, state } = await readSourceForm(context, true);
    const show = (form: FormState, status: 409 | 422) =>
      context.html(renderPage(<NewSourcePage page={context.var.page} form={form} test={null} />), status);
    if (Object.keys(state.errors).length > 0) return show(state, 422);
    try {
      await sources.add(name, input);
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      return show(withError(state, error), statusOf(error) as 409);
    }
    return { notice: { tone: 'done', text: `${name} was added.` }, goTo: `/sources/${encodeURIComponent(name)}` };
  });

  routes.post('/sources/test', 'owner', async (context) => {
    const { input, file, state } = await readSourceForm(context, true);
    return answerTest(context, sources, { name: null, input, file }, (result) => {
      const isRefused = result instanceof LarderError;
      const form = isRefused ? withError(state, result) : noErrors(state);
      const test = isRefused ? null : { report: result };
      const { page } = context.var;
      return context.html(renderPage(<NewSourcePage page={page} form={form} test={test} />), isRefused ? 422 : 200);
    });
  });

  routes.livePage({
    path: '/sources/:name',
    need: 'owner',
    regions: async (request) => regionsOf(request, request.params.name ?? '', null),
    render: async (request, regions, notice) => {
      const view = await sources.get(request.params.name ?? '');
      return sourcePage(request.page, view, regions, { notice });
    },
  });

  async function regionsOf({ page }: Pick<PageRequest, 'page'>, name: string, wrong: string | null) {
    const view = await sources.get(name).catch((error: unknown) => {
      if (error instanceof LarderError && error.code === 'unknown-source') return null;
      throw error;
    });
    if (view === null) return null;
    const source = summaryOf(view);
    return {
      standing: <SourceStanding page={page} source={source} />,
      'last-test': <SourceLastTest page={page} source={source} />,
      removal: <SourceRemoval page={page} source={source} lockedBy={view.lockedBy} wrong={wrong} />,
    };
  }

  interface Shown {
    readonly notice?: ActionResult['notice'];
    readonly form?: FormState;
    readonly report?: TestReportProps;
  }

  function sourcePage(
    page: PageRequest['page'],
    view: SourceView,
    regions: Readonly<Record<string, Rendered>>,
    { notice = null, form = emptyForm, report }: Shown,
  ): Rendered {
    return (
      <SourcePage
        page={{ ...page, path: `/sources/${encodeURIComponent(view.name)}` }}
        name={view.name}
        notice={notice}
        form={form}
        test={report === undefined ? null : { report }}
        settings={settingsOf(view)}
        regions={regions}
      />
    );
  }

  /** The page of a source as the answer to one of its forms. */
  async function showSource(context: WebContext, shown: Shown, status: 200 | 422, wrong: string | null = null) {
    const name = context.req.param('name') ?? '';
    const view = await sources.get(name);
    const regions = (await regionsOf({ page: context.var.page }, name, wrong)) ?? {};
    return context.html(renderPage(sourcePage(context.var.page, view, regions, shown)), status);
  }

  routes.action('/sources/:name', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const { input, state } = await readSourceForm(context, false);
    if (Object.keys(state.errors).length > 0) return showSource(context, { form: state }, 422);
    try {
      await sources.update(name, input);
    } catch (error) {
      if (!(error instanceof LarderError) || error.code === 'unknown-source') throw error;
      return showSource(context, { form: withError(state, error) }, statusOf(error) as 422);
    }
    return { notice: { tone: 'done', text: `${name} was changed.` }, goTo: `/sources/${encodeURIComponent(name)}` };
  });

  routes.post('/sources/:name/test', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const { input, file, state } = await readSourceForm(context, false);
    return answerTest(context, sources, { name, input, file }, (result) =>
      result instanceof LarderError
        ? showSource(context, { form: withError(state, result) }, 422)
        : showSource(context, { form: noErrors(state), report: result }, 200),
    );
  });

  routes.action('/sources/:name/remove', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const { confirmation } = await context.req.parseBody();
    if (confirmation !== name) {
      return showSource(context, {}, 422, `Nothing was removed: that is not ${name}.`);
    }
    const { cachedBytes } = await sources.remove(name);
    const bytes = cachedBytes === 0 ? '' : ` ${formatBytes(cachedBytes)} go in the background.`;
    return { notice: { tone: 'done', text: `${name} was removed.${bytes}` }, goTo: '/sources' };
  });
}

function noErrors(state: FormState): FormState {
  return { ...state, errors: {} };
}
