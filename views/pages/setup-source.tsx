import { SetupFrame, type SetupFrameProps } from '../parts/setup-frame.tsx';
import { SourceForm } from '../parts/source-form.tsx';
import { SourceKindChoice } from '../parts/source-kind-choice.tsx';
import { type NewSourcePageProps, TestOutcome } from './sources.tsx';

export type SetupSourcePageProps = NewSourcePageProps & {
  frame: Pick<SetupFrameProps, 'page' | 'steps' | 'current'>;
  /** Sources that there are already. */
  names: readonly string[];
};

/** Where the films are. */
export function SetupSourcePage({ frame, kind, form, code, canSignIn, test, names }: SetupSourcePageProps) {
  return (
    <SetupFrame {...frame} title="Where are your films?">
      <p>
        A source is where films and music come from: a folder at an http or https address, a Jellyfin or Plex server, a
        Stremio add-on. Larder streams what it has, and keeps what was played.
      </p>
      {names.length === 0 ? null : (
        <p class="notice done">
          {names.length === 1 ? 'There is a source already: ' : 'There are sources already: '}
          {names.join(', ')}. Add another one, or skip this step.
        </p>
      )}
      <SourceKindChoice page={frame.page} path="/setup/source" chosen={kind} />
      <section class="panel" aria-label="The source">
        <SourceForm
          page={frame.page}
          action="/setup/source"
          testAction="/sources/test"
          plainTestAction="/setup/source"
          codeAction={canSignIn ? '/setup/source' : null}
          code={code}
          kind={kind}
          form={form}
          source={null}
          submit="Add it and go on"
        >
          {test === null ? null : <TestOutcome report={test.report} />}
        </SourceForm>
      </section>
    </SetupFrame>
  );
}
