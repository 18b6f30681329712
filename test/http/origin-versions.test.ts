// Origins whose file changes: what names a version, and a change at each moment (CONTRACT.md, stream promise 1;
// DESIGN.md §5, invariant 3). Two versions never meet in one response, nor in what is kept.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { OriginBehaviour } from '../support/origin.ts';
import { expectCutBody, FaultyOrigin, FILE_BYTES, type NewFile, PART_BYTES, type TestFile } from './faulty-origin.ts';
import { RawConnection } from './raw-client.ts';

let faulty: FaultyOrigin;

beforeAll(async () => {
  faulty = await FaultyOrigin.start();
});

afterAll(() => faulty[Symbol.asyncDispose]());

type Marks = Pick<NewFile, 'etag' | 'lastModified'>;

const DATES = ['Mon, 04 May 2026 10:00:00 GMT', 'Tue, 05 May 2026 10:00:00 GMT'] as const;

/** What the origin says of the first and of the second version. */
const named: [what: string, before: Marks, after: Marks][] = [
  ['ETag and Last-Modified', { etag: '"1"', lastModified: DATES[0] }, { etag: '"2"', lastModified: DATES[1] }],
  ['the ETag only', { etag: '"1"', lastModified: null }, { etag: '"2"', lastModified: null }],
  [
    'the ETag, with the same Last-Modified',
    { etag: '"1"', lastModified: DATES[0] },
    { etag: '"2"', lastModified: DATES[0] },
  ],
  ['Last-Modified only', { etag: null, lastModified: DATES[0] }, { etag: null, lastModified: DATES[1] }],
  ['a weak ETag only', { etag: 'W/"1"', lastModified: null }, { etag: 'W/"2"', lastModified: null }],
];

/** The second version, with other bytes. */
function change(file: TestFile, marks: Marks, sizeBytes = FILE_BYTES): void {
  faulty.origin.addFile(file.path, { sizeBytes, version: 2, ...marks });
}

describe('a file that did not change: what is cached stays, and only the rest is fetched', () => {
  for (const [what, marks] of [...named, ['nothing at all', { etag: null, lastModified: null }] as const]) {
    test(`a version named by ${what}: all bytes, each fetched once`, async () => {
      const file = await faulty.newCachedFile(marks);
      await faulty.expectWhole(file);
      // A sample of 4 KiB is compared where there is no validator.
      expect(faulty.origin.bytesSent(file.path)).toBeLessThanOrEqual(FILE_BYTES + 4_096);
    });
  }
});

describe('a file that changed while a part of it was cached', () => {
  for (const [what, before, after] of named) {
    for (const ifRange of ['honoured', 'ignored']) {
      test(`named by ${what}, If-Range ${ifRange}: a seek gets the new version, a reader in mid-stream is cut, the next gets the new one whole`, async () => {
        const behaviour: OriginBehaviour = { ignoresIfRange: ifRange === 'ignored' };
        const seeker = await faulty.newCachedFile(before);
        change(seeker, after);
        faulty.origin.behave(seeker.path, behaviour);
        await faulty.expectRange(seeker, 2_000_000, 2_000_100);
        await faulty.expectWhole(seeker);

        const file = await faulty.newCachedFile(before);
        const seed = faulty.origin.seedOf(file.path);
        change(file, after);
        faulty.origin.behave(file.path, behaviour);
        await faulty.expectCut(file, seed);
        await faulty.expectWhole(file);
      });
    }
  }

  for (const [what, marks] of [
    ['with the same ETag', { etag: '"same"', lastModified: null }],
    ['with the same weak ETag', { etag: 'W/"same"', lastModified: null }],
    ['with the same Last-Modified', { etag: null, lastModified: DATES[0] }],
    ['without validators', { etag: null, lastModified: null }],
  ] as const) {
    for (const sizeBytes of [FILE_BYTES + 1_000, FILE_BYTES - 1_000]) {
      const size = sizeBytes > FILE_BYTES ? 'longer' : 'shorter';
      test(`${size}, ${what}: a reader in mid-stream is cut, the next gets the new version whole`, async () => {
        const file = await faulty.newCachedFile(marks);
        const seed = faulty.origin.seedOf(file.path);
        change(file, marks, sizeBytes);
        await faulty.expectCut(file, seed);
        await faulty.expectWhole(file, sizeBytes);
      });
    }
  }

  test('of the same length and without validators: a reader in mid-stream is cut, the next gets the new version whole', async () => {
    const marks = { etag: null, lastModified: null };
    const file = await faulty.newCachedFile(marks);
    await faulty.recorded(file);
    const seed = faulty.origin.seedOf(file.path);
    change(file, marks);
    await faulty.expectCut(file, seed);
    await faulty.expectWhole(file);
  });

  for (const [what, before] of named) {
    // A response without validators is taken for the version it does not name (chunks/version.ts says `unknown`, and
    // chunks/cached-file.ts compares a sample only where the generation itself has no validator).
    test(`named by ${what} before and by nothing now: two versions do not meet`, async () => {
      const file = await faulty.newCachedFile(before);
      const seed = faulty.origin.seedOf(file.path);
      change(file, { etag: null, lastModified: null });
      faulty.origin.behave(file.path, { ignoresIfRange: true });
      await faulty.expectCut(file, seed);
      await faulty.expectWhole(file);
    });
  }
});

