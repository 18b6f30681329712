// Dashboard, activity, storage and events in a real Chromium: live, by keyboard, without JavaScript, and when the
// connection is lost and comes back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { RawConnection, rawRequest } from '../http/raw-client.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { runAxe } from './check-page.ts';

const SECOND_MS = 1_000;
const SIZE = 12_000_000;
const VLC = 'VLC/3.0.20 LibVLC/3.0.20';

let origin: TestOrigin;
let larder: RunningLarder;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

const testIf = canLaunchBrowser() ? test : test.skip;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  browser = await launchBrowser();
  origin = await startOrigin({
    files: { 'First.mkv': { sizeBytes: SIZE }, 'Second.mkv': { sizeBytes: SIZE }, 'Played.mp4': { sizeBytes: SIZE } },
  });
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await origin.stop();
});

beforeEach(async () => {
  if (canLaunchBrowser()) larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterEach(async () => {
  if (!canLaunchBrowser()) return;
  await context?.close();
  await larder[Symbol.asyncDispose]();
});

/** Opens a page that complains into `complaints`. */
async function open(path: string, options: BrowserContextOptions = {}, port = larder.port): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await larder.owner.signIn(context, port);
  page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`http://localhost:${port}${path}`);
}

async function live(): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
}

async function tabTo(button: Locator): Promise<void> {
  const hasFocus = () => button.evaluate((element) => element === document.activeElement);
  for (let press = 0; press < 80 && !(await hasFocus()); press++) await page.keyboard.press('Tab');
  expect(await hasFocus()).toBe(true);
}

async function holdReader(path: string, bytes = 3_000_000): Promise<RawConnection> {
  origin.behave(path, { stallAfterBytes: bytes });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', `/s/films/${path}`, { 'User-Agent': VLC });
  await connection.readHead();
  await connection.readBytes(bytes);
  return connection;
}

testIf(
  'the dashboard is live: a reader comes, waits and goes without the page being loaded again or shifted',
  async () => {
    await open('/');
    await live();
    await page.evaluate(() => {
      (window as unknown as { mark: number }).mark = 1;
    });
    const places = () =>
      Promise.all(
        ['#answers', '#readers', '#traffic', '#space', '#sources'].map((id) => page.locator(id).boundingBox()),
      );
    const before = await places();
    const connection = await holdReader('Played.mp4');
    await page.locator('#readers').getByText('VLC 3.0.20').waitFor();
    await page.locator('#answers').getByText('1 reader').waitFor();
    await page.locator('#readers').getByText('waits for bytes from films').waitFor();
    await page.locator('#headline').getByText('1 reader.').waitFor();
    connection[Symbol.dispose]();
    await page.locator('#readers').getByText('Nobody is playing').waitFor();
    expect((await places()).map((box) => box?.y)).toEqual(before.map((box) => box?.y));
    expect(await page.evaluate(() => (window as unknown as { mark?: number }).mark)).toBe(1);
    expect(complaints).toEqual([]);
  },
  30 * SECOND_MS,
);

testIf(
  'every answer at the top leads to what is behind it',
  async () => {
    await open('/');
    for (const [name, path] of [
      ['Playing', '/activity'],
      ['Room', '/storage'],
      ['Kept', '/library'],
    ] as const) {
      await page.goto(`http://localhost:${larder.port}/`);
      await page
        .locator('#answers')
        .getByRole('link', { name: new RegExp(`^${name}`) })
        .click();
      await page.waitForURL(`**${path}`);
    }
    expect(complaints).toEqual([]);
  },
  30 * SECOND_MS,
);

testIf(
  'a reader is stopped by keyboard alone, which is told, and stands among the ended then',
  async () => {
    using connection = await holdReader('Played.mp4');
    await open('/activity');
    await live();
    expect(await runAxe(page)).toEqual([]);
    await tabTo(page.getByRole('button', { name: /^Stop Played/ }));
    await page.keyboard.press('Enter');
    await page.locator('#notice').getByText('Played was stopped at 127.0.0.1.').waitFor();
    await page.locator('#ended').getByText('Stopped here').waitFor();
    await page.locator('#readers').getByText('Nobody is playing anything').waitFor();
    expect((await connection.readBytes(1)).length).toBe(0);
    expect(complaints).toEqual([]);
  },
  30 * SECOND_MS,
);

