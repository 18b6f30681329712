// Where players get a file. Where streams are locked the address is signed, for as long as players can be expected to
// remember it.
import type { SignedAddresses, Signer } from '../access/signed-addresses.ts';
import type { Clock } from '../clock.ts';
import { SIGNED_ADDRESS_MS } from '../limits.ts';
import { encodePath } from '../sources/media-address.ts';

/** Ends of signatures fall on these, so that a page that is made anew reads the same. */
const STEP_MS = 6 * 3_600_000;

export interface StreamAddresses {
  /** Below the base path, such as `/s/films/Some%20Film.mkv`. @param by in whose right it opens what is locked */
  pathOf(source: string, path: string, by: Signer | null): string;
}

export interface StreamAddressServices {
  readonly signatures: SignedAddresses;
  readonly isLocked: () => boolean;
  readonly clock: Clock;
}

export function createStreamAddresses({ signatures, isLocked, clock }: StreamAddressServices): StreamAddresses {
  return {
    pathOf(source, path, by) {
      const address = `/s/${encodeURIComponent(source)}/${encodePath(path)}`;
      if (by === null || !isLocked()) return address;
      const nowMs = clock.nowMs();
      const endMs = Math.floor((nowMs + SIGNED_ADDRESS_MS) / STEP_MS) * STEP_MS;
      return signatures.sign(address, by, endMs - nowMs);
    },
  };
}
