// What a folder holds, read from real servers: each must tell the same of the same folder, as far as it tells it.
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { LarderError } from '../../src/errors.ts';
import { HttpListings } from '../../src/sources/http-listings.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import type { ListedEntry } from '../../src/sources/listing/listed-entry.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import {
  isInstalled,
  LONG_NAME,
  listingServers,
  makeTree,
  sampleTree,
  startListingServer,
} from '../support/listing-servers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MODIFIED = new Date(Date.UTC(2025, 2, 4, 5, 6, 0));

async function list(source: HttpSource, folder: string): Promise<ListedEntry[]> {
  const listings = new HttpListings({ client: new OriginClient(systemClock), ownPort: () => 0, clock: systemClock });
  const { pages } = await listings.open(source, folder, null, new AbortController().signal);
  const entries: ListedEntry[] = [];
  for await (const page of pages) entries.push(...page);
  return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}

for (const [name, kind] of Object.entries(listingServers)) {
  describe.skipIf(!isInstalled(name))(name, () => {
    test('tells names, kinds, sizes and times of a folder', async () => {
      await using folder = await temporaryFolder();
      const root = join(folder.path, 'root & more');
      await makeTree(root, sampleTree, MODIFIED);
      await using server = await startListingServer(name, root);
      const source = new HttpSource(1, 'films', { url: server.url, credentials: null, local: true });

      const top = await list(source, '');
      expect(top.map((entry) => `${entry.name}${entry.isFolder ? '/' : ''}`)).toEqual([
        '100% real #1?.mp4',
        LONG_NAME,
        'Film (2019).mkv',
        'Films & more/',
        `a'b"c<d>/`,
        'empty/',
        'readme.txt',
      ]);
      const film = top.find((entry) => entry.name === 'Film (2019).mkv')!;
      expect(film.sizeBytes).toBe(kind.hasExactSizes ? 1_234_567 : null);
      expect(film.modifiedAtMs).toBe(kind.hasTimes ? MODIFIED.getTime() : null);
      expect(top.filter((entry) => entry.isFolder).every((entry) => entry.sizeBytes === null)).toBe(true);

      const names = async (path: string) => (await list(source, path)).map((entry) => entry.name);
      expect(await names('Films & more')).toEqual(['S01:E02; x=1 &amp; y+z.mkv', 'Ünïcode [720p]']);
      expect(await names('Films & more/Ünïcode [720p]')).toEqual(['日本 1.mp3']);
      expect(await names(`a'b"c<d>/deep/er`)).toEqual(['film.mp4']);
      expect(await names('empty')).toEqual([]);

      // The stamp follows the file.
      await makeTree(root, { 'Film (2019).mkv': 7_654_321 }, new Date(MODIFIED.getTime() + 3_600_000));
      const later = (await list(source, '')).find((entry) => entry.name === 'Film (2019).mkv')!;
      if (kind.hasTimes) expect(later.stamp).not.toBe(film.stamp);
      else expect(later.stamp).toBeNull();
    });

    test('says that there is no such folder', async () => {
      await using folder = await temporaryFolder();
      const root = join(folder.path, 'root');
      await makeTree(root, { 'film.mkv': 1 }, MODIFIED);
      await using server = await startListingServer(name, root);
      const source = new HttpSource(1, 'films', { url: server.url, credentials: null, local: true });
      expect(await list(source, '')).toHaveLength(1);
      const error = await list(source, 'nowhere').catch((thrown: unknown) => thrown as LarderError);
      expect(error).toMatchObject({ code: 'not-found' });
    });
  });
}
