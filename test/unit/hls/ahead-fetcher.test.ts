// What is fetched ahead for players that call themselves otherwise with each request.
import { expect, test } from 'bun:test';
import type { CachedFile } from '../../../src/chunks/cached-file.ts';
import { Priority } from '../../../src/chunks/fetch-scheduler.ts';
import { createLog } from '../../../src/log.ts';
import { AheadFetcher } from '../../../src/proxy/hls/ahead-fetcher.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { turnLoop } from '../../support/fake-clock.ts';

test('is bounded: those that asked last are served', async () => {
  const opened: string[] = [];
  const first = Promise.withResolvers<void>();
  const manager = {
    async open(_source: MediaSource, { quality }: { quality: string }) {
      opened.push(quality);
      await first.promise;
      return { isComplete: true } as CachedFile;
    },
  };
  const log = createLog({ level: 'error', write: () => undefined, nowMs: () => 0 });
  const fetcher = new AheadFetcher({ manager, source: {} as MediaSource, priority: Priority.high }, log);
  for (let player = 0; player < 1_000; player += 1) {
    const piece = parseCataloguePath(`Film/film:720p~00000000-${player}.ts`);
    fetcher.moveTo(`player ${player}`, `at-${player}`, [piece]);
  }
  first.resolve();
  for (let turn = 0; turn < 200; turn += 1) await turnLoop();
  expect(opened.length).toBeLessThan(40);
  expect(opened).toContain('720p~00000000-999');
  fetcher.stop();
});
