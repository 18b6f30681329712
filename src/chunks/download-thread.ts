// The message loop of a download thread: hands each message to the fetch it is for. Never opens the database.
import { crc32 } from 'node:zlib';
import type { Clock } from '../clock.ts';
import { toErrorValue } from '../errors.ts';
import { OriginClient } from '../sources/origin-client.ts';
import type { ChunkStore } from './chunk-store.ts';
import { Downloader } from './downloader.ts';
import type { ChecksumRequest, FromThread, ToThread } from './fetch-messages.ts';
import { FileChunkStore } from './file-chunk-store.ts';

const TICK_MS = 1_000;

export function runDownloadThread(clock: Clock, post: (message: FromThread) => void): (message: ToThread) => void {
  const client = new OriginClient(clock);
  const downloaders = new Map<number, Downloader>();
  let store: ChunkStore | undefined;
  let ticking: { cancel(): void } | undefined;

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
      case 'stop':
        downloaders.get(message.fetchId)?.stop();
        return;
      case 'checksum':
        void computeChecksums(store!, message).then(post);
        return;
    }
  };
}

async function computeChecksums(store: ChunkStore, message: ChecksumRequest): Promise<FromThread> {
  const checksums: { chunkIndex: number; crc32: number }[] = [];
  try {
    const reader = await store.openReader(message.fileName);
    try {
      for (const cell of message.cells) {
        const buffer = new Uint8Array(cell.end - cell.start);
        let filled = 0;
        while (filled < buffer.length) {
          const count = await reader.read(buffer.subarray(filled), cell.start + filled);
          if (count === 0) throw new Error(`the chunk file ends at ${cell.start + filled}`);
          filled += count;
        }
        checksums.push({ chunkIndex: cell.chunkIndex, crc32: crc32(buffer) });
      }
    } finally {
      await reader.close();
    }
    return { kind: 'checksums', requestId: message.requestId, checksums, error: null };
  } catch (error) {
    return { kind: 'checksums', requestId: message.requestId, checksums: [], error: toErrorValue(error) };
  }
}
