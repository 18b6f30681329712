// Where players get a file. Where streams are locked the address is signed, for as long as players can be expected to
// remember it.
import type { SignedAddresses, Signer } from '../access/signed-addresses.ts';
import type { Clock } from '../clock.ts';
import { SIGNED_ADDRESS_MS } from '../limits.ts';
import { parseCataloguePath } from '../sources/catalogue-path.ts';
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
  /** Whether it is a base URL with paths below it. */
  readonly hasPaths: (source: string) => boolean;
  readonly clock: Clock;
}

export function createStreamAddresses({
  signatures,
  isLocked,
  hasPaths,
  clock,
}: StreamAddressServices): StreamAddresses {
  return {
    pathOf(source, path, by) {
      const address = hasPaths(source)
        ? `/s/${encodeURIComponent(source)}/${encodePath(path)}`
        : mediaAddress(source, path);
      if (by === null || !isLocked()) return address;
      const nowMs = clock.nowMs();
      const endMs = Math.floor((nowMs + SIGNED_ADDRESS_MS) / STEP_MS) * STEP_MS;
      return signatures.sign(address, by, endMs - nowMs);
    },
  };
}

/** @param path - as `cataloguePath` makes it */
function mediaAddress(source: string, path: string): string {
  const { mediaKey, quality, title, container } = parseCataloguePath(path);
  const name = container === null ? title : `${title}.${container}`;
  return `/stream/${[source, mediaKey, quality, name].map(encodeURIComponent).join('/')}`;
}
