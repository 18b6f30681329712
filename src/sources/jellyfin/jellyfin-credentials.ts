// What opens a Jellyfin server: a user with a password, a key that its owner made, or what signing in by Quick Connect
// ended with.
import { LarderError } from '../../errors.ts';
import { fieldsOf, guidOf } from './dto-fields.ts';

export type JellyfinCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly apiKey: string }
  | { readonly accessToken: string; readonly userId: string };

export type JellyfinCredentialKind = 'none' | 'password' | 'api key' | 'quick connect';

const TEXT_LENGTH_MAX = 1_024;
/** Tokens and keys are 32 hexadecimal digits today; others may come. */
const TOKEN = /^[\x21-\x7e]{1,512}$/;

/** Null and `{}` are none. @throws LarderError `invalid`; no message repeats a value */
export function parseJellyfinCredentials(value: unknown): JellyfinCredentials | null {
  const invalid = (problem: string, hint: string) => new LarderError('invalid', problem, { hint });
  const kinds = 'give {"username", "password"} or {"apiKey"}, or sign in by Quick Connect';
  if (value === null || value === undefined) return null;
  const fields = fieldsOf(value);
  if (fields === null) throw invalid('the credentials are not an object', kinds);
  const keys = Object.keys(fields).sort().join(' ');
  if (keys === '') return null;
  if (keys === 'password username') {
    const { username, password } = fields;
    if (typeof username !== 'string' || typeof password !== 'string') {
      throw invalid('user name and password are not both text', 'give both; the password may be empty');
    }
    if (username === '' && password === '') return null;
    if (username.trim() === '') throw invalid('the user name is empty', 'give the name of a Jellyfin user');
    if (username.length > TEXT_LENGTH_MAX || password.length > TEXT_LENGTH_MAX) {
      throw invalid('user name or password is too long', `each has at most ${TEXT_LENGTH_MAX} characters`);
    }
    return { username, password };
  }
  if (keys === 'apiKey') {
    const apiKey = typeof fields.apiKey === 'string' ? fields.apiKey.trim() : '';
    if (!TOKEN.test(apiKey)) {
      throw invalid('the API key cannot be sent', 'copy it from the Jellyfin dashboard, API keys, without spaces');
    }
    return { apiKey };
  }
  if (keys === 'accessToken userId') {
    const { accessToken } = fields;
    const userId = guidOf(fields.userId);
    if (typeof accessToken !== 'string' || !TOKEN.test(accessToken) || userId === null) {
      throw invalid('what Quick Connect gave cannot be used', 'sign in by Quick Connect again');
    }
    return { accessToken, userId };
  }
  throw invalid('the credentials are of no kind that Jellyfin takes', kinds);
}

/** All that is ever told of them. */
export function jellyfinCredentialKind(credentials: JellyfinCredentials | null): JellyfinCredentialKind {
  if (credentials === null) return 'none';
  if ('apiKey' in credentials) return 'api key';
  return 'accessToken' in credentials ? 'quick connect' : 'password';
}
