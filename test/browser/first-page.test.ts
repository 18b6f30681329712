// The first page in a real Chromium: live, with the keyboard, without JavaScript, on a phone, in light and dark.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { rawRequest } from '../http/raw-client.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';

const SECOND_MS = 1_000;
const SIZE = 12_000_000;

let origin: TestOrigin;
let larder: RunningLarder;
let browser: Browser;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  origin = await startOrigin({
    files: { 'Some Film (2020).mkv': { sizeBytes: SIZE }, 'Other.mp4': { sizeBytes: SIZE } },
  });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv', { Range: 'bytes=4000000-5999999' });
  browser = await launchBrowser();
}, 30 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

/** A page that fails the test when it complains, or asks another host for anything. */
async function open(
  options: BrowserContextOptions = {},
  visited = larder,
): Promise<{ page: Page; complaints: string[]; close: () => Promise<void> }> {
  const context = await browser.newContext(options);
  await visited.owner.signIn(context, visited.port);
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
  await page.goto(`http://localhost:${visited.port}/`);
  return { page, complaints, close: () => context.close() };
}

function hasFocus(button: Locator): Promise<boolean> {
  return button.evaluate((element) => element === document.activeElement);
}

async function tabTo(page: Page, button: Locator): Promise<void> {
  for (let press = 0; press < 60 && !(await hasFocus(button)); press++) await page.keyboard.press('Tab');
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

browserTest('the page becomes live and shows a new reader and its bytes without being loaded again', async () => {
  const { page, complaints, close } = await open();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate(() => {
    (window as unknown as { mark: number }).mark = 1;
  });
  origin.behave('Other.mp4', { bytesPerSecond: 6_000_000 });
  const playing = rawRequest(larder.port, '/s/films/Other.mp4', { 'User-Agent': 'VLC/3.0.20 LibVLC/3.0.20' });
  await page.locator('#readers').getByText('VLC 3.0.20').waitFor();
  await page.locator('#entries').getByRole('heading', { name: 'Other' }).waitFor();
  await playing;
  await page.locator('#readers').getByText('Nobody is playing').waitFor();
  await page
    .locator('#entries .entry', { hasText: 'Other.mp4' })
    .getByText('whole', { exact: false })
    .first()
    .waitFor();
  expect(await page.evaluate(() => (window as unknown as { mark?: number }).mark)).toBe(1);
  expect(complaints).toEqual([]);
  await close();
});

browserTest('"Fetch the rest" by keyboard alone makes a film whole before the eyes', async () => {
  const { page, complaints, close } = await open();
  await page.getByText('Live', { exact: true }).waitFor();
  const entry = page.locator('#entries .entry', { hasText: 'Some%20Film' });
  const button = entry.getByRole('button', { name: /Fetch the rest/ });
  await tabTo(page, button);
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('is being fetched').waitFor();
  await entry.getByText('(100 %)').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

browserTest('pinning by keyboard alone is told, marked, and taken back from the same place', async () => {
  const { page, complaints, close } = await open();
  await page.getByText('Live', { exact: true }).waitFor();
  const entry = page.locator('#entries .entry', { hasText: 'Some%20Film' });
  await tabTo(page, entry.getByRole('button', { name: /^Pin:/ }));
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('is never removed to make room').waitFor();
  await entry.getByText('pinned', { exact: true }).waitFor();
  expect(await hasFocus(entry.getByRole('button', { name: /^Unpin:/ }))).toBe(true);
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('is no longer pinned').waitFor();
  await entry.getByText('pinned', { exact: true }).waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
  await close();
});

browserTest('what goes to make room is told on the open page, with the space, and moves nothing', async () => {
  for (const name of ['First.mkv', 'Second.mkv']) origin.addFile(name, { sizeBytes: SIZE });
  await using small = await startLarder({ args: ['--source', `films=${origin.url}`, '--cache-size', '20MB'] });
  await rawRequest(small.port, '/s/films/First.mkv');
  for (const width of [320, 1280]) {
    const { page, complaints, close } = await open({ viewport: { width, height: 800 } }, small);
    await page.getByText('Live', { exact: true }).waitFor();
    const [played, gone] = width === 320 ? ['Second.mkv', 'First.mkv'] : ['First.mkv', 'Second.mkv'];
    expect(await page.locator('#space').textContent()).toContain('At most20.0 MB');
    const placeOf = (id: string) => page.locator(id).boundingBox();
    const before = await Promise.all(['#space', '#events', '#entries'].map(placeOf));
    await rawRequest(small.port, `/s/films/${played}`);
    const event = page.locator('#events li', { hasText: `films/${gone}` });
    await event.getByText('Made room').waitFor();
    await page.locator('#space').getByText('12.0 MB', { exact: true }).waitFor();
    await page.locator('#headline').getByText('Nobody is watching').waitFor();
    const after = await Promise.all(['#space', '#events', '#entries'].map(placeOf));
    for (const [index, box] of after.entries()) expect([width, box?.y]).toEqual([width, before[index]?.y]);
    expect(complaints).toEqual([]);
    await close();
  }
});

browserTest('without JavaScript everything reads, and a form answers', async () => {
  const { page, close } = await open({ javaScriptEnabled: false });
  expect(await page.locator('#entries').textContent()).toContain('Some Film (2020)');
  await page.getByRole('button', { name: 'Turn on' }).click();
  expect(await page.locator('#notice').textContent()).toContain('in the background');
  await page.getByRole('button', { name: 'Turn off' }).click();
  const entry = page.locator('#entries .entry', { hasText: 'Some%20Film' });
  for (const [button, answer] of [
    [/^Pin:/, 'is never removed to make room'],
    [/^Unpin:/, 'is no longer pinned'],
    [/^Check with the origin:/, 'is at its origin as it is kept here'],
  ] as const) {
    await entry.getByRole('button', { name: button }).click();
    expect(await page.locator('#notice').textContent()).toContain(answer);
  }
  expect(await page.locator('#space').textContent()).toContain('Room for');
  expect(await page.locator('#events').textContent()).toContain('Background fill was changed from on to off');
  await close();
});

for (const width of [320, 768, 1280]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    browserTest(`at ${width} px, ${colorScheme}: nothing is cut off sideways`, async () => {
      const { page, complaints, close } = await open({ viewport: { width, height: 800 }, colorScheme });
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
      await close();
    });
  }
}

browserTest('the first load stays within 60 KB and 8 requests', async () => {
  const context = await browser.newContext();
  await larder.owner.signIn(context, larder.port);
  const page = await context.newPage();
  let requests = 0;
  page.on('request', (request) => {
    if (!request.url().includes('/live')) requests += 1;
  });
  await page.goto(`http://localhost:${larder.port}/`, { waitUntil: 'load' });
  const bytes = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).reduce(
      (sum, entry) => sum + entry.transferSize,
      0,
    ),
  );
  expect(requests).toBeLessThanOrEqual(8);
  expect(bytes).toBeLessThan(60_000);
  await context.close();
});

