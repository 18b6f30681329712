// Where the bytes of a file are, as its source resolved it.
import type { CarriedCredentials } from './http-credentials.ts';

/** A conversion that a server makes for us: it ends when it is not heard of, and is to be ended when we have enough. */
export interface TranscodeSession {
  readonly pingEveryMs: number;
  readonly ping: SessionQuestion | null;
  readonly stop: SessionQuestion | null;
}

export interface SessionQuestion {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
}

/** Where the bytes are now: good for one request, or until the source says otherwise. */
export interface UpstreamRequest extends CarriedCredentials {
  readonly url: string;
  /** Of the owner's own address. */
  readonly baseUrl: string;
  /** Whether it may lead to addresses of private networks; null where that is as the owner's own address is. */
  readonly local: boolean | null;
  /** Only while it is being converted for us. */
  readonly session?: TranscodeSession;
}
