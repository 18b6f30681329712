// Signing in without a password: the server shows a code, its user enters it in an app where he is signed in, and the
// secret that came with the code is exchanged for a token. A request lapses after ten minutes
// (QuickConnectManager.cs, Timeout).
import { LarderError } from '../../errors.ts';
import type { SourceServices, SourceTarget } from '../media-source.ts';
import { fieldsOf, textOf } from './dto-fields.ts';
import type { JellyfinCredentials } from './jellyfin-credentials.ts';
import { askJellyfin } from './jellyfin-questions.ts';
import { readAuthenticationResult } from './jellyfin-session.ts';

export interface QuickConnectRequest {
  /** To be shown to the user. */
  readonly code: string;
  /** To be kept from everybody, the pages too. */
  readonly secret: string;
}

/** @throws LarderError, `origin-refused` where the server has Quick Connect switched off */
export async function startQuickConnect(
  target: SourceTarget,
  services: SourceServices,
  signal: AbortSignal,
): Promise<QuickConnectRequest> {
  const { body } = await askWithoutToken(target, { path: 'QuickConnect/Initiate', method: 'POST' }, services, signal);
  const fields = fieldsOf(body);
  const code = textOf(fields?.Code, 32);
  const secret = textOf(fields?.Secret, 256);
  if (code !== null && secret !== null) return { code, secret };
  throw new LarderError('origin-lied', 'the server gave no code', {
    hint: 'check the address, or sign in with user and password',
  });
}

/**
 * Null while the code was not entered yet.
 * @throws LarderError, `not-found` when the request lapsed
 */
export async function pollQuickConnect(
  target: SourceTarget,
  secret: string,
  services: SourceServices,
  signal: AbortSignal,
): Promise<JellyfinCredentials | null> {
  const { body } = await askWithoutToken(target, { path: 'QuickConnect/Connect', query: { secret } }, services, signal);
  if (fieldsOf(body)?.Authenticated !== true) return null;
  const answer = await askWithoutToken(
    target,
    { path: 'Users/AuthenticateWithQuickConnect', method: 'POST', body: { Secret: secret } },
    services,
    signal,
  );
  const { token, userId } = readAuthenticationResult(answer.body);
  return { accessToken: token, userId };
}

async function askWithoutToken(
  target: SourceTarget,
  question: Omit<Parameters<typeof askJellyfin>[1], 'token'>,
  services: SourceServices,
  signal: AbortSignal,
): ReturnType<typeof askJellyfin> {
  try {
    return await askJellyfin(target, { ...question, token: null }, services, signal);
  } catch (error) {
    if (!(error instanceof LarderError)) throw error;
    if (error.originStatus === 401) {
      throw new LarderError('origin-refused', 'Quick Connect is switched off at the server', {
        originStatus: 401,
        hint: 'switch it on in the Jellyfin dashboard, General, or sign in with user and password',
      });
    }
    if (error.code === 'not-found') {
      throw new LarderError('not-found', 'the code is not good any more', {
        originStatus: 404,
        hint: 'ask for a new one',
      });
    }
    throw error;
  }
}
