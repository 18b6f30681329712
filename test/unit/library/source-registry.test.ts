import { describe, expect, test } from 'bun:test';
import type { SourceRow } from '../../../src/db/sources.ts';
import { LarderError } from '../../../src/errors.ts';
import { SourceRegistry } from '../../../src/library/source-registry.ts';
import type { SourceRemoval } from '../../../src/library/source-remover.ts';
import { createLog } from '../../../src/log.ts';
import { type DeclaredSource, parseSourceSetting } from '../../../src/sources/http-source.ts';
import { describePath } from '../../../src/sources/media-address.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import type { UpstreamRequest } from '../../../src/sources/upstream-request.ts';
import { type CacheDatabase, entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { allKinds, sourceServices } from '../../support/source-services.ts';

/** Where an HTTP source asks for a file. */
function asked(source: MediaSource, path: string): UpstreamRequest {
  return source.resolve(describePath(path), { isFresh: false, isBackground: false }) as UpstreamRequest;
}

const SECRET = 'hunter2';
const names: Record<string, string[]> = { 'films.example': ['93.184.216.34'], 'nas.lan': ['192.168.1.20'] };

interface Setting {
  readonly registry: SourceRegistry;
  readonly removals: SourceRemoval[];
  readonly retargeted: number[];
  readonly healthRows: SourceRow[];
  /** Events and log lines. */
  readonly told: string[];
}

async function open(cache: CacheDatabase, settings: readonly string[] = [], key = 'a'): Promise<Setting> {
  const declared: DeclaredSource[] = settings.map(parseSourceSetting);
  for (const { name, url } of declared) await cache.sources.declare(name, url, NOW_MS);
  const removals: SourceRemoval[] = [];
  const retargeted: number[] = [];
  const healthRows: SourceRow[] = [];
  const told: string[] = [];
  const clock = new FakeClock();
  const registry = new SourceRegistry({
    table: cache.sources,
    sealer: {
      seal: (text) => `${key}:${Buffer.from(text).toString('hex')}`,
      open: (sealed) => {
        if (!sealed.startsWith(`${key}:`)) throw new LarderError('secret-key', 'another key');
        return Buffer.from(sealed.slice(key.length + 1), 'hex').toString();
      },
    },
    findKind: allKinds(),
    sourceServices: sourceServices({ clock }),
    declared,
    declaredBy: '--source',
    lookup: (host) =>
      names[host] === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(names[host]),
    health: { load: (rows) => healthRows.push(...rows), forget: () => undefined },
    retargeted: (id) => retargeted.push(id),
    remover: { add: (removal) => removals.push(removal) },
    noteEvent: (...words) => told.push(words.join(' ')),
    clock,
    log: createLog({ level: 'debug', write: (line) => told.push(line), nowMs: () => clock.nowMs() }),
  });
  await registry.load();
  return { registry, removals, retargeted, healthRows, told };
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

const password = { username: 'me', password: SECRET };

describe('SourceRegistry', () => {
  test('add() makes a source that is there at once and after a restart, with its credentials sealed', async () => {
    await using cache = await openCacheDatabase();
    const { registry, told } = await open(cache);
    const facts = await registry.add('films', { url: 'https://films.example/f', credentials: password });
    expect(facts).toMatchObject({
      name: 'films',
      url: 'https://films.example/f/',
      credentials: 'password',
      local: false,
    });
    const authorization = `Basic ${btoa(`me:${SECRET}`)}`;
    expect(asked(registry.find('films')!, 'a').headers).toEqual({ authorization });
    const again = await open(cache);
    expect(asked(again.registry.find('films')!, 'a').headers).toEqual({ authorization });
    expect(again.registry.list()).toEqual([facts]);
    expect(JSON.stringify([facts, told, await cache.sources.list()])).not.toContain(SECRET);
  });

  test('add() lets a source reach private networks when its address is in one, unless the owner says otherwise', async () => {
    await using cache = await openCacheDatabase();
    const { registry } = await open(cache);
    const added = [
      await registry.add('a', { url: 'http://nas.lan/' }),
      await registry.add('b', { url: 'http://127.0.0.1:8080/' }),
      await registry.add('c', { url: 'http://nas.lan/', local: false }),
      await registry.add('d', { url: 'https://films.example/', local: true }),
      await registry.add('e', { url: 'https://nobody.example/' }),
    ];
    expect(added.map(({ local }) => local)).toEqual([true, true, false, true, false]);
  });

  for (const [name, input, code] of [
    ['a/b', { url: 'http://h/' }, 'invalid'],
    ['', { url: 'http://h/' }, 'invalid'],
    ['a', {}, 'invalid'],
    ['a', { url: 'ftp://h/' }, 'invalid'],
    ['a', { url: 'http://h/?token=x' }, 'invalid'],
    ['a', { url: 'http://h/', credentials: { password: 'x' } }, 'invalid'],
    ['a', { url: 'http://me:x@h/', credentials: { token: 'x' } }, 'invalid'],
    ['films', { url: 'http://h/' }, 'conflict'],
  ] as const) {
    test(`invariant 10: add() says ${code} and changes nothing when it is given ${name} ${JSON.stringify(input)}`, async () => {
      await using cache = await openCacheDatabase();
      const { registry } = await open(cache);
      await registry.add('films', { url: 'https://films.example/' });
      const error = await failure(registry.add(name, input));
      expect([error.code, typeof error.hint]).toEqual([code, 'string']);
      expect(registry.list().map((source) => source.name)).toEqual(['films']);
    });
  }

  test('update() sends what comes next elsewhere, keeps what is kept, and forgets how it fared', async () => {
    await using cache = await openCacheDatabase();
    const { registry, retargeted, healthRows } = await open(cache);
    const { id } = await registry.add('films', { url: 'https://films.example/', credentials: { token: 'abc' } });
    const held = registry.find('films')!;
    await cache.entries.ensure(entryOf(id, 'f'), NOW_MS);
    await cache.sources.recordFailure(id, 'origin-failed', 'no', NOW_MS);
    await registry.update('films', { url: 'https://films.example/other/' });
    expect(asked(held, 'a')).toMatchObject({
      url: 'https://films.example/other/a',
      headers: { authorization: 'Bearer abc' },
    });
    // Once when it was added.
    expect(retargeted).toEqual([id, id]);
    expect(healthRows.at(-1)).toMatchObject({ failingSince: null, lastErrorText: null });
    expect((await registry.holdingsOf('films')).entryCount).toBe(1);
    await registry.update('films', { credentials: null });
    expect(asked(held, 'a').headers).toEqual({});
    expect(asked((await open(cache)).registry.find('films')!, 'a').headers).toEqual({});
  });

  test('update() does not send credentials to a host that they were not given for', async () => {
    await using cache = await openCacheDatabase();
    const { registry } = await open(cache);
    await registry.add('films', { url: 'https://films.example/', credentials: password });
    for (const url of ['https://evil.example/', 'http://films.example/', 'https://films.example:8443/']) {
      expect((await failure(registry.update('films', { url }))).code).toBe('invalid');
    }
    expect(registry.get('films').url).toBe('https://films.example/');
    await registry.update('films', { url: 'https://evil.example/', credentials: null });
    await registry.update('films', { url: 'https://films.example/', credentials: password });
    expect(registry.get('films')).toMatchObject({ url: 'https://films.example/', credentials: 'password' });
  });

  test('a declared source is locked and says by what; credentials that it was declared without can be given', async () => {
    await using cache = await openCacheDatabase();
    const { registry } = await open(cache, [
      'plain=https://films.example/',
      `full=https://me:${SECRET}@films.example/`,
    ]);
    expect(registry.get('plain')).toMatchObject({ lockedBy: '--source', credentialsLocked: false });
    expect(registry.get('full')).toMatchObject({
      lockedBy: '--source',
      credentialsLocked: true,
      credentials: 'password',
    });
    for (const attempt of [
      registry.update('plain', { url: 'https://films.example/x/' }),
      registry.update('full', { credentials: null }),
      registry.remove('plain'),
    ]) {
      const error = await failure(attempt);
      expect([error.code, error.message.includes('--source')]).toEqual(['conflict', true]);
    }
    await registry.update('plain', { credentials: { token: 'abc' } });
    expect(registry.get('plain').credentials).toBe('token');
    expect(JSON.stringify(await cache.sources.list())).not.toContain(SECRET);
    // A later start that does not declare them: they are the owner's to change.
    const later = (await open(cache)).registry;
    expect(later.list().map(({ lockedBy, credentials }) => [lockedBy, credentials])).toEqual([
      [null, 'none'],
      [null, 'token'],
    ]);
  });

  test('credentials that were sealed with another key cost the source nothing else, and are entered again', async () => {
    await using cache = await openCacheDatabase();
    await (await open(cache)).registry.add('films', { url: 'https://films.example/', credentials: password });
    const { registry } = await open(cache, [], 'b');
    expect(registry.get('films')).toMatchObject({ credentialsLost: true, credentials: 'none' });
    expect(asked(registry.find('films')!, 'a').headers).toEqual({});
    await registry.update('films', { credentials: password });
    expect((await open(cache, [], 'b')).registry.get('films')).toMatchObject({
      credentialsLost: false,
      credentials: 'password',
    });
  });

  test('remove() frees the name at once, tells what is lost, and is gone on with after a restart', async () => {
    await using cache = await openCacheDatabase();
    const { registry, removals } = await open(cache);
    const { id } = await registry.add('films', { url: 'https://films.example/', credentials: password });
    const { entryId } = await cache.entries.ensure(entryOf(id, 'f'), NOW_MS);
    const { generation } = await cache.generations.create(generationOf(entryId, 'f'), NOW_MS);
    await cache.generations.recordRange(generation.id, { start: 0, end: 500 }, [], NOW_MS);
    await cache.queue.enqueue(entryId, 'person', NOW_MS);
    const held = registry.find('films')!;
    const removed = { sourceId: id, name: 'films', entryCount: 1, cachedBytes: 500 };
    expect(await registry.remove('films')).toEqual({ itemCount: 1, entryCount: 1, pinnedCount: 0, cachedBytes: 500 });
    expect(registry.find('films')).toBeUndefined();
    expect(() => asked(held, 'a')).toThrow('was removed');
    expect(removals).toEqual([removed]);
    expect(await cache.queue.listDue(5, NOW_MS)).toEqual([]);
    const added = await registry.add('films', { url: 'https://films.example/new/' });
    expect(added.id).toBeGreaterThan(id);
    const again = await open(cache);
    expect(again.removals).toEqual([removed]);
    expect(again.registry.list().map(({ url }) => url)).toEqual(['https://films.example/new/']);
    expect((await failure(registry.remove('nobody'))).code).toBe('unknown-source');
  });

  test('an id is not given again while something in memory may still know the source that had it', async () => {
    await using cache = await openCacheDatabase();
    const { registry } = await open(cache);
    const { id } = await registry.add('films', { url: 'https://films.example/' });
    await registry.remove('films');
    await cache.sources.remove(id);
    expect((await registry.add('films', { url: 'https://films.example/' })).id).toBe(id + 1);
  });
});
