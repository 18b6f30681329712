// What a stream address names, when its source has to be asked and does not answer.
import { expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { MediaFinder } from '../../../src/library/media-finder.ts';
import { READER_WAIT_MAX_MS } from '../../../src/limits.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('find() says within the promised time that the source does not answer, to all who wait for it', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const source = {
    id: 1,
    name: 'attic',
    kind: 'plex',
    ladder: [],
    target: { options: {} },
    readItem: (_: string, signal: AbortSignal) => {
      asked += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new LarderError('stopped', 'called off')));
      });
    },
  } as unknown as MediaSource;
  const finder = new MediaFinder({
    media: { findVariant: async () => null },
    catalogue: { findQuality: async () => null, noteItem: async () => undefined },
    entries: { find: async () => null, listPieceIds: async () => [] },
    clock,
  });
  const found = [1, 2].map(() => finder.find(source, '4711', 'original').catch((error: unknown) => error));
  await clock.run(READER_WAIT_MAX_MS);
  for (const error of await Promise.all(found)) {
    expect([(error as LarderError).code, String(error)]).toEqual(['origin-silent', expect.stringContaining('attic')]);
  }
  expect(asked).toBe(1);
  expect(clock.pendingCount).toBe(0);
});
