// The message loop of a download thread: hands each message to the fetch it is for. Never opens the database.
import type { Clock } from '../clock.ts';
import { toErrorValue } from '../errors.ts';
import { OriginClient } from '../sources/origin-client.ts';
import type { ChunkStore } from './chunk-store.ts';
import { Downloader, storageError } from './downloader.ts';
import type { FromThread, ToThread } from './fetch-messages.ts';
import { FileChunkStore } from './file-chunk-store.ts';
import { computeChecksums } from './span-checksums.ts';

const TICK_MS = 1_000;

export function runDownloadThread(clock: Clock, post: (message: FromThread) => void): (message: ToThread) => void {
  const client = new OriginClient(clock);
  const downloaders = new Map<number, Downloader>();
  let store: ChunkStore | undefined;
  let ticking: { cancel(): void } | undefined;
  let checksumming: Promise<unknown> = Promise.resolve();

  function start(message: Extract<ToThread, { kind: 'start' }>): void {
    const downloader = new Downloader(message.fetchId, { client, store: store!, clock, post });
    downloaders.set(message.fetchId, downloader);
    // No timer runs while nothing is fetched: an idle appliance wakes no processor.
    ticking ??= clock.every(TICK_MS, () => {
      for (const running of downloaders.values()) running.tick();
    });
    void downloader.run(message).finally(() => {
      downloaders.delete(message.fetchId);
      if (downloaders.size > 0) return;
      ticking?.cancel();
      ticking = undefined;
    });
  }

  return (message) => {
    switch (message.kind) {
      case 'settings':
        store = new FileChunkStore(message.chunkFolder);
        return;
      case 'start':
        start(message);
        return;
      case 'accept':
        downloaders.get(message.fetchId)?.accept(message);
        return;
      case 'credit':
        downloaders.get(message.fetchId)?.setCredit(message);
        return;
      case 'recorded':
        downloaders.get(message.fetchId)?.recorded(message);
        return;
      case 'stop':
        downloaders.get(message.fetchId)?.stop();
        return;
      case 'checksum': {
        const { requestId, fileName, spans } = message;
        // One at a time: each holds a cell in memory.
        const computing = checksumming.then(() => computeChecksums(store!, fileName, spans));
        checksumming = computing.catch(() => undefined);
        computing.then(
          (checksums) => post({ kind: 'checksums', requestId, checksums, error: null }),
          (error: unknown) =>
            post({ kind: 'checksums', requestId, checksums: [], error: toErrorValue(storageError(error)) }),
        );
        return;
      }
      case 'probe': {
        const { requestId } = message;
        store!.probe().then(
          () => post({ kind: 'probed', requestId, error: null }),
          (error: unknown) => post({ kind: 'probed', requestId, error: toErrorValue(storageError(error)) }),
        );
        return;
      }
    }
  };
}
