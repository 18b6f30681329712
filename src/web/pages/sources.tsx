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
import { SignInState } from '../../../views/parts/sign-in-code.tsx';
import { SourceCatalogue, type SourceCatalogueProps } from '../../../views/parts/source-catalogue.tsx';
import type { ConversionProps } from '../../../views/parts/source-conversion.tsx';
import type { SourceFormProps } from '../../../views/parts/source-form.tsx';
import { isSourceKind, ladderSteps, type SourceKind, sourceKinds } from '../../../views/parts/source-kinds.ts';
import type { TestReportProps } from '../../../views/parts/source-test.tsx';
import { type Rendered, renderFragment, renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import type { SyncState } from '../../library/catalogue-syncs.ts';
import type { SourceView } from '../../library/source-service.ts';
import type { Settings } from '../../options.ts';
import { statusOf } from '../../proxy/error-response.ts';
import type { PageRequest } from '../live-page.ts';
import type { ActionResult, Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import type { WebContext } from '../web-environment.ts';
import { answerTest, askForCode, noErrors, readSourceForm, type SourceFormResult, withError } from './source-form.tsx';

/** Of kinds of credentials that are not called as people call them. */
const CREDENTIAL_WORDS: Readonly<Record<string, string | null>> = {
  none: null,
  password: 'user name and password',
  certificate: 'client certificate',
  'api key': 'API key',
  'quick connect': 'Quick Connect',
};

function summaryOf(view: SourceView): SourceSummaryProps {
  const { standing } = view;
  return {
    name: view.name,
    kind: view.kind,
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

function credentialWords(kind: string): string | null {
  const words = CREDENTIAL_WORDS[kind];
  return words === undefined ? kind : words;
}

function settingsOf(view: SourceView): NonNullable<SourceFormProps['source']> {
  const { url, local, lockedBy, credentialsLocked, options } = view;
  const { itemsPerCatalogue } = options;
  return {
    url,
    local,
    credentials: credentialWords(view.credentials),
    lockedBy,
    credentialsLocked,
    conversion: conversionOf(options),
    itemsPerCatalogue: typeof itemsPerCatalogue === 'number' ? itemsPerCatalogue : null,
  };
}

function conversionOf({ transcode, ladder }: SourceView['options']): ConversionProps {
  const rates = typeof ladder === 'object' && ladder !== null ? (ladder as Record<string, unknown>) : {};
  return {
    transcode: transcode === 'hls' || transcode === 'off' ? transcode : 'growing',
    ladder: Object.fromEntries(
      ladderSteps.flatMap(([quality]) => {
        const rate = rates[quality];
        return typeof rate === 'number' ? [[quality, rate / 1_000_000]] : [];
      }),
    ),
  };
}

type Services = Pick<WebServices, 'sources' | 'syncs' | 'settings' | 'signIns'>;

export function addSourcePages(routes: Routes, { sources, syncs, settings, signIns }: Services): void {
  routes.livePage({
    path: '/sources',
    need: 'owner',
    regions: async ({ page }) => ({
      sources: <SourceList page={page} sources={(await sources.list()).map(summaryOf)} />,
      removals: <Removals removals={sources.removals()} />,
    }),
    render: ({ page }, regions, notice) => <SourcesPage page={page} notice={notice} regions={regions} />,
  });

  interface New extends Partial<Pick<SourceFormResult, 'code'>> {
    readonly form?: FormState;
    readonly report?: TestReportProps;
  }

  function showNew(
    context: WebContext,
    kind: SourceKind,
    { form = emptyForm, code = null, report }: New,
    status = 200,
  ) {
    const test = report === undefined ? null : { report };
    const shown = { kind, form, code, test, canSignIn: signIns.canStart(kind) };
    return context.html(renderPage(<NewSourcePage page={context.var.page} {...shown} />), status as 200);
  }

  routes.get('/sources/new', 'owner', (context) => {
    const kind = context.req.query('kind');
    return showNew(context, isSourceKind(kind) ? kind : 'http', {});
  });

  routes.action('/sources/new', 'owner', async (context) => {
    const read = await readSourceForm(context, signIns, null);
    const { name, input, value, state, code } = read;
    if (Object.keys(state.errors).length > 0) return showNew(context, value.kind, { form: state, code }, 422);
    try {
      await sources.add(name, input);
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      return showNew(context, value.kind, { form: withError(read, error), code }, statusOf(error));
    }
    signIns.forget(value.signInId);
    return { notice: { tone: 'done', text: `${name} was added.` }, goTo: `/sources/${encodeURIComponent(name)}` };
  });

  routes.post('/sources/test', 'owner', async (context) => {
    const read = await readSourceForm(context, signIns, null);
    const { input, value, state, code } = read;
    return answerTest(context, sources, { name: null, input, file: value.file }, (result) =>
      result instanceof LarderError
        ? showNew(context, value.kind, { form: withError(read, result), code }, 422)
        : showNew(context, value.kind, { form: noErrors(state), code, report: result }),
    );
  });

  routes.post('/sources/new/sign-in', 'owner', async (context) => {
    const read = await readSourceForm(context, signIns, null);
    const { state: form, code } = await askForCode(read, signIns, null);
    return showNew(context, read.value.kind, { form, code }, code === null ? 422 : 200);
  });

  /** How far a sign-in is, for pages that ask again by themselves: also of a source that there is. */
  routes.get('/sources/new/sign-in/:id', 'owner', async (context) => {
    const id = context.req.param('id') ?? '';
    const code = await signIns.poll(id).catch((error: unknown) => {
      if (!(error instanceof LarderError)) throw error;
      const message = error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
      return { id, code: '', link: null, state: 'failed' as const, message };
    });
    return context.html(renderFragment(<SignInState page={context.var.page} code={code} />));
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
        <SourceCatalogue
          page={page}
          name={name}
          kind={view.kind}
          catalogue={catalogueOf(syncs.stateOf(view.id), settings.current)}
        />
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
    readonly code?: SourceFormResult['code'];
    readonly report?: TestReportProps;
    readonly wrong?: string;
  }

  function sourcePage(
    page: PageRequest['page'],
    view: SourceView,
    regions: Readonly<Record<string, Rendered>>,
    { notice = null, form = emptyForm, code = null, report, wrong }: Shown,
  ): Rendered {
    return (
      <SourcePage
        page={{ ...page, path: `/sources/${encodeURIComponent(view.name)}` }}
        name={view.name}
        kind={view.kind}
        notice={notice}
        form={form}
        code={code}
        canSignIn={signIns.canStart(view.kind)}
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
    const read = await readSourceForm(context, signIns, await sources.get(name));
    const { input, value, state, code } = read;
    if (Object.keys(state.errors).length > 0) return showSource(context, { form: state, code }, 422);
    try {
      await sources.update(name, input);
    } catch (error) {
      if (!(error instanceof LarderError) || error.code === 'unknown-source') throw error;
      return showSource(context, { form: withError(read, error), code }, statusOf(error) as 422);
    }
    signIns.forget(value.signInId);
    return { notice: { tone: 'done', text: `${name} was changed.` }, goTo: `/sources/${encodeURIComponent(name)}` };
  });

  routes.post('/sources/:name/test', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const read = await readSourceForm(context, signIns, await sources.get(name));
    const { input, value, state, code } = read;
    return answerTest(context, sources, { name, input, file: value.file }, (result) =>
      result instanceof LarderError
        ? showSource(context, { form: withError(read, result), code }, 422)
        : showSource(context, { form: noErrors(state), code, report: result }, 200),
    );
  });

  routes.post('/sources/:name/sign-in', 'owner', async (context) => {
    const name = context.req.param('name') ?? '';
    const read = await readSourceForm(context, signIns, await sources.get(name));
    const { state: form, code } = await askForCode(read, signIns, name);
    return showSource(context, { form, code }, code === null ? 422 : 200);
  });

  routes.action('/sources/:name/sync', 'owner', async (context) => {
    const { id, name, kind } = await sources.get(context.req.param('name') ?? '');
    const { state } = syncs.request(id);
    const what = kind === 'http' ? `The folders of ${name} are` : `The catalogue of ${name} is`;
    const when = state === 'waiting' ? 'as soon as another source is done' : 'now';
    const text = `${what} gone through ${when}.`;
    return { notice: { tone: 'done', text } };
  });

  routes.action('/sources/:name/sync/cancel', 'owner', async (context) => {
    const { id, kind } = await sources.get(context.req.param('name') ?? '');
    const { seen } = await syncs.cancel(id);
    const counted = formatCount(seen, ...sourceKinds[kind].things);
    return { notice: { tone: 'done', text: `Stopped after ${counted}. What was found stays.` } };
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