describe('a connection that breaks in mid-stream', () => {
  /** A reader that has the first half when the connection of its fetch breaks. */
  async function breakInMidStream(marks: Marks, meanwhile: (file: TestFile) => void) {
    const file = faulty.newFile({ ...marks, behaviour: { stallAfterBytes: PART_BYTES, times: 1 } });
    const connection = await RawConnection.open(faulty.larder.port);
    connection.send('GET', file.address);
    const head = await connection.readHead();
    faulty.origin.assertBody(file.path, await connection.readBytes(PART_BYTES));
    const seed = faulty.origin.seedOf(file.path);
    meanwhile(file);
    // The next answer waits until what came is recorded: where there are no validators, that is what it is compared with.
    faulty.origin.behave(file.path, { stallBeforeHead: true, times: 1 });
    faulty.origin.cut(file.path);
    await faulty.origin.until(() => faulty.origin.requestsOf(file.path).length === 2);
    await faulty.recorded(file);
    faulty.origin.release(file.path);
    return { file, connection, head, seed };
  }

  for (const [what, before, after] of named) {
    test(`and the file is the same by ${what}: the reader does not notice`, async () => {
      const { file, connection } = await breakInMidStream(before, () => undefined);
      using _ = connection;
      const rest = await connection.readBytes(FILE_BYTES - PART_BYTES);
      expect(rest.length).toBe(FILE_BYTES - PART_BYTES);
      faulty.origin.assertBody(file.path, rest, PART_BYTES);
    });

    test(`and the file is another by ${what}: the connection is cut, the next reader gets the new version whole`, async () => {
      const { file, connection, head, seed } = await breakInMidStream(before, (one) => change(one, after));
      using _ = connection;
      await expectCutBody(connection, head, seed, PART_BYTES);
      await faulty.expectWhole(file);
    });
  }

  test('and the file has no validators and is the same: the reader does not notice', async () => {
    const { file, connection } = await breakInMidStream({ etag: null, lastModified: null }, () => undefined);
    using _ = connection;
    const rest = await connection.readBytes(FILE_BYTES - PART_BYTES);
    expect(rest.length).toBe(FILE_BYTES - PART_BYTES);
    faulty.origin.assertBody(file.path, rest, PART_BYTES);
  });

  test('and the file has no validators and is another: the connection is cut, the next reader gets the new version whole', async () => {
    const marks = { etag: null, lastModified: null };
    const { file, connection, head, seed } = await breakInMidStream(marks, (one) => change(one, marks));
    using _ = connection;
    await expectCutBody(connection, head, seed, PART_BYTES);
    await faulty.expectWhole(file);
  });
});

// A sample is taken from recorded bytes only, and those of a running fetch are recorded 4 MiB or 2 s later
// (chunks/stored-bytes.ts, sample): until then a second fetch is not compared with anything.
test('no validators and a change while nothing is recorded yet: two versions do not meet', async () => {
  const marks = { etag: null, lastModified: null };
  const file = faulty.newFile({ ...marks, behaviour: { stallAfterBytes: 100_000, times: 1 } });
  using first = await RawConnection.open(faulty.larder.port);
  first.send('GET', file.address, { Range: 'bytes=2500000-' });
  await first.readHead();
  await first.readBytes(100_000);
  change(file, marks);
  using second = await RawConnection.open(faulty.larder.port);
  second.send('GET', file.address);
  expect((await second.readHead()).status).toBe(200);
  faulty.origin.assertBody(file.path, await second.readBytes(2_600_000));
});

test('a version that comes back: each reader gets one of the two, whole', async () => {
  const file = await faulty.newCachedFile({ etag: '"1"', lastModified: DATES[0] });
  change(file, { etag: '"2"', lastModified: DATES[1] });
  await faulty.expectRange(file, 2_000_000, 2_000_100);
  faulty.origin.addFile(file.path, { sizeBytes: FILE_BYTES, etag: '"1"', lastModified: DATES[0] });
  await faulty.expectRange(file, 1_500_000, 1_500_100);
  await faulty.expectWhole(file);
});
