// Who we are at a server: signed in when first needed, once at a time, and kept in memory only. A token that dies is
// replaced once; a password that was refused is not tried again for a while, as servers lock users out who fail often
// (LoginAttemptsBeforeLockout).
import { LarderError } from '../../errors.ts';
import type { JsonAnswer } from '../json-api.ts';
import type { SourceTarget } from '../media-source.ts';
import { withDeadline } from './deadline.ts';
import { fieldsOf, guidOf, textOf } from './dto-fields.ts';
import { type JellyfinCredentials, parseJellyfinCredentials } from './jellyfin-credentials.ts';
import { type AskServices, askJellyfin, type JellyfinQuestion } from './jellyfin-questions.ts';

export interface Access {
  readonly token: string;
  /** Null of an API key, which has no user (ItemsController.cs). */
  readonly userId: string | null;
}

/** A refused password is refused from memory for this long. */
const REFUSED_PAUSE_MS = 300_000;

export class JellyfinSession {
  readonly #services: AskServices;
  readonly #deviceId: string | undefined;
  #target: SourceTarget;
  #access: Access | null = null;
  #signingIn: { readonly login: string; readonly access: Promise<Access> } | null = null;
  #refused: { readonly error: LarderError; readonly untilMs: number } | null = null;

  /** @param deviceId - where it is not the source's own */
  constructor(target: SourceTarget, services: AskServices, deviceId?: string) {
    this.#target = target;
    this.#services = services;
    this.#deviceId = deviceId;
  }

  /** What was known of another server or user is forgotten. */
  retarget(target: SourceTarget): void {
    const isOther = loginOf(target) !== loginOf(this.#target);
    this.#target = target;
    // The same password entered again is to be tried again: it may have been the server that was changed.
    this.#refused = null;
    if (isOther) this.#access = null;
  }

  /** @throws LarderError when the server does not let us in */
  async access(): Promise<Access> {
    const credentials = parseJellyfinCredentials(this.#target.credentials);
    if (credentials === null) {
      throw new LarderError('origin-refused', 'Jellyfin wants to know who asks, and the source has no credentials', {
        hint: 'enter a user with password or an API key, or sign in by Quick Connect',
      });
    }
    if ('apiKey' in credentials) return { token: credentials.apiKey, userId: null };
    if ('accessToken' in credentials) return { token: credentials.accessToken, userId: credentials.userId };
    if (this.#access !== null) return this.#access;
    if (this.#refused !== null && this.#services.clock.monotonicMs() < this.#refused.untilMs) throw this.#refused.error;
    const login = loginOf(this.#target);
    if (this.#signingIn?.login !== login) {
      // One that goes on for what was entered before is let end first.
      const before = this.#signingIn?.access.catch(() => null) ?? Promise.resolve(null);
      const target = this.#target;
      this.#signingIn = { login, access: before.then(() => this.#signIn(credentials, target, login)) };
    }
    return this.#signingIn.access;
  }

  /**
   * Asks with the token of the session; when it is dead, once more with another one.
   * @throws LarderError
   */
  async ask(question: Omit<JellyfinQuestion, 'token' | 'deviceId'>, signal: AbortSignal): Promise<JsonAnswer> {
    const access = await this.accessUntil(signal);
    try {
      return await this.#ask(question, access, signal);
    } catch (error) {
      const isDead = error instanceof LarderError && error.originStatus === 401;
      if (!isDead || !this.#canSignIn()) throw error;
      if (this.#access?.token === access.token) this.#access = null;
      return await this.#ask(question, await this.accessUntil(signal), signal);
    }
  }

  #ask(question: Omit<JellyfinQuestion, 'token'>, { token }: Access, signal: AbortSignal): Promise<JsonAnswer> {
    return askJellyfin(this.#target, { ...question, token, ...this.#device() }, this.#services, signal);
  }

  #device(): { readonly deviceId?: string } {
    return this.#deviceId === undefined ? {} : { deviceId: this.#deviceId };
  }

  #canSignIn(): boolean {
    const credentials = parseJellyfinCredentials(this.#target.credentials);
    return credentials !== null && 'password' in credentials;
  }

  /**
   * The same for who may leave: a sign-in goes on for the others.
   * @throws LarderError as `access` does, `stopped` when `signal` was aborted
   */
  accessUntil(signal: AbortSignal): Promise<Access> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(new LarderError('stopped', 'the request was called off'));
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.access()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', stop));
    });
  }

  async #signIn(
    { username, password }: Extract<JellyfinCredentials, { username: string }>,
    target: SourceTarget,
    login: string,
  ): Promise<Access> {
    const isCurrent = () => loginOf(this.#target) === login;
    try {
      const question = {
        path: 'Users/AuthenticateByName',
        method: 'POST',
        body: { Username: username, Pw: password },
        token: null,
        ...this.#device(),
      } as const;
      const { body } = await withDeadline(this.#services.clock, (signal) =>
        askJellyfin(target, question, this.#services, signal),
      );
      const access = readAuthenticationResult(body);
      if (isCurrent()) this.#access = access;
      return access;
    } catch (error) {
      const isRefused = error instanceof LarderError && (error.originStatus === 401 || error.originStatus === 403);
      if (isRefused && isCurrent()) {
        this.#refused = { error, untilMs: this.#services.clock.monotonicMs() + REFUSED_PAUSE_MS };
      }
      throw error;
    } finally {
      if (this.#signingIn?.login === login) this.#signingIn = null;
    }
  }
}

/** What a token is good for. */
function loginOf({ url, credentials, options }: SourceTarget): string {
  return JSON.stringify([url, credentials, options.deviceId]);
}

/** @throws LarderError `origin-lied` */
export function readAuthenticationResult(body: unknown): { readonly token: string; readonly userId: string } {
  const fields = fieldsOf(body);
  const token = textOf(fields?.AccessToken, 512);
  const userId = guidOf(fieldsOf(fields?.User)?.Id);
  if (token !== null && userId !== null) return { token, userId };
  throw new LarderError('origin-lied', 'the answer to the sign-in holds no token', {
    hint: 'check the address: something else than Jellyfin may answer there',
  });
}
