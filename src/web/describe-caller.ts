import type { Caller } from './caller.ts';

/** Who did something, for events: a user's name or a token's; null when it is not known. */
export function describeCaller(caller: Caller): string | null {
  switch (caller.kind) {
    case 'session':
      return caller.userName;
    case 'token':
      return `the token ${caller.name}`;
    case 'nobody':
      return null;
  }
}
