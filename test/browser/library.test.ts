// The library and an item in a real Chromium: found by typing, filtered, played, dropped and brought back, pinned, many
// at once; with the keyboard alone and without JavaScript.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { startSlowOrigin } from '../../src/cli/slow-origin.ts';
import { systemClock } from '../../src/clock.ts';
import { sampleFilms } from '../../src/runtime/embedded.ts';
import { rawRequest } from '../http/raw-client.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';

const SECOND_MS = 1_000;
const SIZE = 4_000_000;
const FILMS = ['Amber (1999).mkv', 'Birch.mkv', 'Cedar.mkv', 'Dogwood.mkv', 'Elder.mp4'];

let origin: TestOrigin;
let larder: RunningLarder;
let browser: Browser;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  origin = await startOrigin({ files: Object.fromEntries(FILMS.map((name) => [name, { sizeBytes: SIZE }])) });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of FILMS) await play(name, name.startsWith('Amber') ? {} : { Range: 'bytes=0-999999' });
  browser = await launchBrowser();
}, 30 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

function play(name: string, headers: Record<string, string>) {
  return rawRequest(larder.port, `/s/films/${encodeURIComponent(name)}`, headers);
}

interface Opened {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

/** As the owner; a page that complains or asks another host fails its test. */
async function open(path: string, options: BrowserContextOptions = {}, on = larder): Promise<Opened> {
  const context = await browser.newContext(options);
  await on.owner.signIn(context, on.port);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== 'localhost' && hostname !== '') complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`http://localhost:${on.port}${path}`);
  return { page, complaints, close: () => context.close() };
}

function browserTest(name: string, run: () => Promise<void>): void {
  test(
    name,
    async () => {
      if (canLaunchBrowser()) await run();
    },
    30 * SECOND_MS,
  );
}

function titles(page: Page): Promise<string[]> {
  return page.locator('.item-title').allTextContents();
}

async function untilTitles(page: Page, wanted: readonly string[]): Promise<void> {
  await page.waitForFunction(
    (expected) =>
      JSON.stringify([...document.querySelectorAll('.item-title')].map((title) => title.textContent)) === expected,
    JSON.stringify(wanted),
  );
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let press = 0; press < 80; press += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the keyboard never came there');
}

async function isLive(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
}

browserTest('typing finds, keeps the field and its address, and what comes live fits what was found', async () => {
  const { page, complaints, close } = await open('/library?sort=title');
  await isLive(page);
  await untilTitles(page, ['Amber (1999)', 'Birch', 'Cedar', 'Dogwood', 'Elder']);
  const field = page.getByRole('searchbox');
  await field.focus();
  await page.keyboard.type('ce', { delay: 30 });
  await untilTitles(page, ['Cedar']);
  expect(await field.inputValue()).toBe('ce');
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
  expect(new URL(page.url()).search).toBe('?q=ce&sort=title');
  await page.locator('.found-count', { hasText: '1 item' }).waitFor();
  // The event stream is of this search from now on: what is not in it does not come back.
  await page.waitForResponse((response) => response.url().includes('/live') && response.url().includes('ce'));
  await play('Cedar.mkv', { Range: 'bytes=1000000-1999999' });
  await page.locator('.item', { hasText: 'Cedar' }).getByText('2.00 MB of 4.00 MB').waitFor();
  expect(await titles(page)).toEqual(['Cedar']);
  await field.fill('');
  await untilTitles(page, ['Amber (1999)', 'Birch', 'Cedar', 'Dogwood', 'Elder']);
  expect(complaints).toEqual([]);
  await close();
});

browserTest('filters narrow, count, and stand in the address; what matches nothing says so', async () => {
  const { page, complaints, close } = await open('/library');
  await page.getByRole('radio', { name: /Whole/ }).check({ force: true });
  await untilTitles(page, ['Amber (1999)']);
  expect(new URL(page.url()).search).toBe('?availability=whole');
  await page.getByRole('combobox', { name: 'Kind' }).selectOption({ label: 'All kinds' });
  await page.getByRole('checkbox', { name: /^Pinned/ }).check();
  await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  await page.getByRole('link', { name: 'Clear the filter' }).click();
  await page.getByRole('link', { name: 'Grid' }).click();
  await page.locator('.items.grid .item').nth(4).waitFor();
  expect(complaints).toEqual([]);
  await close();
});

