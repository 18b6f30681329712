// npm run many-items     How long a page of the library takes with 100,000 items: every filter, every order, every kind
// of search, the first page and one far down.

import { type ItemCursor, LibraryTable } from '../../src/db/library.ts';
import { MediaTable } from '../../src/db/media.ts';
import { PlaylistTable } from '../../src/db/playlists.ts';
import { EVERYTHING, ITEM_SORTS, type ItemFilter } from '../../src/library/item-filter.ts';
import { ITEMS_PAGE, Library } from '../../src/library/library.ts';
import { Selections } from '../../src/library/selections.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { readFlags } from './command-line.ts';
import { median } from './kill-summary.ts';
import { addManyItems } from './many-items-rows.ts';

const flags = readFlags(
  'many-items',
  {
    items: { fallback: 100_000, says: 'items' },
    entries: { fallback: 20_000, says: 'of them with bytes' },
    rounds: { fallback: 15, says: 'times each' },
  },
  {},
);
await using cache = await openCacheDatabase();
const startedMs = performance.now();
await addManyItems(cache.database.client, { items: flags.items, entries: flags.entries, seed: 7 });
console.log(`${flags.items} items in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
const library = new Library({
  library: new LibraryTable(cache.database.tables),
  media: new MediaTable(cache.database.tables),
  playlists: new PlaylistTable(cache.database.tables),
  sources: () =>
    Array.from({ length: 5 }, (_, index) => ({ id: index + 1, name: `source-${index + 1}`, isFailing: index === 3 })),
});

const filters: [string, Partial<ItemFilter>][] = [
  ['everything', {}],
  ['one source', { source: 'source-1' }],
  ['a small source', { source: 'source-5' }],
  ['movies', { type: 'movie' }],
  ['whole', { availability: 'whole' }],
  ['partly', { availability: 'partly' }],
  ['not kept', { availability: 'none' }],
  ['pinned', { pinned: true }],
  ['unreachable', { unreachable: true }],
  ['pinned, unreachable', { pinned: true, unreachable: true }],
  ['files, partly, pinned', { type: 'file', availability: 'partly', pinned: true }],
];
const searches = ['', 'o', 's', 'st', 'river', 'the winter', 't s', 'riv lan wol', 'zzz', '2', 'mkv', 'films m'];

async function time(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < flags.rounds; round += 1) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  return median(times);
}

async function farDown(filter: ItemFilter, sort: (typeof ITEM_SORTS)[number]): Promise<ItemCursor | null> {
  let cursor: ItemCursor | null = null;
  for (let page = 0; page < 20; page += 1) {
    const found = await library.search({ ...filter, sort, cursor, limit: 500 });
    if (found.next === null) return cursor;
    cursor = found.next;
  }
  return cursor;
}

// The first calls are compiled while they run.
for (const sort of ITEM_SORTS) {
  await time(() => library.search({ ...EVERYTHING, query: 'river', sort, cursor: null, limit: ITEMS_PAGE }));
  await time(() => library.search({ ...EVERYTHING, sort, cursor: null, limit: ITEMS_PAGE }));
}
let slowest = { ms: 0, what: '' };
function note(what: string, ms: number): string {
  if (ms > slowest.ms) slowest = { ms, what };
  return ms.toFixed(2).padStart(9);
}
console.log(
  `\n${''.padEnd(26)}${ITEM_SORTS.flatMap((sort) => [sort, '10,000th'])
    .map((name) => name.padStart(9))
    .join('')}     count   facets`,
);
for (const [name, change] of filters) {
  const filter = { ...EVERYTHING, ...change };
  let line = name.padEnd(26);
  for (const sort of ITEM_SORTS) {
    const query = { ...filter, sort, limit: ITEMS_PAGE };
    line += note(`${name} by ${sort}`, await time(() => library.search({ ...query, cursor: null })));
    const cursor = await farDown(filter, sort);
    line += note(`${name} by ${sort}, far down`, await time(() => library.search({ ...query, cursor })));
  }
  const { total } = await library.count(filter);
  console.log(
    `${line}${String(total).padStart(10)}${note(`${name} facets`, await time(() => library.countFacets(filter)))}`,
  );
}
console.log('\nsearches                   by used   count');
for (const query of searches) {
  const filter = { ...EVERYTHING, query };
  const ms = await time(() => library.search({ ...filter, sort: 'used', cursor: null, limit: ITEMS_PAGE }));
  const { total, isCut } = await library.count(filter);
  console.log(`${`"${query}"`.padEnd(25)}${note(`"${query}"`, ms)}${String(total).padStart(8)}${isCut ? '+' : ''}`);
}
const selections = new Selections({ library, table: new LibraryTable(cache.database.tables), entries: cache.entries });
const measureMs = await time(() => selections.measure({ kind: 'filter', filter: EVERYTHING }));
console.log(`\nwhat acting on all ${flags.items} would touch: ${measureMs.toFixed(0)} ms, in steps`);
console.log(`\nslowest: ${slowest.what}, ${slowest.ms.toFixed(2)} ms of processor time (median of ${flags.rounds})`);
