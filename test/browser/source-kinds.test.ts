// Adding sources of each kind in a real browser: choosing the kind, what is opened and shown then, and signing in by a
// code, on a phone and a desk, with and without JavaScript.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { ALICE, type JellyfinServer, startJellyfinServer } from '../support/jellyfin-server.ts';
import { runAxe } from './check-page.ts';

const SECOND_MS = 1_000;
const testIf = canLaunchBrowser() ? test : test.skip;

let jellyfin: JellyfinServer;
let larder: RunningLarder;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  browser = await launchBrowser();
  jellyfin = await startJellyfinServer({
    movies: 12,
    versionsEvery: 3,
    series: 2,
    seasonsEach: 2,
    episodesEach: 5,
    albums: 1,
    tracksEach: 3,
  });
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await jellyfin[Symbol.asyncDispose]();
});

beforeEach(async () => {
  if (canLaunchBrowser()) larder = await startLarder();
});

afterEach(async () => {
  if (!canLaunchBrowser()) return;
  await context?.close();
  await larder[Symbol.asyncDispose]();
});

async function open(path: string, { javaScriptEnabled = true, width = 1280 } = {}): Promise<void> {
  context = await browser.newContext({ viewport: { width, height: 900 }, javaScriptEnabled });
  await larder.owner.signIn(context, larder.port);
  page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  await page.goto(`http://localhost:${larder.port}${path}`);
}

