// How many streams of events are open, and whose: nobody takes them all, and owners always find one.
import { LIVE_STREAMS_FOR_OWNERS, LIVE_STREAMS_MAX, LIVE_STREAMS_PER_CALLER } from '../limits.ts';
import { type Caller, isOwner } from './caller.ts';

export class LiveSlots {
  readonly #open = new Map<string, number>();
  #count = 0;

  hasRoomFor(caller: Caller): boolean {
    const most = isOwner(caller) ? LIVE_STREAMS_MAX : LIVE_STREAMS_MAX - LIVE_STREAMS_FOR_OWNERS;
    return this.#count < most && (this.#open.get(keyOf(caller)) ?? 0) < LIVE_STREAMS_PER_CALLER;
  }

  /** @returns gives the slot back, once */
  take(caller: Caller): () => void {
    const key = keyOf(caller);
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    this.#count += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#count -= 1;
      const left = this.#open.get(key)! - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }
}

function keyOf(caller: Caller): string {
  if (caller.kind === 'session') return `session ${caller.sessionId}`;
  return caller.kind === 'token' ? `token ${caller.tokenId}` : 'nobody';
}
