// Pieces of live playlists, of which each takes a connection past the scheduler.
import { expect, test } from 'bun:test';
import type { ServerResponse } from 'node:http';
import { LarderError } from '../../../src/errors.ts';
import { HLS_LIVE_PIECES_MAX } from '../../../src/limits.ts';
import { HlsHandler } from '../../../src/proxy/hls/hls-handler.ts';
import type { HlsStreams } from '../../../src/proxy/hls/hls-streams.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';

test('no more of them are open at once than a server bears', async () => {
  let openCount = 0;
  const streams = {
    isLive: () => true,
    resolve: async () => ({ url: 'http://h/1.ts', headers: {}, baseUrl: 'http://h/', local: true }),
  } as unknown as HlsStreams;
  const handler = new HlsHandler({
    streams,
    client: {
      open: (_request, abort) => {
        openCount += 1;
        return new Promise((_, reject) => {
          const stop = () => reject(new LarderError('stopped', 'called off'));
          if (abort.signal.aborted) stop();
          abort.signal.addEventListener('abort', stop);
        });
      },
    },
    ownPort: () => 0,
  });
  const address = parseCataloguePath('Live/news:original~live-1.ts');
  const ask = (signal: AbortSignal) => {
    const question = { isHead: false, range: undefined, linkOf: (path: string) => path, signal };
    return handler.handle({} as ServerResponse, {} as MediaSource, address, question).then(
      () => null,
      (error: unknown) => (error as LarderError).code,
    );
  };
  const gone = new AbortController();
  const all = Array.from({ length: HLS_LIVE_PIECES_MAX }, () => ask(gone.signal));
  expect(await ask(gone.signal)).toBe('overloaded');
  expect(openCount).toBe(HLS_LIVE_PIECES_MAX);
  gone.abort();
  expect(new Set(await Promise.all(all))).toEqual(new Set(['stopped']));
  const later = new AbortController();
  const again = ask(later.signal);
  later.abort();
  expect(await again).toBe('stopped');
});
