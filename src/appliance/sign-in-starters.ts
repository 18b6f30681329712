// Kinds of sources that are signed in to by a code. Their code is loaded when somebody asks for one.
import { LarderError } from '../errors.ts';
import type { SignInStarter } from '../library/pending-sign-ins.ts';
import type { SourceKind, SourceServices } from '../sources/media-source.ts';

/** @param plexTv - another one in tests */
export function createSignInStarters(
  services: SourceServices,
  plexTv?: string,
): ReadonlyMap<SourceKind, SignInStarter> {
  const jellyfin: SignInStarter = {
    async start(target, signal) {
      const { pollQuickConnect, startQuickConnect } = await import('../sources/jellyfin/quick-connect.ts');
      const { code, secret } = await startQuickConnect(target, services, signal);
      return { code, link: null, poll: (asked) => pollQuickConnect(target, secret, services, asked) };
    },
  };
  const plex: SignInStarter = {
    async start(target, signal) {
      const { pollPin, startPin, tokenOfServer } = await import('../sources/plex/plex-sign-in.ts');
      const { clientId } = target.options;
      if (typeof clientId !== 'string') {
        throw new LarderError('invalid', 'Larder has no name of its own at Plex', { hint: 'add the source again' });
      }
      const pin = await startPin(services, clientId, signal, plexTv);
      return {
        code: pin.code,
        link: pin.link,
        async poll(asked) {
          const accountToken = await pollPin(services, clientId, pin, asked, plexTv);
          if (accountToken === null) return null;
          return { token: await tokenOfServer(target, { services, clientId, accountToken, plexTv }, asked) };
        },
      };
    },
  };
  return new Map([
    ['jellyfin', jellyfin],
    ['plex', plex],
  ]);
}
