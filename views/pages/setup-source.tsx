import { SetupFrame, type SetupFrameProps } from '../parts/setup-frame.tsx';
import { SourceForm } from '../parts/source-form.tsx';
import { type NewSourcePageProps, TestOutcome } from './sources.tsx';

export type SetupSourcePageProps = NewSourcePageProps & {
  frame: Pick<SetupFrameProps, 'page' | 'steps' | 'current'>;
  /** Sources that there are already. */
  names: readonly string[];
};

/** Where the films are. */
export function SetupSourcePage({ frame, form, test, names }: SetupSourcePageProps) {
  return (
    <SetupFrame {...frame} title="Where are your films?">
      <p>
        A source is a folder of films or music at an http or https address: a file server, a seedbox, a NAS elsewhere.
        Larder streams every file below it, and keeps what was played.
      </p>
      {names.length === 0 ? null : (
        <p class="notice done">
          {names.length === 1 ? 'There is a source already: ' : 'There are sources already: '}
          {names.join(', ')}. Add another one, or skip this step.
        </p>
      )}
      <section class="panel" aria-label="The source">
        <SourceForm
          page={frame.page}
          action="/setup/source"
          testAction="/sources/test"
          plainTestAction="/setup/source"
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
