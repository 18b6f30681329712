import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { findDurationMs, type ReadBytes } from '../../src/library/media-duration.ts';
import { runs } from '../support/property.ts';

const FOLDER = join(import.meta.dir, '../fixtures/sample-library');

function readerOf(bytes: Uint8Array, isThere: (offset: number) => boolean = () => true): ReadBytes {
  return async (offset, length) => {
    if (offset + length > bytes.length || !isThere(offset) || !isThere(offset + length - 1)) return null;
    return bytes.subarray(offset, offset + length);
  };
}

test('findDurationMs() reads it from MP4 and Matroska, wherever their tables are', async () => {
  for (const name of ['Harbour Lights (2019).mp4', 'Night Train (2023).1080p.mp4', 'Winter Signal (2021).mkv']) {
    const durationMs = await findDurationMs(readerOf(readFileSync(join(FOLDER, name))));
    expect([name, durationMs !== null && durationMs > 1_000 && durationMs < 120_000]).toEqual([name, true]);
  }
});

test('findDurationMs() does not guess where the bytes that say it are not there', async () => {
  const film = readFileSync(join(FOLDER, 'Winter Signal (2021).mkv'));
  expect(await findDurationMs(readerOf(film, (offset) => offset < 20))).toBeNull();
  expect(await findDurationMs(readerOf(new Uint8Array(0)))).toBeNull();
});

test('findDurationMs() ends on anything', async () => {
  const heads = [
    new Uint8Array(),
    Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0xff),
    Uint8Array.of(0, 0, 0, 8, 0x6d, 0x6f, 0x6f, 0x76),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 400 }), async (head, rest) => {
      const durationMs = await findDurationMs(readerOf(Buffer.concat([head, rest])));
      expect(durationMs === null || (Number.isSafeInteger(durationMs) && durationMs >= 0)).toBe(true);
    }),
    runs(2_000),
  );
});
