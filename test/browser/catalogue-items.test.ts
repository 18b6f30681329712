// Series, seasons, albums and films with pictures, as a media server lists them, in a real browser. Their rows are put
// into the database, as those of an HTTP source: where their pictures are asked for is then a file of its own.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { openDatabase } from '../../src/db/database.ts';
import { SourceTable } from '../../src/db/sources.ts';
import { databaseFile } from '../../src/upkeep/open-database.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { putCatalogueRows } from '../support/catalogue-rows.ts';
import { pngOf } from '../support/png.ts';
import { checkPage, runAxe, THEMES, WIDTHS } from './check-page.ts';

const SECOND_MS = 1_000;
const testIf = canLaunchBrowser() ? test : test.skip;

const PICTURES: Readonly<Record<string, Buffer>> = {
  film1: pngOf(200, 300, [40, 90, 160]),
  series1: pngOf(200, 300, [150, 60, 40]),
  season1: pngOf(200, 300, [60, 130, 80]),
  album1: pngOf(300, 300, [150, 110, 30]),
};

let origin: Server;
let larder: RunningLarder;
let browser: Browser;
/** Ids of items by their keys. */
let ids: ReadonlyMap<string, number>;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  origin = createServer((request, response) => {
    const key = /\/([^/]+):~poster\.jpg$/.exec(decodeURIComponent(request.url ?? ''))?.[1];
    const picture = key === undefined ? undefined : PICTURES[key];
    if (picture === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': picture.length }).end(picture);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
  larder = await startLarder({ args: ['--source', `media=${url}`, '--source', `other=${url}`] });
  const database = await openDatabase(databaseFile(larder.dataFolder));
  const sources = new Map((await new SourceTable(database.tables).list()).map(({ name, id }) => [name, id]));
  await putCatalogueRows(database, sources.get('media') ?? 0, sources.get('other') ?? 0);
  const { rows } = await database.client.execute('SELECT id, key FROM media_items');
  ids = new Map(rows.map((row) => [String(row.key), Number(row.id)]));
  database.close();
  browser = await launchBrowser();
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
  origin.close();
  origin.closeAllConnections();
});

const itemPath = (key: string) => `/items/${ids.get(key)}`;

async function open(path: string, javaScriptEnabled: boolean, width = 1280): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, javaScriptEnabled });
  await larder.owner.signIn(context, larder.port);
  const page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  await page.goto(`http://localhost:${larder.port}${path}`);
  return page;
}

for (const [look, pathOf] of [
  ['library-posters', () => '/library?view=grid'],
  ['library-search', () => '/library?q=part'],
  ['series', () => itemPath('series1')],
  ['season', () => itemPath('season1')],
  ['episode', () => itemPath('episode4')],
  ['film', () => itemPath('film1')],
  ['album', () => itemPath('album1')],
] as const) {
  testIf(
    `${look} is well in light and dark, on phone, tablet and desk`,
    async () => {
      const faults: string[] = [];
      for (const theme of THEMES) {
        for (const width of WIDTHS) {
          const name = `items-${look}-${theme}-${width}`;
          const report = await checkPage(browser, {
            url: `http://localhost:${larder.port}${pathOf()}`,
            theme,
            width,
            live: false,
            name,
            hasMedia: true,
            prepare: (context) => larder.owner.signIn(context, larder.port),
          });
          // A picture that its source does not give leaves a word, and a line in the console of the browser.
          const missing = report.faults.filter((fault) => !/season2.*poster|status of 404/.test(fault));
          faults.push(...missing.map((fault) => `${name}: ${fault}`));
        }
      }
      expect(faults).toEqual([]);
    },
    90 * SECOND_MS,
  );
}

for (const javaScriptEnabled of [true, false]) {
  testIf(
    `from the library through a series to an episode, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`,
    async () => {
      const page = await open('/library?view=grid', javaScriptEnabled);
      const card = page.locator('.item', { hasText: 'Tidewatch' });
      expect(await card.textContent()).toContain('3 seasons');
      // The whole card is the link.
      await card.locator('.poster').click({ force: true });
      await page.getByRole('heading', { level: 1, name: 'Tidewatch' }).waitFor();
      const titles = await page.locator('.item-title').allTextContents();
      expect(titles).toEqual(['Season 1', 'Season 2', 'Season 3']);
      await page.getByRole('link', { name: 'Season 1' }).click();
      await page.getByRole('heading', { level: 1, name: 'Season 1' }).waitFor();
      expect(await page.locator('.children .item').count()).toBe(100);
      await page.getByRole('link', { name: 'Next page' }).click();
      await page.getByText('S01E101').waitFor();
      expect(await page.locator('.children .item').count()).toBe(20);
      await page.getByRole('link', { name: 'Part 101' }).click();
      await page.getByRole('heading', { level: 1, name: 'S01E101 Part 101' }).waitFor();
      expect(await page.locator('.crumb').textContent()).toBe('Library / Tidewatch / Season 1');
      await page.context().close();
    },
    60 * SECOND_MS,
  );
}

testIf(
  'an episode and a track that were searched for say what they belong to',
  async () => {
    const page = await open('/library?q=part+101', false);
    const item = page.locator('.item').first();
    expect(await item.locator('.item-meta').textContent()).toBe('S01E101 of Tidewatch · media');
    await page.goto(`http://localhost:${larder.port}/library?q=ebb`);
    expect(await page.locator('.item-meta').allTextContents()).toContain('Track 2 of Low Water · media');
    await page.context().close();
  },
  60 * SECOND_MS,
);

testIf(
  'a film says of each quality what it is, offers subtitles, and leads to where else it is',
  async () => {
    const page = await open(itemPath('film1'), true);
    const text = (await page.locator('main').textContent()) ?? '';
    for (const words of [
      'Film of media, 2 h 05 min',
      'A lighthouse keeper finds a boat',
      '3840 × 2160, HEVC and Dolby Digital Plus, 24.0 Mbit/s, MKV',
      'it has 22.5 GB',
      '1280 × 720, 4.00 Mbit/s, MP4, converted as it comes',
      'It cannot be played through Larder: It is a torrent, and Larder takes no part in those.',
    ]) {
      expect(text).toContain(words);
    }
    // What cannot be played has no address.
    expect(await page.locator('.play-address').count()).toBe(3);
    expect(await page.locator('video track').count()).toBe(1);
    expect(await page.locator('video track').getAttribute('label')).toBe('English');
    expect(await page.locator('.subtitles li').allTextContents()).toEqual([
      'English VTT',
      'Brazilian Portuguese, forced SRT',
      'Commentary ASS',
    ]);
    const poster = page.locator('.item-head img');
    expect(await poster.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)).toBe(true);
    expect(await runAxe(page)).toEqual([]);
    await page.getByRole('link', { name: 'Long Harbour, The' }).click();
    await page.getByRole('heading', { level: 1, name: /Long Harbour, The/ }).waitFor();
    await page.context().close();
  },
  60 * SECOND_MS,
);