testIf(
  'the effect of another size is shown while it is typed, and saving it removes what was said',
  async () => {
    for (const name of ['First.mkv', 'Second.mkv']) await rawRequest(larder.port, `/s/films/${name}`);
    await open('/storage');
    await live();
    const effect = page.locator('#effect-body');
    await effect.getByText('Change a value').waitFor();
    await page.getByLabel('Cache size').fill('15MB');
    await effect.getByText('12.0 MB would go at once.').waitFor();
    await effect.getByText('First', { exact: true }).waitFor();
    expect(await page.getByLabel('Cache size').evaluate((element) => element === document.activeElement)).toBe(true);
    // A live update comes meanwhile, and takes nothing of it away.
    await rawRequest(larder.port, '/s/films/Second.mkv', { Range: 'bytes=0-9' });
    await page.getByLabel('Cache size').fill('lots');
    await effect.getByText('is neither a size nor a share of the disk').waitFor();
    await page.getByLabel('Cache size').fill('15MB');
    await page.getByRole('button', { name: 'Save and remove 12.0 MB (1 entry)' }).click();
    await page.locator('#notice').getByText('The cache may take 15.0 MB').waitFor();
    await page.locator('#disk').getByText('Room for 3.00 MB more of the 15.0 MB').waitFor();
    expect(await page.getByLabel('Cache size').inputValue()).toBe('15MB');
    expect(await page.locator('#next').textContent()).not.toContain('First');
    expect(complaints).toEqual([]);
  },
  40 * SECOND_MS,
);

testIf(
  'without JavaScript the effect has a button and an address of its own, and can be saved',
  async () => {
    await rawRequest(larder.port, '/s/films/First.mkv');
    await open('/storage', { javaScriptEnabled: false });
    await page.getByLabel('Cache size').fill('5MB');
    await page.getByRole('button', { name: 'Show what it would do' }).click();
    expect(new URL(page.url()).searchParams.get('cacheSize')).toBe('5MB');
    await page.getByRole('button', { name: /^Save and remove 12\.0 MB/ }).click();
    expect(await page.locator('#notice').textContent()).toContain('The cache may take 5.00 MB');
    expect(await page.locator('#next').textContent()).toContain('Nothing can go');
  },
  30 * SECOND_MS,
);

testIf(
  'events are filtered in the address, and new ones come by themselves until the page is paused',
  async () => {
    const change = (cacheSize: string) =>
      fetch(`http://localhost:${larder.port}/api/v1/storage`, {
        method: 'PATCH',
        headers: { ...larder.owner.headers, 'Content-Type': 'application/json' },
        body: JSON.stringify({ cacheSize }),
      });
    await change('30MB');
    await open('/events');
    await live();
    const list = page.locator('#list');
    await list.getByText('from auto to 30MB').waitFor();
    await change('40MB');
    await list.getByText('from 30MB to 40MB').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await change('50MB');
    await rawRequest(larder.port, '/s/films/First.mkv');
    expect(await list.textContent()).not.toContain('from 40MB to 50MB');
    await page.getByRole('button', { name: 'Pause' }).click();
    await list.getByText('from 40MB to 50MB').waitFor();

    await page.getByLabel('Words').fill('to 40mb');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.waitForURL(/q=to\+40mb/);
    await list.getByText('from 30MB to 40MB').waitFor();
    expect(await list.textContent()).not.toContain('from auto to 30MB');
    await page.getByRole('link', { name: 'Clear the filter' }).click();
    await list.getByText('from auto to 30MB').waitFor();
    await page.getByRole('link', { name: 'cache-size' }).first().click();
    await page.waitForURL(/subject=cache-size/);
    expect(complaints).toEqual([]);
  },
  40 * SECOND_MS,
);

/** A line to Larder that can be cut and mended. */
async function startLine(): Promise<{ port: number; cut: () => void; mend: () => void; close: () => void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server: Server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(larder.port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => {
      isCut = false;
    },
    close: () => {
      cut();
      server.close();
    },
  };
}

testIf(
  'a lost connection is said with the time of the last word, and its return brings the whole state',
  async () => {
    const line = await startLine();
    await open('/', {}, line.port);
    await live();
    line.cut();
    await page.getByText(/^Connection lost, last seen \d/).waitFor();
    expect(await page.locator('body.stale').count()).toBe(1);
    // Something happens that the page does not hear of.
    using connection = await holdReader('Played.mp4');
    expect(await page.locator('#readers').textContent()).toContain('Nobody is playing');
    line.mend();
    await page
      .locator('#readers')
      .getByText('VLC 3.0.20')
      .waitFor({ timeout: 30 * SECOND_MS });
    await live();
    expect(await page.locator('body.stale').count()).toBe(0);
    await context.close();
    connection[Symbol.dispose]();
    line.close();
  },
  60 * SECOND_MS,
);

