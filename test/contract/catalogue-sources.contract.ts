// What every source with a catalogue must do, whatever its kind: gone through by the real sync into a real database, with
// a gate before the server that stands for what networks, owners and other programs do.
import { describe, expect, test } from 'bun:test';
import { systemClock } from '../../src/clock.ts';
import { CatalogueTable, type SyncCounts, type SyncRow } from '../../src/db/catalogue.ts';
import { LibraryTable } from '../../src/db/library.ts';
import { MediaTable } from '../../src/db/media.ts';
import { PlaylistTable } from '../../src/db/playlists.ts';
import { LarderError } from '../../src/errors.ts';
import { CatalogueSync } from '../../src/library/catalogue-sync.ts';
import { EVERYTHING } from '../../src/library/item-filter.ts';
import { Library } from '../../src/library/library.ts';
import type { MediaCatalogue } from '../../src/library/media-catalogue.ts';
import { createLog } from '../../src/log.ts';
import type { MediaSource, SourceCredentials, SourceKind } from '../../src/sources/media-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { type CacheDatabase, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';
import { assertContent } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { allKinds, catalogueOf, sourceServices } from '../support/source-services.ts';

export interface ExpectedItem {
  readonly type: string;
  readonly title: string;
  /** Title of what it belongs to. */
  readonly parent: string | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly qualities: readonly string[];
}

/** A server with a small library, and what may happen to it. */
export interface CatalogueUpstream extends AsyncDisposable {
  /** With what is at it; ends in a slash but for a manifest. */
  readonly url: string;
  readonly credentials: SourceCredentials | null;
  /** In the order of their titles. */
  items(): readonly ExpectedItem[];
  /** @returns title of what is new */
  add(): string;
  /** The file of an item is replaced. @returns its title */
  replace(): string;
  /** @returns title of what is gone until `restore` */
  remove(): string;
  restore(): void;
  /** Seed of the content of a file. */
  seedOf(title: string, quality: string): number;
}

export interface CatalogueKind {
  readonly kind: SourceKind;
  start(): Promise<CatalogueUpstream>;
  /** Requests for lists that hold items, by their paths. */
  readonly lists: RegExp;
  /** Its lists are a choice: what is not in them counts as there. */
  readonly isSelection: boolean;
  /** Files are found without asking the server. */
  readonly knowsFiles: boolean;
  /** A round that finds nothing new asks this often at most. */
  readonly quietRequests: number;
  /** How its answers go wrong. */
  readonly faults: Readonly<Record<string, (gate: Gate) => void>>;
  /** Key of an episode whose series was never told of, and words of its series; null where such is not listed. */
  readonly orphan: { readonly mediaKey: string; readonly series: string; readonly title: string } | null;
}

/** A new program on a database: what it remembers itself is gone. */
class Larder {
  readonly cache: CacheDatabase;
  readonly table: CatalogueTable;
  readonly catalogue: MediaCatalogue;
  readonly source: MediaSource;
  /** Of the sync alone: what it waits for passes at once. */
  readonly clock = new FakeClock(NOW_MS);
  readonly answers: (string | null)[] = [];
  readonly seen: number[] = [];
  sync: CatalogueSync | undefined;

  private constructor(cache: CacheDatabase, catalogue: MediaCatalogue, source: MediaSource) {
    this.cache = cache;
    this.table = new CatalogueTable(cache.database.tables);
    this.catalogue = catalogue;
    this.source = source;
  }

  static async open(cache: CacheDatabase, kind: SourceKind, url: string, credentials: unknown): Promise<Larder> {
    const row = await cache.sources.ensure('server', kind, 'http://h/', NOW_MS);
    const catalogue = catalogueOf(cache, systemClock);
    const services = sourceServices({ catalogue });
    const definition = await allKinds(services)(kind);
    const parsed = definition.parseUrl(url);
    const target = {
      url: parsed.url,
      credentials: definition.parseCredentials(credentials) ?? parsed.credentials,
      local: true,
      options: definition.parseOptions({}, null, services.randomId),
    };
    return new Larder(cache, catalogue, definition.create(row.id, row.name, target, services));
  }

  /** Goes through the source, on with `resumed` where that was cut off. */
  async round(resumed?: SyncRow): Promise<SyncCounts> {
    const row = resumed ?? (await this.table.startRound(this.source.id, this.clock.nowMs()));
    const sync = new CatalogueSync(this.source.openCatalogue(), row, {
      table: this.table,
      media: this.catalogue,
      atOnce: () => 2,
      answered: (error) => this.answers.push(error?.code ?? null),
      clock: this.clock,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
    });
    this.sync = sync;
    let isDone = false;
    const ended = sync.run(row.round).finally(() => {
      isDone = true;
    });
    void ended.catch(() => undefined);
    while (!isDone) {
      this.seen.push(sync.counts.seen);
      await this.clock.run(1_000, 2);
    }
    await ended;
    return sync.counts;
  }

