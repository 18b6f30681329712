// Who a request comes from.
import type { Scope } from '../db/tokens.ts';
import type { Role } from '../db/users.ts';

export type { Role, Scope };

/** What a person chose for themselves. */
export interface Preferences {
  readonly theme: 'auto' | 'light' | 'dark';
  /** Keys that do something by themselves, such as `/` (WCAG 2.1.4: they can be turned off). */
  readonly shortcuts: boolean;
  /** Lines that a film has at most where Larder chooses its quality; null for as many as there are. */
  readonly maxHeight: number | null;
}

export const defaultPreferences: Preferences = { theme: 'auto', shortcuts: true, maxHeight: null };

/** Reads what was kept; what is not known any more is left out. */
export function readPreferences(text: string): Preferences {
  let kept: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    kept = Object(JSON.parse(text)) as typeof kept;
  } catch {
    // Somebody wrote into the database by hand: the defaults serve.
  }
  const themes = ['auto', 'light', 'dark'] as const;
  return {
    theme: themes.find((theme) => theme === kept.theme) ?? defaultPreferences.theme,
    shortcuts: typeof kept.shortcuts === 'boolean' ? kept.shortcuts : defaultPreferences.shortcuts,
    maxHeight: Number.isSafeInteger(kept.maxHeight) ? (kept.maxHeight as number) : defaultPreferences.maxHeight,
  };
}

export type Caller =
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'session';
      readonly sessionId: number;
      readonly userId: number;
      readonly userName: string;
      readonly userSinceMs: number;
      readonly role: Role;
      readonly preferences: Preferences;
    }
  | {
      readonly kind: 'token';
      readonly tokenId: number;
      readonly name: string;
      readonly scope: Scope;
      readonly sinceMs: number;
      /** Whose token it is; null when it was made on the command line. */
      readonly userId: number | null;
    };

export const NOBODY: Caller = { kind: 'nobody' };
