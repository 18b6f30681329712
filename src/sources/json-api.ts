// Questions to servers that answer JSON, through the client that fetches films, with the same rules for where it may
// reach. Bounded in size and time, and an answer that is something else is told as what it is.
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import type { OriginAnswer, OriginClient, OriginQuestion } from './origin-client.ts';
import { statusError } from './origin-response.ts';

export interface JsonQuestion {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Go to the source's own host only. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON; left out, there is no body. */
  readonly body?: unknown;
  readonly baseUrl: string;
  readonly local: boolean | null;
}

export interface JsonAnswer {
  readonly body: unknown;
  readonly headers: Headers;
  /** Where it came from in the end. */
  readonly url: URL;
}

export interface JsonApiServices {
  readonly client: Pick<OriginClient, 'follow'>;
  readonly ownPort: () => number;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
}

/** Of one answer: a page of some hundred items with all their streams has one or two megabytes. */
const ANSWER_MAX_BYTES = 32 * 1024 * 1024;
const ANSWER_MAX_MS = 60_000;
/** Values in it. An empty object is three bytes on the way and some hundred in memory. */
const ANSWER_MAX_VALUES = 2_000_000;

/**
 * @throws LarderError of `statusError` for another status than 2xx, `origin-refused` for a web page in place of JSON,
 *   `origin-lied` for what is no JSON or has no end, `stopped`
 */
export async function askJson(
  question: JsonQuestion,
  { client, ownPort, clock }: JsonApiServices,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  if (signal.aborted) throw new LarderError('stopped', 'the request was called off');
  signal.addEventListener('abort', stop, { once: true });
  let isLate = false;
  const deadline = clock.after(ANSWER_MAX_MS, () => {
    isLate = true;
    abort.abort();
  });
  try {
    const answer = await client.follow(originQuestion(question, ownPort()), abort);
    const { response, url } = answer;
    if (response.status < 200 || response.status > 299) throw statusError(response, clock.nowMs());
    return { body: await readJson(answer), headers: response.headers, url };
  } catch (error) {
    if (signal.aborted) throw new LarderError('stopped', 'the request was called off');
    if (isLate) {
      const waited = `no whole answer came within ${ANSWER_MAX_MS / 1_000} s`;
      throw new LarderError('origin-silent', waited, {
        retry: 'soon',
        hint: 'the server may be busy: try again later',
      });
    }
    if (error instanceof LarderError) throw error;
    throw new LarderError('origin-failed', 'the answer broke off', { retry: 'soon', cause: error });
  } finally {
    deadline.cancel();
    signal.removeEventListener('abort', stop);
    abort.abort();
  }
}

function originQuestion(question: JsonQuestion, ownPort: number): OriginQuestion {
  const { url, method = 'GET', headers, body, baseUrl, local } = question;
  const ownHeaders = { accept: 'application/json', 'accept-encoding': 'gzip' };
  const hasBody = body !== undefined;
  return {
    url,
    method,
    headers,
    body: hasBody ? JSON.stringify(body) : null,
    ownHeaders: hasBody ? { ...ownHeaders, 'content-type': 'application/json' } : ownHeaders,
    baseUrl,
    local,
    ownPort,
  };
}

/** Null for an empty answer. */
async function readJson({ response }: OriginAnswer): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/html\b/i.test(type)) {
    throw new LarderError('origin-refused', 'a web page came in place of data', {
      hint: 'the address may be that of another program, or of a sign-in page before it: open it in a browser',
    });
  }
  const text = await readText(response, ANSWER_MAX_BYTES);
  if (text.trim() === '') return null;
  if (countValues(text) > ANSWER_MAX_VALUES) {
    throw new LarderError('origin-lied', 'the answer holds more than anything that was asked for', {
      hint: 'something else than what was asked for may answer at the address',
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LarderError('origin-lied', 'the answer is no JSON', {
      cause: error,
      hint: 'check the address: something else may answer there',
    });
  }
}

/** At least as many as there are: what stands in a text counts as well. */
function countValues(text: string): number {
  let count = 1;
  for (const mark of [',', '[', '{']) {
    for (let at = text.indexOf(mark); at >= 0 && count <= ANSWER_MAX_VALUES; at = text.indexOf(mark, at + 1))
      count += 1;
  }
  return count;
}

async function readText(response: Response, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  const parts: string[] = [];
  let bytes = 0;
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > mostBytes) {
      throw new LarderError('origin-lied', `the answer is longer than ${mostBytes / 1024 / 1024} MiB`, {
        hint: 'something else than what was asked for may answer at the address',
      });
    }
    parts.push(decoder.decode(part.value, { stream: true }));
  }
  return parts.join('') + decoder.decode();
}
