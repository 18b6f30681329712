// The step of the first run that adds the first source.
import { SetupSourcePage } from '../../../views/pages/setup-source.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { SignInCodeProps } from '../../../views/parts/sign-in-code.tsx';
import { isSourceKind, type SourceKind } from '../../../views/parts/source-kinds.ts';
import type { TestReportProps } from '../../../views/parts/source-test.tsx';
import { renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { statusOf } from '../../proxy/error-response.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addSetupStep, type SetupFrameOf } from '../setup-step.ts';
import type { WebContext } from '../web-environment.ts';
import { answerTest, askForCode, asksForCode, noErrors, readSourceForm, withError } from './source-form.tsx';

type Services = Pick<WebServices, 'setup' | 'sources' | 'signIns'>;

export function addSetupSourceStep(routes: Routes, { setup, sources, signIns }: Services): void {
  interface Shown {
    readonly kind: SourceKind;
    readonly form?: FormState;
    readonly code?: SignInCodeProps | null;
    readonly report?: TestReportProps;
    readonly status?: number;
  }

  async function show(context: WebContext, frame: SetupFrameOf, shown: Shown): Promise<Response> {
    const { kind, form = emptyForm, code = null, report, status = 200 } = shown;
    const names = (await sources.list()).map(({ name }) => name);
    const test = report === undefined ? null : { report };
    const canSignIn = signIns.canStart(kind);
    return context.html(
      renderPage(<SetupSourcePage frame={frame} {...{ kind, form, code, canSignIn, test, names }} />),
      status as 200,
    );
  }

  addSetupStep(routes, setup, {
    name: 'source',
    title: 'Source',
    settledBy: () => sources.declaredBy(),
    show: (context, frame) => {
      const kind = context.req.query('kind');
      return show(context, frame, { kind: isSourceKind(kind) ? kind : 'http' });
    },
    take: async (context, frame) => {
      const read = await readSourceForm(context, signIns, null);
      const { name, input, value, state, code } = read;
      const { kind } = value;
      if (asksForCode(value)) {
        const { state: form, code: given } = await askForCode(read, signIns, null);
        return show(context, frame, { kind, form, code: given, status: given === null ? 422 : 200 });
      }
      if (value.act === 'test') {
        return answerTest(context, sources, { name: null, input, file: value.file }, (result) =>
          result instanceof LarderError
            ? show(context, frame, { kind, code, form: withError(read, result), status: 422 })
            : show(context, frame, { kind, code, form: noErrors(state), report: result }),
        );
      }
      if (Object.keys(state.errors).length > 0) return show(context, frame, { kind, code, form: state, status: 422 });
      try {
        await sources.add(name, input);
      } catch (error) {
        if (!(error instanceof LarderError)) throw error;
        return show(context, frame, { kind, code, form: withError(read, error), status: statusOf(error) });
      }
      signIns.forget(value.signInId);
      return null;
    },
  });
}