browserTest('a film plays in the browser, cold, with seeks', async () => {
  const { startSlowOrigin } = await import('../../src/cli/slow-origin.ts');
  const { sampleFilms } = await import('../../src/runtime/embedded.ts');
  const { systemClock } = await import('../../src/clock.ts');
  const slow = await startSlowOrigin({ files: sampleFilms, latencyMs: 20, bytesPerSecond: 5e6, clock: systemClock });
  await using player = await startLarder({ args: ['--source', `samples=${slow.url}`] });
  const context = await browser.newContext();
  const page = await context.newPage();
  // Chromium shows the film in a player of its own.
  await page.goto(`http://localhost:${player.port}/s/samples/${encodeURIComponent('Harbour Lights (2019).mp4')}`);
  const played = await page.evaluate(async () => {
    const video = document.querySelector('video')!;
    const event = (name: string) =>
      new Promise<void>((resolve, reject) => {
        video.addEventListener(name, () => resolve(), { once: true });
        video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
      });
    if (video.readyState === 0) await event('loadedmetadata');
    const positions: number[] = [];
    for (const share of [0.8, 0.2, 0.5]) {
      const sought = event('seeked');
      video.currentTime = video.duration * share;
      await sought;
      positions.push(Math.round((video.currentTime / video.duration) * 10));
    }
    return { positions, width: video.videoWidth };
  });
  expect(played.positions).toEqual([8, 2, 5]);
  expect(played.width).toBeGreaterThan(0);
  await context.close();
  slow.stop();
});
