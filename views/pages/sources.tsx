import { formatBytes, formatCount, formatSentence } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Fact } from '../parts/fact.tsx';
import type { FormState } from '../parts/field.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import type { SignInCodeProps } from '../parts/sign-in-code.tsx';
import { SourceForm, type SourceFormProps } from '../parts/source-form.tsx';
import { SourceKindChoice } from '../parts/source-kind-choice.tsx';
import { type SourceKind, sourceKinds } from '../parts/source-kinds.ts';
import { describeHoldings, LastTest, SourceTest, type TestReportProps, testOutcome } from '../parts/source-test.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { TimeSince } from '../parts/time-since.tsx';
import type { Rendered } from '../render.ts';

export type SourceSummaryProps = {
  name: string;
  kind: SourceKind;
  url: string;
  failingSinceMs: number | null;
  lastSuccessAtMs: number | null;
  lastErrorAtMs: number | null;
  lastError: string | null;
  hint: string | null;
  credentialsLost: boolean;
  holdings: { itemCount: number; entryCount: number; pinnedCount: number; cachedBytes: number };
  lastTest: TestReportProps | null;
};

export type RemovalProps = { name: string; entryCount: number; cachedBytes: number };

type Page = { page: PageContext };

function path(page: PageContext, name: string): string {
  return `${page.basePath}/sources/${encodeURIComponent(name)}`;
}

export function SourceBadge({ source }: { source: SourceSummaryProps }) {
  if (source.credentialsLost) return <span class="badge failing">Sign-in lost</span>;
  if (source.failingSinceMs !== null) return <span class="badge failing">Failing</span>;
  if (source.lastTest?.ok === false) return <span class="badge attention">Test failed</span>;
  if (source.lastSuccessAtMs !== null) return <span class="badge well">Well</span>;
  return <span class="badge neutral">Not asked yet</span>;
}

/** What is wrong, since when, what Larder does by itself and what can be done; nothing while all is well. */
function Trouble({ source, page }: Page & { source: SourceSummaryProps }) {
  if (source.credentialsLost) {
    return (
      <p class="waiting">
        Its password, token or headers were sealed with a key that is not there any more. Enter them again.
      </p>
    );
  }
  if (source.failingSinceMs === null) return null;
  return (
    <p class="waiting">
      Does not answer since <TimeSince sinceMs={source.failingSinceMs} page={page} />:{' '}
      {formatSentence(source.lastError ?? 'unknown')} What is cached plays on, and it is asked again whenever somebody
      wants more.{source.hint === null ? null : ` ${formatSentence(source.hint)}`}
    </p>
  );
}

export function SourceList({ page, sources }: Page & { sources: readonly SourceSummaryProps[] }) {
  if (sources.length === 0) return <NoSources page={page} />;
  return (
    <ul class="rows panel flush">
      {sources.map((source) => (
        <li id={`source-${source.name}`}>
          <h2 class="source-name">
            <a href={path(page, source.name)}>{source.name}</a> <SourceBadge source={source} />
          </h2>
          <Trouble page={page} source={source} />
          <dl class="facts">
            <Fact name="Kind" width="wide">
              {sourceKinds[source.kind].name}
            </Fact>
            <Fact name="Address" width="wide">
              <code>{source.url}</code>
            </Fact>
            <Fact name="Last success">
              <TimeAgo atMs={source.lastSuccessAtMs} page={page} />
            </Fact>
            <Fact name="Known">{formatCount(source.holdings.itemCount, 'item')}</Fact>
            <Fact name="Kept">{formatBytes(source.holdings.cachedBytes)}</Fact>
          </dl>
        </li>
      ))}
    </ul>
  );
}

function NoSources({ page }: Page) {
  return (
    <section class="panel">
      <h2>No sources yet</h2>
      <p>
        A source is where films and music come from: a folder at an http or https address, a Jellyfin or Plex server, a
        Stremio add-on. Larder streams every file of a folder at <code>{`${page.playerAddress}/s/NAME/PATH`}</code>,
        every title of a server at the addresses on its page, and keeps what was played.
      </p>
      <p>
        <a class="button" href={`${page.basePath}/sources/new`}>
          Add the first source
        </a>
      </p>
    </section>
  );
}