  /** @returns what the round failed with */
  async failedRound(): Promise<LarderError> {
    const outcome = await this.round().then(
      () => null,
      (error: unknown) => error,
    );
    if (outcome instanceof LarderError) return outcome;
    throw new Error(`the round did not fail as it should: ${String(outcome)}`);
  }

  /** What the rows say, in the order of titles. */
  async items(): Promise<ExpectedItem[]> {
    const rows = await this.cache.rows(`
      SELECT item.type, item.title, parent.title AS parent, item.season, item.episode,
        (SELECT json_group_array(quality) FROM (
          SELECT quality FROM cache_quality_variants WHERE media_id = item.id AND missing_since IS NULL
          ORDER BY quality)) AS qualities
      FROM media_items AS item LEFT JOIN media_items AS parent ON parent.id = item.parent_id
      ORDER BY item.title, item.season, item.episode`);
    return rows.map((row) => ({ ...row, qualities: JSON.parse(String(row.qualities)) }) as unknown as ExpectedItem);
  }

  async missing(): Promise<string[]> {
    const rows = await this.cache.rows(`
      SELECT DISTINCT title FROM media_items AS item JOIN cache_quality_variants AS variant ON variant.media_id = item.id
      WHERE missing_since IS NOT NULL ORDER BY title`);
    return rows.map(({ title }) => String(title));
  }

  async files(): Promise<{ title: string; key: string; quality: string; path: string; stamp: string | null }[]> {
    const rows = await this.cache.rows(`
      SELECT title, key, quality, path, stamp FROM media_items AS item
      JOIN cache_quality_variants AS variant ON variant.media_id = item.id ORDER BY title, quality`);
    return rows as never;
  }

  /** From now on no row of an item or file may be written. */
  async refuseWrites(): Promise<void> {
    for (const table of ['media_items', 'cache_quality_variants', 'media_ids', 'media_subtitles']) {
      for (const event of ['INSERT', 'UPDATE', 'DELETE']) {
        await this.cache.database.client.execute(
          `CREATE TEMP TRIGGER refuse_${table}_${event} BEFORE ${event} ON main.${table}
          BEGIN SELECT RAISE(FAIL, '${event} of ${table}'); END`,
        );
      }
    }
  }

  async changeCount(): Promise<number> {
    return Number((await this.cache.rows('SELECT total_changes() AS count'))[0]?.count);
  }

  /** Titles that the library finds. */
  async find(query: string): Promise<string[]> {
    const { tables } = this.cache.database;
    const library = new Library({
      library: new LibraryTable(tables),
      playlists: new PlaylistTable(tables),
      media: new MediaTable(tables),
      sources: () => [{ id: this.source.id, name: 'server', isFailing: false }],
    });
    const { items } = await library.search({ ...EVERYTHING, query, sort: 'title', cursor: null, limit: 100 });
    return items.map(({ title }) => title);
  }
}

interface Setup extends AsyncDisposable {
  readonly cache: CacheDatabase;
  readonly upstream: CatalogueUpstream;
  readonly gate: Gate;
  readonly larder: Larder;
  /** Another program on the same database. */
  reopen(): Promise<Larder>;
}