browserTest('with the keyboard alone: to an item, pinned, dropped, brought back', async () => {
  const { page, complaints, close } = await open('/library?sort=title');
  await isLive(page);
  await tabTo(page, page.getByRole('link', { name: 'Birch' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Birch' }).waitFor();
  await isLive(page);
  await tabTo(page, page.getByRole('button', { name: /^Pin:/ }));
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('is never removed to make room').waitFor();
  await page.locator('#quality-0').getByText('pinned', { exact: true }).waitFor();
  await tabTo(page, page.getByRole('button', { name: /^Drop 1.00 MB/ }));
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('can be brought back for 10 minutes').waitFor();
  await page.locator('#quality-0').getByText('dropped', { exact: true }).waitFor();
  await tabTo(page, page.getByRole('button', { name: /^Bring back/ }));
  await page.keyboard.press('Enter');
  await page.locator('#quality-0').getByText('partly', { exact: true }).waitFor();
  await page.locator('#history').getByText('Brought back before it was gone.').waitFor();
  await page.getByRole('button', { name: /^Unpin:/ }).click();
  await page.locator('#notice').getByText('is no longer pinned').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

browserTest('an act that gets no answer says so where one looks, and the notice can be put away', async () => {
  const { page, close } = await open('/library?q=elder', { viewport: { width: 768, height: 300 } });
  await page.getByRole('link', { name: 'Elder' }).click();
  await isLive(page);
  const pin = page.getByRole('button', { name: /^Pin:/ });
  const notice = page.locator('#notice');
  for (const [answer, words] of [
    [undefined, 'Larder does not answer. As far as this page knows, nothing was changed.'],
    [{ status: 502, body: '<h1>Bad Gateway</h1>' }, 'the answer was an error (502)'],
  ] as const) {
    await page.route('**/pin', (route) => (answer === undefined ? route.abort() : route.fulfill(answer)));
    await pin.scrollIntoViewIfNeeded();
    await pin.focus();
    await page.keyboard.press('Enter');
    await notice.getByRole('alert').getByText(words).waitFor();
    expect((await notice.boundingBox())!.y).toBeGreaterThanOrEqual(0);
    await page.unroute('**/pin');
  }
  await pin.click();
  await notice.getByText('is never removed to make room').waitFor();
  await page.getByRole('button', { name: /^Unpin:/ }).click();
  await notice.getByText('is no longer pinned').waitFor();
  await page.evaluate(() => window.scrollTo(0, 400));
  expect((await notice.boundingBox())!.y).toBeGreaterThanOrEqual(0);
  await notice.getByRole('button', { name: 'Close' }).click();
  expect(await notice.textContent()).toBe('');
  await close();
});

browserTest('an item grows before the eyes: fetched whole, verified, gaps gone, played by address', async () => {
  const { page, complaints, close } = await open('/library?q=dogwood');
  await page.getByRole('link', { name: 'Dogwood' }).click();
  await isLive(page);
  await page.getByText('The first 1.00 MB play without the source').waitFor();
  await page.getByText('1 gap', { exact: true }).click();
  await page.getByText('1–4 MB (3.00 MB)').waitFor();
  await page.getByRole('button', { name: /^Fetch the rest/ }).click();
  await page.locator('#quality-0').getByText('whole', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^Verify/ }).click();
  await page.locator('#history').getByText('All 4.0 MB are as they were fetched.').waitFor();
  const address = await page.getByRole('textbox', { name: 'Address for players' }).inputValue();
  expect((await fetch(address, { method: 'HEAD' })).headers.get('content-length')).toBe(String(SIZE));
  const playlist = await page.getByRole('link', { name: 'Open in a player (M3U)' }).getAttribute('href');
  const text = await (
    await fetch(`http://localhost:${larder.port}${playlist}`, { headers: larder.owner.headers })
  ).text();
  expect(text).toBe(`#EXTM3U\n#EXTINF:-1 group-title="films",Dogwood\n${address}\n`);
  expect(complaints).toEqual([]);
  await close();
});

browserTest('many at once: what it would touch is said before, then it is done, told, and taken back', async () => {
  const { page, complaints, close } = await open('/library?q=&sort=title');
  await isLive(page);
  await page.getByRole('checkbox', { name: 'Select Cedar' }).click();
  await page.getByRole('checkbox', { name: 'Select Elder' }).click({ modifiers: ['Shift'] });
  await page.getByRole('button', { name: 'Act on 3 selected…' }).click();
  await page.getByRole('heading', { name: 'Act on 3 items' }).waitFor();
  const drop = page.getByRole('button', { name: /^Drop / });
  expect(await drop.textContent()).toMatch(/^Drop \d\.\d\d MB$/);
  await drop.click();
  await page.locator('#notice').getByText('3 items will be dropped').waitFor();
  expect(new URL(page.url()).pathname).toBe('/library');
  await page
    .locator('#jobs')
    .getByText(/^Dropped 3 items/)
    .waitFor();
  await page.locator('.item', { hasText: 'Cedar' }).getByText('not here').waitFor();
  await page.locator('#dropped').getByRole('listitem').nth(2).waitFor();
  await page
    .locator('#jobs')
    .getByRole('button', { name: /^Bring back/ })
    .click();
  await page
    .locator('#jobs')
    .getByText(/^Brought back 3 items/)
    .waitFor();
  await page.locator('#dropped').getByRole('listitem').first().waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Act on all 5 items…' }).click();
  await page.getByRole('button', { name: /^Pin / }).click();
  await page.locator('#jobs').getByText('Pinned 5 items').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

browserTest('a second press acts once, and what cannot fit is not fetched', async () => {
  const { page, close } = await open('/library/selection?all=1&q=cedar');
  await page.getByText('Everything that this filter shows: the words “cedar”.').waitFor();
  const form = page.locator('form', { has: page.getByRole('button', { name: /^Unpin/ }) });
  const job = await form.evaluate(async (element) => {
    const body = new URLSearchParams([...new FormData(element as HTMLFormElement)] as [string, string][]);
    const { action } = element as HTMLFormElement;
    const send = () => fetch(action, { method: 'POST', body });
    await Promise.all([send(), send()]);
    return (await (await fetch('/library')).text()).match(/id="job-[^"]*"/g)?.length;
  });
  const before = await page.evaluate(async (action) => {
    const body = new URLSearchParams({ all: '1', q: 'cedar' });
    await Promise.all([fetch(action, { method: 'POST', body }), fetch(action, { method: 'POST', body })]);
    return (await (await fetch('/library')).text()).match(/id="job-[^"]*"/g)?.length;
  }, '/library/selection/unpin');
  expect(before! - job!).toBe(2);
  await close();
});

browserTest('without JavaScript: search, select, act, bring back', async () => {
  const { page, close } = await open('/library', { javaScriptEnabled: false });
  await page.getByRole('searchbox').fill('amber');
  await page.getByRole('button', { name: 'Show' }).click();
  expect(await titles(page)).toEqual(['Amber (1999)']);
  await page.getByRole('checkbox', { name: 'Select Amber' }).check();
  await page.getByRole('button', { name: /^Act on/ }).click();
  await page.getByRole('button', { name: /^Drop 4.00 MB/ }).click();
  expect(await page.locator('#notice').textContent()).toContain('Amber will be dropped');
  await page.goto(`http://localhost:${larder.port}/library`);
  await page
    .locator('#dropped')
    .getByRole('button', { name: /^Bring back/ })
    .click();
  expect(await page.locator('#notice').textContent()).toContain('Amber (1999).mkv is back');
  await close();
});

browserTest('a film plays on its page, and its length is told', async () => {
  const slow = await startSlowOrigin({ files: sampleFilms, latencyMs: 20, bytesPerSecond: 5e6, clock: systemClock });
  await using own = await startLarder({ args: ['--source', `samples=${slow.url}`] });
  await rawRequest(own.port, `/s/samples/${encodeURIComponent('Harbour Lights (2019).mp4')}`, { Range: 'bytes=0-99' });
  const { page, complaints, close } = await open('/library', {}, own);
  await page.getByRole('link', { name: 'Harbour Lights' }).click();
  const video = page.locator('video');
  const played = await video.evaluate(async (element) => {
    const player = element as HTMLVideoElement;
    player.muted = true;
    await player.play();
    await new Promise<void>((resolve) => {
      player.addEventListener('timeupdate', () => {
        if (player.currentTime > 0.2) resolve();
      });
    });
    return { width: player.videoWidth, seconds: player.duration };
  });
  expect(played.width).toBeGreaterThan(0);
  await rawRequest(own.port, `/s/samples/${encodeURIComponent('Harbour Lights (2019).mp4')}`);
  await page.locator('#quality-0').getByText('whole', { exact: true }).waitFor();
  const length = page.locator('#quality-0 .fact', { hasText: 'Length' });
  await length.waitFor();
  expect(await length.textContent()).toBe(`Length${Math.floor(played.seconds)} s`);
  expect(complaints).toEqual([]);
  await close();
  slow.stop();
});

browserTest('an empty library teaches, and a film that is none answers in words', async () => {
  await using empty = await startLarder();
  const { page, close } = await open('/library', {}, empty);
  await page.getByRole('heading', { name: 'Nothing is kept yet' }).waitFor();
  for (const path of ['/items/99', '/items/x', '/items/0']) {
    const response = await page.goto(`http://localhost:${empty.port}${path}`);
    expect(response?.status()).toBe(404);
  }
  await close();
});