export function Removals({ removals }: { removals: readonly RemovalProps[] }) {
  if (removals.length === 0) return null;
  return (
    <section class="panel">
      <h2>Being removed</h2>
      <ul class="rows">
        {removals.map(({ name, entryCount, cachedBytes }) => (
          <li>
            {name}, which had {formatCount(entryCount, 'entry', 'entries')} with {formatBytes(cachedBytes)}. A stop
            interrupts this, and the next start goes on.
          </li>
        ))}
      </ul>
    </section>
  );
}

export function SourcesPage(props: Page & { notice: NoticeProps | null; regions: Readonly<Record<string, Rendered>> }) {
  const { page, notice, regions } = props;
  return (
    <Layout page={page} title="Sources" section="/sources" notice={notice} live>
      <div class="page-head">
        <h1>Sources</h1>
        <a class="button" href={`${page.basePath}/sources/new`}>
          Add a source
        </a>
      </div>
      <div id="sources">{regions.sources}</div>
      <div id="removals">{regions.removals}</div>
    </Layout>
  );
}

export type TestOfFormProps = { report: TestReportProps } | null;

/** What stands below the button once a test is over. */
export function TestOutcome({ report }: { report: TestReportProps }) {
  return (
    <>
      <p class={`notice ${report.ok ? (report.file === null ? 'attention' : 'done') : 'failed'}`} role="status">
        {testOutcome(report)}
        {report.ok ? '' : ' It can be saved all the same.'}
      </p>
      <SourceTest done={report.steps} running={false} />
    </>
  );
}

export type NewSourcePageProps = {
  kind: SourceKind;
  form: FormState;
  /** The code that was given to sign in by; null while there is none. */
  code: SignInCodeProps | null;
  /** It can be signed in to by a code. */
  canSignIn: boolean;
  test: TestOfFormProps;
};

export function NewSourcePage({ page, kind, form, code, canSignIn, test }: Page & NewSourcePageProps) {
  return (
    <Layout page={page} title="Add a source" section="/sources">
      <p class="crumb">
        <a href={`${page.basePath}/sources`}>All sources</a>
      </p>
      <h1>Add a source</h1>
      <SourceKindChoice page={page} path="/sources/new" chosen={kind} />
      <section class="panel" aria-label={sourceKinds[kind].name}>
        <SourceForm
          page={page}
          action="/sources/new"
          testAction="/sources/test"
          codeAction={canSignIn ? '/sources/new/sign-in' : null}
          code={code}
          kind={kind}
          form={form}
          source={null}
          submit="Add the source"
        >
          {test === null ? null : <TestOutcome report={test.report} />}
        </SourceForm>
      </section>
    </Layout>
  );
}

export function SourceStanding({ page, source }: Page & { source: SourceSummaryProps }) {
  return (
    <>
      <p>
        <SourceBadge source={source} /> {sourceKinds[source.kind].name} at <code>{source.url}</code>
      </p>
      <Trouble page={page} source={source} />
      <dl class="facts">
        <Fact name="Last success">
          <TimeAgo atMs={source.lastSuccessAtMs} page={page} />
        </Fact>
        <Fact name="Known">{formatCount(source.holdings.itemCount, 'item')}</Fact>
        <Fact name="Kept">{formatBytes(source.holdings.cachedBytes)}</Fact>
        <Fact name="Stream addresses" width="wide">
          {source.kind === 'http' ? (
            <code>{`${page.playerAddress}/s/${source.name}/PATH`}</code>
          ) : (
            <a href={`${page.basePath}/library?source=${encodeURIComponent(source.name)}`}>on the page of each title</a>
          )}
        </Fact>
      </dl>
    </>
  );
}

export function SourceLastTest({ page, source }: Page & { source: SourceSummaryProps }) {
  if (source.lastTest === null) return <p class="quiet">It was not tested as it is saved now. Test it below.</p>;
  return <LastTest page={page} report={source.lastTest} />;
}