export function catalogueSourceContract(name: string, kind: CatalogueKind): void {
  async function setUp(): Promise<Setup> {
    const upstream = await kind.start();
    const { origin, href } = new URL(upstream.url);
    const gate = await startGate(`${origin}/`);
    const url = `${gate.url}${href.slice(origin.length + 1)}`;
    const cache = await openCacheDatabase();
    const opened: CacheDatabase[] = [];
    const open = (database: CacheDatabase) => Larder.open(database, kind.kind, url, upstream.credentials);
    return {
      cache,
      upstream,
      gate,
      larder: await open(cache),
      async reopen() {
        const again = await openCacheDatabase({ file: cache.file });
        opened.push(again);
        return open(again);
      },
      async [Symbol.asyncDispose]() {
        for (const database of opened) await database[Symbol.asyncDispose]();
        await cache[Symbol.asyncDispose]();
        await gate[Symbol.asyncDispose]();
        await upstream[Symbol.asyncDispose]();
      },
    };
  }

  describe(`a catalogue of ${name}`, () => {
    test('is in the rows after the first sync: every item, what it belongs to, and its qualities', async () => {
      await using setup = await setUp();
      const counts = await setup.larder.round();
      expect(await setup.larder.items()).toEqual([...setup.upstream.items()]);
      const files = setup.upstream.items().flatMap(({ qualities }) => qualities).length;
      expect(counts).toEqual({ seen: files, added: files, changed: 0, skipped: 0, missing: 0 });
      expect(setup.larder.answers).not.toContain('origin-failed');
    });

    test('grows in sight while it is read', async () => {
      await using setup = await setUp();
      const { seen: total } = await setup.larder.round();
      const { seen } = setup.larder;
      expect(seen.every((count, at) => count >= (seen[at - 1] ?? 0))).toBe(true);
      expect(seen.at(-1)).toBeLessThanOrEqual(total);
      const { expected } = setup.larder.sync!;
      if (expected > 0) expect(expected).toBeLessThanOrEqual(total);
    });

    test('costs no write and few requests where nothing is new, also for a program that has just started', async () => {
      await using setup = await setUp();
      await setup.larder.round();
      for (const larder of [setup.larder, await setup.reopen()]) {
        await larder.refuseWrites();
        const folders = Number((await setup.cache.rows('SELECT COUNT(*) AS count FROM catalogue_folders'))[0]?.count);
        const before = { requests: setup.gate.requests.length, changes: await larder.changeCount() };
        expect(await larder.round()).toMatchObject({ added: 0, changed: 0, missing: 0 });
        expect(setup.gate.requests.length - before.requests).toBeLessThanOrEqual(kind.quietRequests);
        // The round itself, and of each folder that it was read and what the round has seen by then.
        expect((await larder.changeCount()) - before.changes).toBeLessThanOrEqual(2 + 4 * folders);
      }
    });

    test('is followed: what is added, replaced, gone and back again', async () => {
      await using setup = await setUp();
      const { larder, upstream } = setup;
      await larder.round();
      const added = upstream.add();
      expect(await larder.round()).toMatchObject({ added: 1, missing: 0 });
      expect((await larder.items()).map(({ title }) => title)).toContain(added);
      const count = (await larder.files()).length;
      if (!kind.isSelection) {
        const stamps = async (title: string) => (await larder.files()).filter((file) => file.title === title);
        const replaced = upstream.replace();
        const before = await stamps(replaced);
        expect(await larder.round()).toMatchObject({ added: 0, changed: 1, missing: 0 });
        expect((await stamps(replaced)).map(({ stamp }) => stamp)).not.toEqual(before.map(({ stamp }) => stamp));
      }
      const removed = upstream.remove();
      const gone = await larder.round();
      expect(await larder.missing()).toEqual(kind.isSelection ? [] : [removed]);
      if (!kind.isSelection) expect(gone.missing).toBeGreaterThan(0);
      expect(await larder.files()).toHaveLength(count);
      upstream.restore();
      expect(await larder.round()).toMatchObject({ added: 0, missing: 0 });
      expect(await larder.missing()).toEqual([]);
      expect(await larder.files()).toHaveLength(count);
    });

    test('loses nothing while its server cannot be reached, and is read again afterwards', async () => {
      await using setup = await setUp();
      const { larder, gate } = setup;
      await larder.round();
      const before = [await larder.items(), await larder.files()];
      gate.isDown = true;
      const error = await larder.failedRound();
      expect(error.retry).not.toBe('never');
      expect(error.hint).toBeDefined();
      expect([await larder.items(), await larder.files()]).toEqual(before as never);
      expect(await larder.missing()).toEqual([]);
      gate.isDown = false;
      expect(await larder.round()).toMatchObject({ added: 0, missing: 0 });
    });

    test('goes on in another process where a sync was cut off, at each request of it', async () => {
      await using sizes = await setUp();
      await sizes.larder.round();
      for (let at = 1; at <= sizes.gate.requests.length; at += 1) {
        await using setup = await setUp();
        const { gate, larder } = setup;
        gate.before = () => {
          if (gate.requests.length === at) larder.sync?.cancel();
          return null;
        };
        const outcome = await larder.round().then(
          () => null,
          (error: unknown) => (error as LarderError).code,
        );
        expect([null, 'stopped']).toContain(outcome);
        const again = await setup.reopen();
        const [row] = await again.table.listSyncs();
        await again.round(row);
        expect(await again.items()).toEqual([...setup.upstream.items()]);
        expect(await again.missing()).toEqual([]);
      }
    });

    test('gives every file that it lists, byte by byte', async () => {
      await using setup = await setUp();
      const { larder, gate, upstream } = setup;
      await larder.round();
      const client = new OriginClient(systemClock);
      const files = await larder.files();
      expect(files.length).toBeGreaterThan(0);
      for (const { title, key, quality, path } of files) {
        const address = larder.source.describe(path);
        expect([address.mediaKey, address.quality]).toEqual([key, quality]);
        const before = gate.requests.length;
        const request = await larder.source.resolve(address, { isFresh: false, isBackground: false });
        if (kind.knowsFiles) expect(gate.requests).toHaveLength(before);
        const range = { kind: 'from', start: 100, end: 1_100 } as const;
        const abort = new AbortController();
        const details = { range, ifRange: null, expectsMedia: true, ownPort: 0 };
        const { body } = await client.open({ ...request, ...details }, abort);
        const bytes = new Uint8Array(await new Response(body).arrayBuffer());
        expect(bytes).toHaveLength(1_000);
        assertContent(bytes, upstream.seedOf(title, quality), 100);
      }
    });

    test('loses nothing when its token is revoked in the middle, and says what to do', async () => {
      await using setup = await setUp();
      const { larder, gate } = setup;
      await larder.round();
      const before = await larder.files();
      await larder.cache.database.client.execute('UPDATE catalogue_folders SET read_at = NULL, etag = NULL');
      let lists = 0;
      gate.before = (path) => {
        if (!kind.lists.test(path) || ++lists < 2) return null;
        return { status: 401, body: 'Unauthorized' };
      };
      const error = await larder.failedRound();
      expect(error.originStatus).toBe(401);
      expect(error.hint).toBeDefined();
      expect(await larder.files()).toEqual(before);
      expect(await larder.missing()).toEqual([]);
      gate.before = () => null;
      expect(await larder.round()).toMatchObject({ added: 0, missing: 0 });
    });

    test('loses nothing when a web page comes in place of its lists', async () => {
      await using setup = await setUp();
      const { larder, gate } = setup;
      await larder.round();
      const before = await larder.files();
      gate.before = () => ({ status: 200, body: '<html><body><h1>Please sign in</h1><form></form></body></html>' });
      const outcome = await larder.round().then(
        () => larder.sync?.firstProblem ?? null,
        (error: unknown) => error,
      );
      expect(outcome).toBeInstanceOf(LarderError);
      expect((outcome as LarderError).hint).toBeDefined();
      expect(await larder.files()).toEqual(before);
      expect(await larder.missing()).toEqual([]);
    });

    for (const [fault, set] of Object.entries(kind.faults)) {
      test(`comes to an end, with what can be read, where its server has ${fault}`, async () => {
        await using setup = await setUp();
        const { larder, gate } = setup;
        set(gate);
        // Of a list without an end some servers are told that.
        const outcome = await larder.round().then(
          () => null,
          (error: unknown) => error,
        );
        if (outcome !== null) expect((outcome as LarderError).hint).toBeDefined();
        const names = (await larder.items()).map(({ title }) => title);
        expect(names.length).toBeGreaterThan(0);
        expect(Math.max(...names.map((title) => title.length))).toBeLessThanOrEqual(1_024);
        const loops = await setup.cache.rows(`
          SELECT item.title FROM media_items AS item JOIN media_items AS parent ON parent.id = item.parent_id
          WHERE parent.parent_id = item.id OR item.parent_id = item.id`);
        expect(loops).toEqual([]);
        expect(gate.requests.length).toBeLessThan(200);
        // As it is again, all is found.
        Object.assign(gate, { rewrite: (path: string) => path, alter: (text: string) => text });
        await larder.cache.database.client.execute('UPDATE catalogue_folders SET read_at = NULL, etag = NULL');
        await larder.round();
        expect(await larder.items()).toEqual([...setup.upstream.items()]);
      });
    }

    if (kind.orphan !== null) {
      const { mediaKey, series, title } = kind.orphan;
      test('finds an episode by the name of a series that was told of later', async () => {
        await using setup = await setUp();
        const { larder } = setup;
        const page = await larder.source.readItem?.(mediaKey, new AbortController().signal);
        const alone = (page?.media ?? []).filter(({ key }) => key === mediaKey);
        await larder.catalogue.noteItem(larder.source.id, { items: [], folders: [], media: alone }, mediaKey);
        expect(await larder.find(series)).not.toContain(series);
        await larder.round();
        if (kind.isSelection) {
          const keys = (await larder.cache.rows("SELECT key FROM media_items WHERE type = 'series'")).map(
            (row) => row.key,
          );
          for (const key of keys) {
            const whole = await larder.source.readItem?.(String(key), new AbortController().signal);
            if (whole != null) await larder.catalogue.noteItem(larder.source.id, whole, String(key));
          }
        }
        const found = await larder.find(series);
        expect(found).toContain(series);
        expect(found).toContain(title);
      });
    }
  });
}