testIf(
  'what goes to make room is told on the open page, with the space, and moves nothing',
  async () => {
    await larder.restart(['--source', `films=${origin.url}`, '--cache-size', '20MB']);
    await rawRequest(larder.port, '/s/films/First.mkv');
    for (const width of [320, 1280]) {
      await context?.close();
      await open('/', { viewport: { width, height: 800 } });
      await live();
      const [played, gone] = width === 320 ? ['Second.mkv', 'First.mkv'] : ['First.mkv', 'Second.mkv'];
      const placesOf = () => Promise.all(['#space', '#events', '#sources'].map((id) => page.locator(id).boundingBox()));
      const before = await placesOf();
      origin.behave(played!, {});
      await rawRequest(larder.port, `/s/films/${played}`);
      await page
        .locator('#events li', { hasText: `films/${gone}` })
        .getByText('Made room')
        .waitFor();
      await page.locator('#space').getByText('12.0 MB of 20.0 MB kept').waitFor();
      const after = await placesOf();
      expect([width, ...after.map((box) => box?.y)]).toEqual([width, ...before.map((box) => box?.y)]);
      expect(complaints).toEqual([]);
    }
  },
  60 * SECOND_MS,
);

testIf(
  'the chart changes its span without losing the page, also by keyboard',
  async () => {
    await rawRequest(larder.port, '/s/films/First.mkv');
    await open('/');
    await tabTo(page.getByRole('link', { name: 'Week', exact: true }));
    await page.keyboard.press('Enter');
    await page.waitForURL(/range=week/);
    await page.locator('.traffic-words').getByText('in the last 7 days').waitFor();
    await page.locator('#traffic summary').click();
    expect(await page.locator('#traffic tbody tr').count()).toBeGreaterThan(8);
    expect(complaints).toEqual([]);
  },
  30 * SECOND_MS,
);

testIf(
  'the first run asks how much may be kept, says what is wrong with it, and goes on',
  async () => {
    await using fresh = await startLarder({ isUnclaimed: true });
    context = await browser.newContext({ viewport: { width: 320, height: 800 } });
    page = await context.newPage();
    page.setDefaultTimeout(10 * SECOND_MS);
    await page.goto(`http://localhost:${fresh.port}/setup`);
    await page.getByLabel('Set-up code').fill(readFileSync(join(fresh.dataFolder, 'setup-code'), 'utf8').trim());
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Become the owner' }).click();
    await page.getByRole('heading', { name: 'How much may be kept' }).waitFor();
    await page.getByText('Larder proposes to use up to').waitFor();
    expect(await runAxe(page)).toEqual([]);
    await page.getByLabel('Cache size').fill('lots');
    await page.getByRole('button', { name: 'Use this much' }).click();
    await page.locator('#cacheSize-error').getByText('is neither a size nor a share of the disk').waitFor();
    expect(await runAxe(page)).toEqual([]);
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
    await page.getByLabel('Cache size').fill('50%');
    await page.getByRole('button', { name: 'Use this much' }).click();
    await page.waitForURL((url) => url.pathname !== '/setup/storage');
  },
  30 * SECOND_MS,
);

testIf(
  'times are told in the zone of the visitor as soon as the browser has said it, also in live updates',
  async () => {
    await rawRequest(larder.port, '/s/films/First.mkv', { Range: 'bytes=0-99' });
    await open('/doctor', { timezoneId: 'Asia/Kolkata' });
    await page.goto(`http://localhost:${larder.port}/`);
    await page.getByText('Live', { exact: true }).waitFor();
    const title = await page.locator('#sources time').first().getAttribute('title');
    const moment = await page.locator('#sources time').first().getAttribute('datetime');
    const there = new Date(Date.parse(moment ?? '') + 5.5 * 3_600 * SECOND_MS).toISOString();
    expect(title).toBe(there.slice(0, 19).replace('T', ' '));
    expect(complaints).toEqual([]);
  },
  30 * SECOND_MS,
);
