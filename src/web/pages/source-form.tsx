// The form of a source as it comes in: read, checked field by field, tested as it stands, and signed in by a code.
import { formatSentence } from '../../../views/format.ts';
import { TestOutcome } from '../../../views/pages/sources.tsx';
import type { FormState } from '../../../views/parts/field.tsx';
import type { SignInCodeProps } from '../../../views/parts/sign-in-code.tsx';
import { SourceTest, type TestReportProps } from '../../../views/parts/source-test.tsx';
import { type Rendered, renderFragment } from '../../../views/render.ts';
import { describeError, LarderError } from '../../errors.ts';
import type { SourceInput } from '../../library/source-registry.ts';
import type { SourceService, SourceTestRequest, SourceView } from '../../library/source-service.ts';
import type { TestStep } from '../../sources/source-test-report.ts';
import { answerEvents, goneSignal } from '../event-stream.ts';
import { parseForm } from '../forms.ts';
import type { WebServices } from '../services.ts';
import {
  type FormShape,
  fieldOfError,
  findFieldErrors,
  type SourceFormValue,
  sourceFormSchema,
  sourceInputOf,
} from '../source-input.ts';
import type { WebContext } from '../web-environment.ts';

type SignIns = WebServices['signIns'];

export interface SourceFormResult {
  readonly value: SourceFormValue;
  readonly name: string;
  readonly input: SourceInput;
  readonly state: FormState;
  /** The code that it holds, as far as that is good. */
  readonly code: SignInCodeProps | null;
}

function words(error: unknown): string {
  const hint = error instanceof LarderError && error.hint !== undefined ? ` ${formatSentence(error.hint)}` : '';
  return formatSentence(describeError(error)) + hint;
}

/**
 * @param source - that it changes; null for a new one
 * @throws LarderError when the form cannot be read at all
 */
export async function readSourceForm(
  context: WebContext,
  signIns: SignIns,
  source: Pick<SourceView, 'kind' | 'url'> | null,
): Promise<SourceFormResult> {
  const result = await parseForm(context, sourceFormSchema);
  if (!result.ok) throw new LarderError('invalid', 'the form is not one of ours', { hint: 'load the page again' });
  const { typed } = result.state;
  const isNew = source === null;
  const value = { ...result.value, kind: source?.kind ?? result.value.kind };
  const shape: FormShape = {
    isNew,
    hasUrl: isNew || typed.url !== undefined,
    hasSignIn: isNew || typed.signIn !== undefined,
  };
  const errors = findFieldErrors(value, shape, words);
  // A bit rate that is none is said already, and keeps it from being saved.
  const input = Object.keys(errors).some((field) => field.startsWith('ladder-')) ? {} : sourceInputOf(value, shape);
  const read = { value, name: value.name, input, code: null, state: { typed: withoutSecrets(value, typed), errors } };
  return value.signIn === 'code' && !asksForCode(value) ? withSignIn(read, signIns, source?.url) : read;
}

/** Whether the button was one for a code: nothing is saved or tested then. */
export function asksForCode({ act }: SourceFormValue): boolean {
  return act === 'code' || act === 'check';
}

/** The form with what its code ended with, or with what is wrong with the code. */
async function withSignIn(form: SourceFormResult, signIns: SignIns, savedUrl?: string): Promise<SourceFormResult> {
  const { value, state, input } = form;
  const wrong = (message: string, code: SignInCodeProps | null) => ({
    ...form,
    code,
    state: { ...state, errors: { ...state.errors, signInId: message } },
  });
  if (value.signInId === '') return wrong('Get a code first, and enter it where you are signed in.', null);
  let code: SignInCodeProps | null = null;
  try {
    code = await signIns.poll(value.signInId);
    return { ...form, code, input: signIns.inputOf(value.signInId, input, savedUrl) };
  } catch (error) {
    return wrong(words(error), code);
  }
}

/** Asks for a code, or how far the one in the form is. @param name - of the source that is changed */
export async function askForCode(
  form: SourceFormResult,
  signIns: SignIns,
  name: string | null,
): Promise<Pick<SourceFormResult, 'state' | 'code'>> {
  const { value, input } = form;
  const state = noErrors(form.state);
  try {
    if (value.act === 'check') return { state, code: await signIns.poll(value.signInId) };
    signIns.forget(value.signInId);
    return { state, code: await signIns.start(input, name) };
  } catch (error) {
    if (!(error instanceof LarderError) || error.code === 'unknown-source') throw error;
    const field = error.code === 'invalid' ? fieldOfError(error, value) : 'signInId';
    return { state: { ...state, errors: { [field]: words(error) } }, code: null };
  }
}

/** What is never sent back: user and password that were typed into an address, and the address of an add-on. */
function withoutSecrets({ kind }: SourceFormValue, { url, ...typed }: FormState['typed']): FormState['typed'] {
  if (url === undefined || kind === 'stremio') return typed;
  const shown = url.replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
  // What is copied from a Plex page has the token in it.
  return { ...typed, url: kind === 'http' ? shown : shown.replace(/[?#].*$/s, '') };
}

/** The state of the form with what the service said of it. */
export function withError({ state, value }: Pick<SourceFormResult, 'state' | 'value'>, error: LarderError): FormState {
  return { ...state, errors: { [fieldOfError(error, value)]: words(error) } };
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
  const signal = goneSignal(context.env);
  if (context.req.header('HX-Request') === undefined) {
    return show(await sources.test(request, signal).catch(refusal));
  }
  return answerEvents(context, async (stream) => {
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

export function noErrors(state: FormState): FormState {
  return { ...state, errors: {} };
}
