// Has files of a playlist fetched whole, until nobody wants them any more: all of them, a few at a time and in the order
// of playing.
import type { CachedFile, Consumer } from '../../chunks/cached-file.ts';
import type { ChunkManager } from '../../chunks/chunk-manager.ts';
import { Priority } from '../../chunks/fetch-scheduler.ts';
import { LarderError } from '../../errors.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { MediaSource } from '../../sources/media-source.ts';

export interface PieceFetcherParts {
  readonly manager: Pick<ChunkManager, 'open'>;
  readonly source: MediaSource;
  readonly priority: Priority;
}

/** A converting server makes one piece after the other: more at once would have it begin in several places. */
const PIECES_AT_ONCE = 2;

/** @throws LarderError why a piece does not come, `stopped` when `signal` was aborted */
export async function fetchPieces(
  addresses: readonly MediaAddress[],
  parts: PieceFetcherParts,
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const stop = new AbortController();
  const whole = AbortSignal.any([signal, stop.signal]);
  const work = async () => {
    for (let address = addresses[next++]; address !== undefined; address = addresses[next++]) {
      await fetchPiece(address, parts, whole);
    }
  };
  const fail = (error: unknown) => {
    next = addresses.length;
    stop.abort();
    throw error;
  };
  await Promise.all(Array.from({ length: PIECES_AT_ONCE }, () => work().catch(fail)));
}

/** @throws LarderError as `fetchPieces` */
export async function fetchPiece(address: MediaAddress, parts: PieceFetcherParts, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw stopped();
  const { manager, source, priority } = parts;
  const file = await manager.open(source, address, {
    spec: null,
    probe: false,
    internal: true,
    // Else it would take the connection of the piece before it.
    priority: Priority.high,
    signal,
  });
  if (signal.aborted) throw stopped();
  if (!file.isComplete) await consume(file, priority, signal);
}

function consume(file: CachedFile, priority: Priority, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', stop);
      file.removeConsumer(consumer);
      settle();
    };
    const stop = () => end(() => reject(stopped()));
    const consumer: Consumer = {
      want: ({ totalBytes }) => ({
        start: 0,
        until: totalBytes ?? Number.POSITIVE_INFINITY,
        limit: null,
        priority,
        slackBytes: Number.POSITIVE_INFINITY,
      }),
      advanced: ({ isComplete }) => {
        if (isComplete) end(resolve);
      },
      fail: (error) => end(() => reject(error)),
    };
    signal.addEventListener('abort', stop, { once: true });
    file.addConsumer(consumer);
  });
}

function stopped(): LarderError {
  return new LarderError('stopped', 'nobody wants these pieces any more');
}
