// Sign-ins that a person confirms elsewhere: a server or an account gives a code, the person enters it where they are
// signed in, and what it was exchanged for waits here, in memory, until the source is saved with it. Secrets leave by
// `inputOf` only, for the address that they were given for.
import type { Clock, Timer } from '../clock.ts';
import { describeError, LarderError } from '../errors.ts';
import type { SourceCredentials, SourceKind, SourceKindDefinition, SourceTarget } from '../sources/media-source.ts';
import type { ResolvedSettings, SourceInput } from './source-registry.ts';

export interface StartedSignIn {
  /** What the person enters. */
  readonly code: string;
  /** The page on which it is entered or confirmed; null where that is an app of theirs. */
  readonly link: string | null;
  /** What the code was exchanged for; null while nobody confirmed it. @throws LarderError */
  poll(signal: AbortSignal): Promise<SourceCredentials | null>;
}

/** Each kind of source that can be signed in to by a code has one. */
export interface SignInStarter {
  /** @throws LarderError */
  start(target: SourceTarget, signal: AbortSignal): Promise<StartedSignIn>;
}

export interface PendingSignInServices {
  readonly starters: ReadonlyMap<SourceKind, SignInStarter>;
  /** What a source would be asked at with this input. */
  readonly resolve: (
    input: SourceInput,
    name: string | null,
  ) => Promise<Pick<ResolvedSettings, 'definition' | 'target'>>;
  readonly randomId: () => string;
  readonly clock: Clock;
}

/** How far a sign-in is. */
export interface SignInStanding {
  readonly id: string;
  readonly kind: SourceKind;
  readonly code: string;
  readonly link: string | null;
  /** `failed`: another code has to be asked for. */
  readonly state: 'waiting' | 'done' | 'failed';
  /** What went wrong, in words; while `waiting` it is asked again all the same. */
  readonly message: string | null;
}

/** A code is good for ten minutes at most (Jellyfin's QuickConnectManager.cs, Timeout; Plex gives its codes longer). */
export const SIGN_IN_MS = 10 * 60_000;
/** The oldest goes when there are more: whoever began it begins again. */
export const SIGN_INS_MAX = 16;
const ASK_TIMEOUT_MS = 10_000;
/** However many pages show the code, its server is asked no more often. */
const ASK_PERIOD_MS = 1_000;

interface Pending {
  readonly started: StartedSignIn;
  readonly definition: SourceKindDefinition;
  readonly target: SourceTarget;
  readonly end: Timer;
  credentials: SourceCredentials | null;
  failure: string | null;
  /** Of the last try; null when it was answered. */
  trouble: string | null;
  asking: Promise<void> | null;
  askedAtMs: number;
}

export class PendingSignIns {
  readonly #services: PendingSignInServices;
  readonly #pending = new Map<string, Pending>();

  constructor(services: PendingSignInServices) {
    this.#services = services;
  }

  canStart(kind: SourceKind): boolean {
    return this.#services.starters.has(kind);
  }

  /**
   * @param name - of the source that is changed; null for a new one
   * @throws LarderError `invalid`, `unknown-source`, or why there is no code
   */
  async start(input: SourceInput, name: string | null): Promise<SignInStanding> {
    const { starters, resolve, randomId, clock } = this.#services;
    const { definition, target } = await resolve({ ...input, credentials: null }, name);
    const { kind } = definition;
    const starter = starters.get(kind);
    if (starter === undefined) {
      throw new LarderError('invalid', `sources of kind ${kind} are not signed in to by a code`, {
        hint: 'choose another way to sign in',
      });
    }
    const started = await this.#inTime((signal) => starter.start(target, signal));
    const id = randomId();
    const end = clock.after(SIGN_IN_MS, () => this.#pending.delete(id));
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= SIGN_INS_MAX && oldest !== undefined) this.forget(oldest);
    const fresh = {
      credentials: null,
      failure: null,
      trouble: null,
      asking: null,
      askedAtMs: Number.NEGATIVE_INFINITY,
    };
    const pending: Pending = { started, definition, target, end, ...fresh };
    this.#pending.set(id, pending);
    return standingOf(id, pending);
  }

  /** Asks whether the code was confirmed. @throws LarderError `missing` when it is too old or was never given */
  async poll(id: string): Promise<SignInStanding> {
    const pending = this.#require(id);
    if (pending.credentials === null && pending.failure === null) await this.#ask(pending);
    return standingOf(id, pending);
  }

  /**
   * `input` with what a confirmed sign-in ended with.
   * @param savedUrl - of the source that is changed, where `input` has none: it may be another source than it was begun
   *   for, or have got another address meanwhile
   * @throws LarderError `missing`, `conflict` while it was not confirmed, `invalid` for another address than it was given for
   */
  inputOf(id: string, input: SourceInput, savedUrl?: string): SourceInput {
    const { definition, target, credentials, failure } = this.#require(id);
    if (credentials === null) {
      throw new LarderError('conflict', failure ?? 'the code was not confirmed yet', {
        hint: failure === null ? 'enter it first, then save' : 'ask for a new code',
      });
    }
    const url = input.url ?? savedUrl;
    const isElsewhere = url !== undefined && originOf(definition.parseUrl(url).url) !== originOf(target.url);
    if (isElsewhere || (input.kind !== undefined && input.kind !== definition.kind)) {
      throw new LarderError('invalid', 'the sign-in was for another address', { hint: 'ask for a new code' });
    }
    // The credentials may be bound to the device that asked for them, which stands in the options.
    return { ...input, credentials, options: { ...target.options, ...input.options } };
  }

  /** It was used, or is not wanted any more. */
  forget(id: string): void {
    this.#pending.get(id)?.end.cancel();
    this.#pending.delete(id);
  }

  async #ask(pending: Pending): Promise<void> {
    const nowMs = this.#services.clock.monotonicMs();
    if (pending.asking === null) {
      if (nowMs - pending.askedAtMs < ASK_PERIOD_MS) return;
      pending.askedAtMs = nowMs;
      pending.asking = this.#exchange(pending).finally(() => {
        pending.asking = null;
      });
    }
    await pending.asking;
  }

  async #exchange(pending: Pending): Promise<void> {
    try {
      pending.credentials = await this.#inTime((signal) => pending.started.poll(signal));
      pending.trouble = null;
    } catch (error) {
      const words = wordsOf(error);
      if (error instanceof LarderError && error.retry !== 'never') pending.trouble = words;
      else pending.failure = words;
    }
  }

  async #inTime<Result>(ask: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const abort = new AbortController();
    const deadline = this.#services.clock.after(ASK_TIMEOUT_MS, () =>
      abort.abort(
        new LarderError('origin-silent', 'there was no answer in time', {
          retry: 'soon',
          hint: 'check the address, and try again',
        }),
      ),
    );
    try {
      return await ask(abort.signal);
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
      deadline.cancel();
    }
  }

  #require(id: string): Pending {
    const pending = this.#pending.get(id);
    if (pending !== undefined) return pending;
    throw new LarderError('missing', 'the code is not good any more', { hint: 'ask for a new one' });
  }
}

function standingOf(id: string, { started, definition, credentials, failure, trouble }: Pending): SignInStanding {
  const { kind } = definition;
  const { code, link } = started;
  if (credentials !== null) return { id, kind, code, link, state: 'done', message: null };
  if (failure !== null) return { id, kind, code, link, state: 'failed', message: failure };
  return { id, kind, code, link, state: 'waiting', message: trouble };
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function wordsOf(error: unknown): string {
  return error instanceof LarderError && error.hint !== undefined
    ? `${describeError(error)}: ${error.hint}`
    : describeError(error);
}