/** What would be lost, in a sentence. */
export function RemovalLoss({ source: { holdings } }: { source: SourceSummaryProps }) {
  const loss = holdings.entryCount === 0 ? 'Nothing is kept of it.' : `${describeHoldings(holdings)} would be lost.`;
  return (
    <>
      {loss} Who plays from it is cut off. This cannot be undone: what is wanted again has to be added and fetched
      again.
    </>
  );
}

/** The words of the button. */
export function RemovalVerb({ source: { name, holdings } }: { source: SourceSummaryProps }) {
  return <>{`Remove ${name}${holdings.cachedBytes === 0 ? '' : ` and delete ${formatBytes(holdings.cachedBytes)}`}`}</>;
}

type RemovalFormProps = Page & {
  name: string;
  lockedBy: string | null;
  /** What was wrong with the confirmation; null while nothing was. */
  wrong: string | null;
  regions: Readonly<Record<string, Rendered>>;
};

/** Only its figures are live: what is typed and what was wrong with it stays. */
function RemovalForm({ page, name, lockedBy, wrong, regions }: RemovalFormProps) {
  if (lockedBy !== null) {
    return (
      <p>
        It is declared by <code>{lockedBy}</code>. Take it out there and start Larder again; then it can be removed
        here.
      </p>
    );
  }
  return (
    <>
      <p id="removal-loss">{regions['removal-loss']}</p>
      <details class="remove" open={wrong !== null}>
        <summary>Remove {name} …</summary>
        <form method="post" action={`${path(page, name)}/remove`}>
          <div class={wrong === null ? 'field' : 'field wrong'}>
            <label for="confirmation">
              Type <strong>{name}</strong> to confirm
            </label>
            <input
              id="confirmation"
              name="confirmation"
              type="text"
              autocomplete="off"
              required
              aria-invalid={wrong === null ? undefined : 'true'}
              aria-describedby={wrong === null ? undefined : 'confirmation-error'}
            />
            {wrong === null ? null : (
              <p class="error" id="confirmation-error">
                {wrong}
              </p>
            )}
          </div>
          <button type="submit" class="danger" id="removal-verb">
            {regions['removal-verb']}
          </button>
        </form>
      </details>
    </>
  );
}

export type SourcePageProps = {
  name: string;
  kind: SourceKind;
  notice: NoticeProps | null;
  form: FormState;
  code: SignInCodeProps | null;
  canSignIn: boolean;
  test: TestOfFormProps;
  settings: NonNullable<SourceFormProps['source']>;
  /** What was wrong with the confirmation of its removal. */
  wrong: string | null;
  regions: Readonly<Record<string, Rendered>>;
};

export function SourcePage(props: Page & SourcePageProps) {
  const { page, name, kind, notice, form, code, canSignIn, test, settings, wrong, regions } = props;
  const address = `/sources/${encodeURIComponent(name)}`;
  return (
    <Layout page={page} title={name} section="/sources" notice={notice} live>
      <p class="crumb">
        <a href={`${page.basePath}/sources`}>All sources</a>
      </p>
      <h1>{name}</h1>
      <section class="panel" id="standing" aria-label="How it fares">
        {regions.standing}
      </section>
      <section class="panel">
        <h2>{kind === 'http' ? 'Files' : 'Titles'}</h2>
        <div id="catalogue">{regions.catalogue}</div>
      </section>
      <section class="panel">
        <h2>Last test</h2>
        <div id="last-test">{regions['last-test']}</div>
      </section>
      <section class="panel">
        <h2>Settings</h2>
        <SourceForm
          page={page}
          action={address}
          testAction={`${address}/test`}
          codeAction={canSignIn ? `${address}/sign-in` : null}
          code={code}
          kind={kind}
          form={form}
          source={settings}
          submit="Save"
        >
          {test === null ? null : <TestOutcome report={test.report} />}
        </SourceForm>
      </section>
      <section class="panel">
        <h2>Remove</h2>
        <RemovalForm page={page} name={name} lockedBy={settings.lockedBy} wrong={wrong} regions={regions} />
      </section>
    </Layout>
  );
}
