// Whether the rest of what is selected can be kept together with what is kept of it already.
import { LarderError } from '../errors.ts';
import { describeBytes } from '../words.ts';
import type { SelectionSize } from './selections.ts';

export interface FetchRoom {
  /** What the cache can come to. */
  readonly effectiveCapBytes: number;
  /** What may still be kept without anything going. */
  readonly roomBytes: number;
  /** What may go to make room. */
  readonly removableBytes: number;
}

export interface FetchFit {
  /** `replaces`: the oldest goes for it. `held`: what would have to go is pinned or in use. `beyond`: never. */
  readonly kind: 'fits' | 'replaces' | 'held' | 'beyond';
  /** That fit in, that would go, or that are too much. */
  readonly bytes: number;
}

type Wanted = Pick<SelectionSize, 'cachedBytes' | 'missingBytes'>;

export function fetchFit({ cachedBytes, missingBytes }: Wanted, room: FetchRoom): FetchFit {
  const beyond = cachedBytes + missingBytes - room.effectiveCapBytes;
  if (missingBytes > 0 && beyond > 0) return { kind: 'beyond', bytes: beyond };
  const short = missingBytes - room.roomBytes;
  if (short <= 0) return { kind: 'fits', bytes: missingBytes };
  const held = short - room.removableBytes;
  return held > 0 ? { kind: 'held', bytes: held } : { kind: 'replaces', bytes: short };
}

/** @throws LarderError `conflict` when it could never be kept whole */
export function refuseBeyondCap(size: Wanted, room: FetchRoom): void {
  const { kind, bytes } = fetchFit(size, room);
  if (kind !== 'beyond') return;
  throw new LarderError('conflict', `that is ${describeBytes(bytes)} more than the cache holds`, {
    hint: 'select less, or let the cache become larger on the page Storage',
  });
}