async function picture(name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** No sideways scroll, and nothing that axe finds. */
async function isWell(name: string): Promise<void> {
  await picture(name);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(isWide).toBe(false);
  expect(await runAxe(page)).toEqual([]);
}

describe('the kind of a source', () => {
  for (const javaScriptEnabled of [true, false]) {
    testIf(
      `is chosen first, ${javaScriptEnabled ? 'with' : 'without'} JavaScript; Jellyfin is added with its password`,
      async () => {
        await open('/sources', { javaScriptEnabled });
        await page.getByRole('link', { name: 'Add the first source' }).click();
        const kinds = page.getByRole('navigation', { name: 'Kind of source' });
        expect(await kinds.locator('[aria-current]').textContent()).toContain('Web server or WebDAV folder');
        await kinds.getByRole('link', { name: /^Jellyfin/ }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('radio', { name: 'API key' }).waitFor();
        expect(await kinds.locator('[aria-current]').textContent()).toContain('Jellyfin');
        expect(await page.locator('#credentialApiKey').isVisible()).toBe(false);
        await page.fill('#name', 'home');
        await page.fill('#url', jellyfin.url);
        await page.fill('#username', ALICE.name);
        await page.fill('#password', ALICE.password);
        await page.getByText('Lower qualities', { exact: true }).click();
        await page.getByLabel('HLS playlist').check();
        await page.getByRole('button', { name: 'Test it as it stands here' }).click();
        await page.getByText('It works').first().waitFor();
        // Without JavaScript what was typed as a password does not come back.
        if (!javaScriptEnabled) await page.fill('#password', ALICE.password);
        await page.getByRole('button', { name: 'Add the source' }).click();
        await page.getByText('home was added.').waitFor();
        await page.getByRole('heading', { level: 2, name: 'Titles' }).waitFor();
        expect(await page.getByLabel('HLS playlist').isChecked()).toBe(true);
      },
      60 * SECOND_MS,
    );
  }

  testIf(
    'everything that can be opened in the forms fits on a phone, and axe finds nothing',
    async () => {
      await open('/sources/new', { width: 320 });
      await page.getByLabel('Client certificate').check();
      await isWell('kind-http-certificate-320');
      for (const [kind, name, ways] of [
        ['jellyfin', 'Jellyfin', ['API key', 'Quick Connect']],
        ['plex', 'Plex', ['Sign in at plex.tv']],
        ['stremio', 'Stremio add-on', []],
      ] as const) {
        await page.getByRole('navigation', { name: 'Kind of source' }).getByRole('link', { name }).click();
        await page.waitForURL(`**/sources/new?kind=${kind}`);
        for (const details of await page.locator('form details > summary').all()) await details.click();
        for (const way of ways) await page.getByRole('radio', { name: way, exact: true }).check();
        await isWell(`kind-${kind}-320`);
      }
    },
    60 * SECOND_MS,
  );
});

describe('signing in by a code', () => {
  for (const javaScriptEnabled of [true, false]) {
    testIf(
      javaScriptEnabled ? 'goes on by itself when the code was entered' : 'goes on by a button without JavaScript',
      async () => {
        await open('/sources/new?kind=jellyfin', { javaScriptEnabled, width: 320 });
        await page.fill('#name', 'home');
        await page.fill('#url', jellyfin.url);
        await page.getByLabel('Quick Connect', { exact: true }).check();
        await page.getByRole('button', { name: 'Get a code' }).click();
        const code = (await page.locator('strong.code').textContent()) ?? '';
        expect(await page.inputValue('#name')).toBe('home');
        if (javaScriptEnabled) await isWell('kind-code-320');
        jellyfin.authorise(code);
        const check = page.getByRole('button', { name: 'I have entered it' });
        if (javaScriptEnabled) await page.getByText('Signed in. It is kept once you save.').waitFor();
        while (!javaScriptEnabled && (await check.isVisible())) await check.click();
        if (javaScriptEnabled) await isWell('kind-code-done-320');
        await page.getByRole('button', { name: 'Add the source' }).click();
        await page.getByText('home was added.').waitFor();
        expect(await page.getByLabel('As it is: Quick Connect').isChecked()).toBe(true);
      },
      60 * SECOND_MS,
    );
  }
});

testIf(
  'the first run asks for the kind, and signs in by a code without leaving its step',
  async () => {
    await using fresh = await startLarder({ isUnclaimed: true });
    context = await browser.newContext({ viewport: { width: 320, height: 800 } });
    page = await context.newPage();
    page.setDefaultTimeout(10 * SECOND_MS);
    const base = `http://localhost:${fresh.port}`;
    await page.goto(base);
    await page.fill('[name=code]', readFileSync(join(fresh.dataFolder, 'setup-code'), 'utf8').trim());
    await page.fill('[name=name]', 'Jane');
    await page.fill('[name=password]', 'correct horse battery');
    await page.locator('main form button[type=submit]').last().click();
    await page.waitForURL(/\/setup\/|\/$/);
    await page.goto(`${base}/setup/source`);
    await page.getByRole('link', { name: /^Jellyfin/ }).click();
    await page.waitForURL(/kind=jellyfin/);
    await page.fill('#name', 'home');
    await page.fill('#url', jellyfin.url);
    await page.getByRole('radio', { name: 'Quick Connect' }).check();
    await page.getByRole('button', { name: 'Get a code' }).click();
    const code = (await page.locator('strong.code').textContent()) ?? '';
    await isWell('setup-code-320');
    jellyfin.authorise(code);
    await page.getByText('Signed in. It is kept once you save.').waitFor();
    await page.getByRole('button', { name: 'Add it and go on' }).click();
    await page.waitForURL((url) => url.pathname !== '/setup/source');
    await page.goto(`${base}/sources/home`);
    expect(await page.getByLabel('As it is: Quick Connect').isChecked()).toBe(true);
  },
  60 * SECOND_MS,
);

testIf(
  'a film of a server is found with its picture, plays in a quality that Larder chooses, and says all that there are',
  async () => {
    await open('/sources/new?kind=jellyfin');
    await page.fill('#name', 'home');
    await page.fill('#url', jellyfin.url);
    await page.fill('#username', ALICE.name);
    await page.fill('#password', ALICE.password);
    await page.getByRole('button', { name: 'Add the source' }).click();
    await page.getByText('home was added.').waitFor();
    await page.getByRole('button', { name: 'Look for new titles now' }).click();
    await page.locator('#catalogue', { hasText: 'marked, with all that is kept of it' }).waitFor();
    await picture('source-jellyfin-1280');
    await page.goto(`http://localhost:${larder.port}/library?view=grid&type=movie`);
    await picture('library-jellyfin-1280');
    await page.locator('.item-title').first().click();
    await page.locator('#quality-0').waitFor();
    await picture('item-jellyfin-1280');
    expect(await page.locator('.play-address .quality').first().textContent()).toBe('Auto');
    expect(await page.inputValue('#address-0')).toMatch(/\/stream\/home\/[^/]+\/auto\//);
    expect(await page.locator('.quality-panel').count()).toBeGreaterThan(1);
    expect(await runAxe(page)).toEqual([]);
  },
  60 * SECOND_MS,
);
