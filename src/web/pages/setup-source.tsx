// The step of the first run that adds the first source.
import { SetupSourcePage } from '../../../views/pages/setup-source.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { TestReportProps } from '../../../views/parts/source-test.tsx';
import { renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { statusOf } from '../../proxy/error-response.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addSetupStep, type SetupFrameOf } from '../setup-step.ts';
import type { WebContext } from '../web-environment.ts';
import { answerTest, noErrors, readSourceForm, withError } from './source-form.tsx';

export function addSetupSourceStep(routes: Routes, { setup, sources }: Pick<WebServices, 'setup' | 'sources'>): void {
  interface Shown {
    readonly form?: FormState;
    readonly report?: TestReportProps;
    readonly status?: number;
  }

  async function show(context: WebContext, frame: SetupFrameOf, shown: Shown = {}): Promise<Response> {
    const { form = emptyForm, report, status = 200 } = shown;
    const names = (await sources.list()).map(({ name }) => name);
    const test = report === undefined ? null : { report };
    return context.html(
      renderPage(<SetupSourcePage frame={frame} form={form} test={test} names={names} />),
      status as 200,
    );
  }

  addSetupStep(routes, setup, {
    name: 'source',
    title: 'Source',
    settledBy: () => sources.declaredBy(),
    show: (context, frame) => show(context, frame),
    take: async (context, frame) => {
      const { name, input, file, isTest, state } = await readSourceForm(context, true);
      if (isTest) {
        return answerTest(context, sources, { name: null, input, file }, (result) =>
          result instanceof LarderError
            ? show(context, frame, { form: withError(state, result), status: 422 })
            : show(context, frame, { form: noErrors(state), report: result }),
        );
      }
      if (Object.keys(state.errors).length > 0) return show(context, frame, { form: state, status: 422 });
      try {
        await sources.add(name, input);
      } catch (error) {
        if (!(error instanceof LarderError)) throw error;
        return show(context, frame, { form: withError(state, error), status: statusOf(error) });
      }
      return null;
    },
  });
}
