// Sources: which there are and how each fares; adding, testing, changing and removing them.
import { formatBytes, formatCount } from '../../../views/format.ts';
import {
  NewSourcePage,
  RemovalLoss,
  Removals,
  RemovalVerb,
  SourceLastTest,
  SourceList,
  SourcePage,
  SourceStanding,
  type SourceSummaryProps,
  SourcesPage,
} from '../../../views/pages/sources.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import { SourceCatalogue, type SourceCatalogueProps } from '../../../views/parts/source-catalogue.tsx';
import type { SourceFormProps } from '../../../views/parts/source-form.tsx';
import type { TestReportProps } from '../../../views/parts/source-test.tsx';
import { type Rendered, renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import type { SyncState } from '../../library/catalogue-syncs.ts';
import type { SourceView } from '../../library/source-service.ts';
import type { Settings } from '../../options.ts';
import { statusOf } from '../../proxy/error-response.ts';
import type { CredentialKind } from '../../sources/http-credentials.ts';
import type { PageRequest } from '../live-page.ts';
import type { ActionResult, Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import type { WebContext } from '../web-environment.ts';
import { answerTest, noErrors, readSourceForm, withError } from './source-form.tsx';

const KIND_WORDS: Readonly<Record<CredentialKind, string | null>> = {
  none: null,
  password: 'user name and password',
  token: 'token',
  headers: 'headers',
  certificate: 'certificate',
};

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

export function addSourcePages(
  routes: Routes,
  { sources, syncs, settings }: Pick<WebServices, 'sources' | 'syncs' | 'settings'>,
): void {
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
    regions: async (request) => regionsOf(request, request.params.name ?? ''),
    render: async (request, regions, notice) => {
      const view = await sources.get(request.params.name ?? '');
      return sourcePage(request.page, view, regions, { notice });
    },
  });

  async function regionsOf({ page }: Pick<PageRequest, 'page'>, name: string) {
    const view = await sources.get(name).catch((error: unknown) => {
      if (error instanceof LarderError && error.code === 'unknown-source') return null;
      throw error;
    });
    if (view === null) return null;
    const source = summaryOf(view);
    return {
      standing: <SourceStanding page={page} source={source} />,
      catalogue: (
        <SourceCatalogue page={page} name={name} catalogue={catalogueOf(syncs.stateOf(view.id), settings.current)} />
      ),
      'last-test': <SourceLastTest page={page} source={source} />,
      ...(view.lockedBy === null
        ? { 'removal-loss': <RemovalLoss source={source} />, 'removal-verb': <RemovalVerb source={source} /> }
        : {}),
    };
  }

  interface Shown {
    readonly notice?: ActionResult['notice'];
    readonly form?: FormState;
    readonly report?: TestReportProps;
    readonly wrong?: string;
  }

  function sourcePage(
    page: PageRequest['page'],
    view: SourceView,
    regions: Readonly<Record<string, Rendered>>,
    { notice = null, form = emptyForm, report, wrong }: Shown,
  ): Rendered {
    return (
      <SourcePage
        page={{ ...page, path: `/sources/${encodeURIComponent(view.name)}` }}
        name={view.name}
        notice={notice}
        form={form}
        test={report === undefined ? null : { report }}
        settings={settingsOf(view)}
        wrong={wrong ?? null}
        regions={regions}
      />
    );
  }

  /** The page of a source as the answer to one of its forms. */
  async function showSource(context: WebContext, shown: Shown, status: 200 | 422) {
    const name = context.req.param('name') ?? '';
    const view = await sources.get(name);
    const regions = (await regionsOf({ page: context.var.page }, name)) ?? {};
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

  routes.action('/sources/:name/sync', 'owner', async (context) => {
    const { id, name } = await sources.get(context.req.param('name') ?? '');
    const { state } = syncs.request(id);
    const text =
      state === 'waiting'
        ? `The folders of ${name} are gone through as soon as another source is done.`
        : `The folders of ${name} are gone through now.`;
    return { notice: { tone: 'done', text } };
  });

  routes.action('/sources/:name/sync/cancel', 'owner', async (context) => {
    const { id } = await sources.get(context.req.param('name') ?? '');
    const { seen } = await syncs.cancel(id);
    return { notice: { tone: 'done', text: `Stopped after ${formatCount(seen, 'file')}. What was found stays.` } };
  });

  routes.action('/sources/:name/remove', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const { confirmation } = await context.req.parseBody();
    if (confirmation !== name) {
      return showSource(context, { wrong: `Nothing was removed: that is not ${name}.` }, 422);
    }
    const { cachedBytes } = await sources.remove(name);
    const bytes = cachedBytes === 0 ? '' : ` ${formatBytes(cachedBytes)} go in the background.`;
    return { notice: { tone: 'done', text: `${name} was removed.${bytes}` }, goTo: '/sources' };
  });
}

const PERIODS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const;

/** `day`, `6 hours`: goes on behind "every". */
function describeEvery(ms: number): string {
  const [unitMs, unit] = PERIODS.find(([period]) => ms % period === 0) ?? PERIODS[3];
  return ms === unitMs ? unit : formatCount(ms / unitMs, unit);
}

function catalogueOf(sync: SyncState, { syncEvery }: Pick<Settings, 'syncEvery'>): SourceCatalogueProps {
  return { ...sync, every: syncEvery === 0 ? null : describeEvery(syncEvery) };
}
