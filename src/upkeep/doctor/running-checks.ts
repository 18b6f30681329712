// What only a running Larder can tell of itself.
import type { Clock } from '../../clock.ts';
import { describeAge } from '../../words.ts';
import { type Check, ok, warning } from './finding.ts';

export interface ThreadState {
  readonly alive: number;
  readonly most: number;
  /** Ended unexpectedly since the start. */
  readonly died: number;
}

export function threadCheck(threads: () => ThreadState): Check {
  return {
    name: 'threads',
    title: 'Download threads',
    run: () => {
      const { alive, most, died } = threads();
      const detail = `${alive} of at most ${most} download threads run; the others start when they are needed`;
      if (died === 0) return Promise.resolve(ok(detail));
      return Promise.resolve(
        warning(
          `${detail}. ${died} ended unexpectedly since the start; their work was started again`,
          'see the log, and report it: this is a mistake of Larder',
        ),
      );
    },
  };
}

export interface ForwardingState {
  /** The proxies whose word is taken. */
  readonly trustedProxies: readonly string[];
  /** Somebody who sent such headers and is not one of them. */
  readonly untrusted: { readonly address: string; readonly atMs: number } | null;
  /** When a trusted proxy last forwarded a request. */
  readonly trustedAtMs: number | null;
}

export function forwardingCheck(state: () => ForwardingState, clock: Clock): Check {
  return {
    name: 'proxy-headers',
    title: 'Reverse proxy',
    run: () => {
      const { trustedProxies, untrusted, trustedAtMs } = state();
      if (untrusted !== null) {
        return Promise.resolve(
          warning(
            `${untrusted.address} sends X-Forwarded or Forwarded headers and is no trusted proxy (${describeAge(clock.nowMs() - untrusted.atMs)}): they are ignored, and it does not count as being on the home network`,
            `if it is your reverse proxy, set LARDER_TRUSTED_PROXIES=${untrusted.address}`,
          ),
        );
      }
      if (trustedProxies.length === 0) return Promise.resolve(ok('no reverse proxy is set up, and none was seen'));
      const names = trustedProxies.join(', ');
      return Promise.resolve(
        trustedAtMs === null
          ? warning(
              `${names} is trusted as a reverse proxy, and has forwarded nothing since the start`,
              'let it send X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host; or check its address',
            )
          : ok(`the reverse proxy ${names} says who asks`),
      );
    },
  };
}

/** @param pending labels of settings that were changed and wait for a restart */
export function settingsCheck(pending: () => readonly string[], mistakes: () => readonly string[]): Check {
  return {
    name: 'settings',
    title: 'Settings',
    run: () => {
      const waiting = pending();
      const [mistake] = mistakes();
      if (mistake !== undefined)
        return Promise.resolve(warning(mistake, 'correct it where it is set and start Larder again'));
      if (waiting.length === 0) return Promise.resolve(ok('all settings are in force'));
      return Promise.resolve(
        warning(`changed and not in force yet: ${waiting.join(', ')}`, 'start Larder again when nobody watches'),
      );
    },
  };
}

export function secretKeyCheck(notKeptBecause: string | null): Check {
  return {
    name: 'secret-key',
    title: 'Key for secrets',
    run: () =>
      Promise.resolve(
        notKeptBecause === null
          ? ok('passwords of sources are kept sealed, and the key is in the data folder')
          : warning(
              `the key for secrets could not be written: ${notKeptBecause}`,
              'let Larder write to its data folder and start it again: until then no password of a source can be kept',
            ),
      ),
  };
}
