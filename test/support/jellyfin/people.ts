// Who may come into a stand-in for Jellyfin: users, devices with their tokens, API keys, and Quick Connect.
import { randomUUID } from 'node:crypto';

export interface Person {
  readonly name: string;
  readonly password: string;
  readonly id: string;
  /** Users who may not download get an exception page (LibraryController.cs, GetDownload). */
  readonly mayDownload?: boolean;
}

export interface Caller {
  /** Null of an API key. */
  readonly person: Person | null;
}

interface QuickConnect {
  readonly secret: string;
  readonly code: string;
  readonly deviceId: string;
  person: Person | null;
}

/** The parts of `MediaBrowser Token="…", Client="…"` (AuthorizationContext.cs, GetParts). */
export function readAuthorization(header: string | undefined): Readonly<Record<string, string>> {
  // Another scheme, `Emby` among them, says nothing: EnableLegacyAuthorization is off.
  if (header === undefined || !/^MediaBrowser /i.test(header)) return {};
  const parts = [...header.slice(13).matchAll(/(\w+)="([^"]*)"/g)];
  return Object.fromEntries(parts.map(([, name, value]) => [name, decodeURIComponent(value!.replaceAll('+', ' '))]));
}

export class People {
  readonly #people: readonly Person[];
  readonly #apiKeys: ReadonlySet<string>;
  /** By device. */
  readonly #tokens = new Map<string, { readonly token: string; readonly person: Person }>();
  readonly #requests: QuickConnect[] = [];
  #madeCount = 0;

  constructor(people: readonly Person[], apiKeys: readonly string[]) {
    this.#people = people;
    this.#apiKeys = new Set(apiKeys);
  }

  find(name: string, password: string): Person | null {
    return this.#people.find((one) => one.name === name && one.password === password) ?? null;
  }

  /** Replaces the token that the device had (SessionManager.cs, GetAuthorizationToken). */
  signIn(person: Person, deviceId: string): string {
    this.#madeCount += 1;
    const token = `${'t'.repeat(24)}${String(this.#madeCount).padStart(8, '0')}`;
    this.#tokens.set(deviceId, { token, person });
    return token;
  }

  /** Null for a token that is not good, or none. */
  callerOf(token: string | undefined): Caller | null {
    if (token === undefined) return null;
    if (this.#apiKeys.has(token)) return { person: null };
    for (const device of this.#tokens.values()) if (device.token === token) return { person: device.person };
    return null;
  }

  /** As when an owner signs all devices out. */
  signOutAll(): void {
    this.#tokens.clear();
  }

  initiate(deviceId: string): QuickConnect {
    const request = {
      secret: randomUUID().replaceAll('-', ''),
      code: String(100_000 + this.#requests.length),
      deviceId,
    };
    this.#requests.push({ ...request, person: null });
    return this.#requests.at(-1)!;
  }

  /** A user enters the code somewhere else. */
  authorise(code: string): void {
    const request = this.#requests.find((one) => one.code === code);
    if (request !== undefined) request.person = this.#people[0]!;
  }

  findRequest(secret: string | null): QuickConnect | null {
    return this.#requests.find((one) => one.secret === secret) ?? null;
  }
}
