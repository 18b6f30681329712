// Questions to a Jellyfin server, and what its refusals mean in words.
import { LarderError } from '../../errors.ts';
import { askJson, type JsonAnswer } from '../json-api.ts';
import type { SourceServices, SourceTarget } from '../media-source.ts';
import { authorizationHeader } from './authorization-header.ts';
import {
  type JellyfinCredentialKind,
  jellyfinCredentialKind,
  parseJellyfinCredentials,
} from './jellyfin-credentials.ts';
import { readJellyfinOptions } from './jellyfin-options.ts';

export type AskServices = Pick<SourceServices, 'client' | 'ownPort' | 'clock' | 'version'>;

export interface JellyfinQuestion {
  /** Below the base URL, without a slash before it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | null>>;
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  /** Null before there is one. */
  readonly token: string | null;
  /** Where it is not the source's own. */
  readonly deviceId?: string;
}

/** Without those that are null. */
export function queryString(query: JellyfinQuestion['query'] = {}): string {
  const entries = Object.entries(query).filter(([, value]) => value !== null);
  if (entries.length === 0) return '';
  return `?${new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

/** @throws LarderError of `askJson`, with what to do about it */
export async function askJellyfin(
  target: SourceTarget,
  { path, query, method = 'GET', body, token, deviceId }: JellyfinQuestion,
  { client, ownPort, clock, version }: AskServices,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const device = deviceId ?? readJellyfinOptions(target.options).deviceId;
  try {
    return await askJson(
      {
        url: `${target.url}${path}${queryString(query)}`,
        method,
        headers: { authorization: authorizationHeader(token, { deviceId: device, version }) },
        ...(body === undefined ? {} : { body }),
        baseUrl: target.url,
        local: target.local,
      },
      { client, ownPort, clock },
      signal,
    );
  } catch (error) {
    if (!(error instanceof LarderError)) throw error;
    throw explained(error, jellyfinCredentialKind(parseJellyfinCredentials(target.credentials)));
  }
}

const REFUSALS: Readonly<Record<JellyfinCredentialKind, { readonly what: string; readonly hint: string }>> = {
  none: {
    what: 'it wants to know who asks',
    hint: 'enter a user with password or an API key, or sign in by Quick Connect',
  },
  password: {
    what: 'it does not take the user name and password',
    hint: 'check both by signing in at its pages, and enter them again',
  },
  'api key': {
    what: 'it does not take the API key',
    hint: 'it may have been revoked: make a new one in the Jellyfin dashboard, API keys',
  },
  'quick connect': {
    what: 'the sign-in by Quick Connect is not good any more',
    hint: 'the device may have been signed out in the Jellyfin dashboard: sign in by Quick Connect again',
  },
};

function explained(error: LarderError, kind: JellyfinCredentialKind): LarderError {
  const { originStatus, retryAfterMs } = error;
  if (originStatus === undefined) return error;
  const details = { originStatus, cause: error };
  if (originStatus === 401) {
    const { what, hint } = REFUSALS[kind];
    return new LarderError('origin-refused', `${what} (401)`, { ...details, hint });
  }
  if (originStatus === 403) {
    return new LarderError('origin-refused', 'it refuses this to the user (403)', {
      ...details,
      hint: 'look at the access, devices and number of sessions of this user in the Jellyfin dashboard',
    });
  }
  // While it starts or moves its database, everything is answered so (SetupServer.cs, ServerStartupMessageMiddleware.cs).
  if (originStatus === 503) {
    return new LarderError('origin-busy', 'it is starting, or busy with its database (503)', {
      ...details,
      retry: 'later',
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      hint: 'wait until its pages open in a browser',
    });
  }
  return error;
}
