// Whether the machine's clock can be right: certificates, sessions and the order of eviction lean on it.
import { access } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { type Check, failed, ok, warning } from './finding.ts';

/** No Larder ran before: a clock that says so was not set since the power came. */
const FIRST_MS = Date.UTC(2026, 0, 1);
const BACKWARDS_MS = 300_000;
/** Made by systemd-timesyncd once it has the time from the network. */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';

/** @param newestUseMs newest time that Larder itself has written down; 0 when there is none */
export function clockCheck(clock: Clock, newestUseMs: () => Promise<number>): Check {
  return {
    name: 'clock',
    title: 'Clock',
    run: async () => {
      const nowMs = clock.nowMs();
      const now = `${new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
      const hint = 'switch on time from the network (NTP) on this machine';
      if (nowMs < FIRST_MS) return failed(`the clock says ${now}, which cannot be`, hint);
      const newestMs = await newestUseMs();
      if (newestMs - nowMs > BACKWARDS_MS) {
        const newest = new Date(newestMs).toISOString().slice(0, 16).replace('T', ' ');
        return warning(`the clock says ${now}, and Larder was used at ${newest} UTC`, hint);
      }
      const isSynchronized = await access(SYNCHRONIZED).then(
        () => true,
        () => false,
      );
      return ok(`the clock says ${now}${isSynchronized ? ', set from the network' : ''}`);
    },
  };
}
