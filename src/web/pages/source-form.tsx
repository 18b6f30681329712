// The form of a source as it comes in: read, checked field by field, and tested as it stands.
import { z } from 'zod';
import { formatSentence } from '../../../views/format.ts';
import { TestOutcome } from '../../../views/pages/sources.tsx';
import type { FormState } from '../../../views/parts/field.tsx';
import { SourceTest, type TestReportProps } from '../../../views/parts/source-test.tsx';
import { type Rendered, renderFragment } from '../../../views/render.ts';
import { describeError, LarderError } from '../../errors.ts';
import type { SourceInput } from '../../library/source-registry.ts';
import type { SourceService, SourceTestRequest } from '../../library/source-service.ts';
import { parseHttpCredentials } from '../../sources/http-credentials.ts';
import { parseSourceName, parseSourceUrl } from '../../sources/http-source.ts';
import type { TestStep } from '../../sources/source-test-report.ts';
import { answerEvents, goneSignal } from '../event-stream.ts';
import { parseForm } from '../forms.ts';
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
  act: text,
});

type SourceFormValue = z.infer<typeof formSchema>;

export interface SourceFormResult {
  readonly name: string;
  readonly input: SourceInput;
  readonly file: string;
  /** The button of the test was pressed, on a form that has one address for both. */
  readonly isTest: boolean;
  readonly state: FormState;
}

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
  const errors = findErrors(value, isNew, hasUrl);
  const isTest = value.act === 'test';
  return { name: value.name, input, file: value.file, isTest, state: { typed: withoutSecrets(state.typed), errors } };
}

/** User and password may be typed into the address; they are not sent back there either. */
function withoutSecrets(typed: FormState['typed']): FormState['typed'] {
  const url = typed.url?.replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
  return url === undefined ? typed : { ...typed, url };
}

/** The state of the form with what the service said of it. */
export function withError(state: FormState, error: LarderError): FormState {
  return { ...state, errors: { [error.code === 'conflict' ? 'name' : 'url']: words(error) } };
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
