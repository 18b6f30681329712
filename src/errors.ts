// Errors that say what to do. `retry` steers the scheduler, `hint` is for the owner, `status` for the player.

export type Retry = 'soon' | 'later' | 'never';

export type ErrorCode =
  | 'usage' // the command line, environment or configuration file is wrong
  | 'data-folder' // the data folder cannot be used
  | 'unknown-source'
  | 'bad-address' // a stream address that names nothing below the source
  | 'not-found' // the origin answered 404 or 410
  | 'origin-refused' // the origin will not give it to us: 401, 403, other 4xx
  | 'origin-failed' // reset, refused, 5xx, short body
  | 'origin-silent' // no connection, no first byte or no progress in time
  | 'origin-busy' // 429 or 503 with Retry-After
  | 'origin-lied' // ranges, lengths or encodings that do not fit what was asked
  | 'is-folder' // a stream address of a folder, without the slash at its end
  | 'no-listing' // what the origin gives for a folder does not say what is in it
  | 'origin-changed' // another version than the one being read
  | 'forbidden-address' // a redirect to where the source may not go
  | 'out-of-range' // the origin says 416
  | 'storage' // the disk refused
  | 'file-lost' // a chunk file that has bytes is not there any more
  | 'invalid' // what was entered cannot be taken as it is
  | 'conflict' // what was asked for does not go with what is there
  | 'missing' // what was named is not there, or not there any more
  | 'sign-in' // a wrong name, password or code
  | 'throttled' // too many tries: `retryAfterMs` says when the next one is looked at
  | 'secret-key' // a secret cannot be sealed, or was sealed with another key
  | 'overloaded' // Larder itself has no room for the request
  | 'stopped'; // the work was called off

export interface ErrorDetails {
  readonly retry?: Retry;
  readonly hint?: string;
  readonly cause?: unknown;
  /** HTTP status of the origin, where there was one. */
  readonly originStatus?: number;
  /** How long the origin asked us to stay away, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Length that a 416 named, in bytes. */
  readonly totalBytes?: number;
  /** It says something of this one file, and nothing of how its source fares. */
  readonly isOfFile?: boolean;
}

export class LarderError extends Error {
  override readonly name = 'LarderError';
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly hint: string | undefined;
  readonly originStatus: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly totalBytes: number | undefined;
  readonly isOfFile: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retry = details.retry ?? 'never';
    this.hint = details.hint;
    this.originStatus = details.originStatus;
    this.retryAfterMs = details.retryAfterMs;
    this.totalBytes = details.totalBytes;
    this.isOfFile = details.isOfFile ?? false;
  }
}

/** An error as plain values, to cross from a thread. */
export interface ErrorValue extends Omit<ErrorDetails, 'cause'> {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: Retry;
}

export function toErrorValue(error: unknown): ErrorValue {
  if (!(error instanceof LarderError)) return { code: 'origin-failed', message: describeError(error), retry: 'soon' };
  return {
    code: error.code,
    message: error.message,
    retry: error.retry,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.originStatus === undefined ? {} : { originStatus: error.originStatus }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.totalBytes === undefined ? {} : { totalBytes: error.totalBytes }),
    ...(error.isOfFile ? { isOfFile: true } : {}),
  };
}

export function fromErrorValue(value: ErrorValue): LarderError {
  return new LarderError(value.code, value.message, value);
}

/** The words of any thrown thing, with the system's code in front where there is one. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  const isSystemCode = typeof code === 'string' && /^E[A-Z0-9]+$/.test(code);
  return isSystemCode && !error.message.includes(code) ? `${code}: ${error.message}` : error.message;
}

/** What is at the bottom of an error: layers in between say which query it was, not what went wrong. */
export function rootCause(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current;
}

/** System error code such as `ENOSPC`, also when it is wrapped; undefined when there is none. */
export function systemCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = (current as { code?: unknown }).code;
    if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  }
  return undefined;
}
