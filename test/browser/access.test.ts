// Signing in, the first run, users and tokens, and a session that ends while a page is open, in a real browser.
//   SCREENSHOTS=/tmp/pictures node .ci/bun.mjs test test/browser/access.test.ts
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { signedIn } from '../support/owner.ts';
import { checkPage, runAxe, THEMES, WIDTHS } from './check-page.ts';

const SECOND_MS = 1_000;
const PASSWORD = 'four words that differ';
const environment = { LARDER_ADMIN_PASSWORD: PASSWORD };

let browser: Browser;

beforeAll(async () => {
  if (canLaunchBrowser()) browser = await launchBrowser();
}, 30 * SECOND_MS);

afterAll(async () => {
  if (canLaunchBrowser()) await browser.close();
});

const browserTest = (name: string, run: () => Promise<void>) =>
  test.skipIf(!canLaunchBrowser())(name, run, 60 * SECOND_MS);

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Messages of the console and failed scripts. */
  readonly complaints: string[];
}

async function open(larder: RunningLarder, path: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What a page answers with another status than 200 is said on the console, too.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`http://localhost:${larder.port}${path}`);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

async function signIn(page: Page, name = 'admin', password = PASSWORD): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

function setupCode(larder: RunningLarder): string {
  return readFileSync(join(larder.dataFolder, 'setup-code'), 'utf8').trim();
}

function pathOf(page: Page): string {
  const { pathname, search } = new URL(page.url());
  return pathname + search;
}

async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe('the first run', () => {
  browserTest('is gone through with the keyboard alone', async () => {
    await using larder = await startLarder({ isUnclaimed: true });
    await using opened = await open(larder, '/');
    const { page, complaints } = opened;
    expect(pathOf(page)).toBe('/setup');
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    const tabTo = async (id: string) => {
      for (let press = 0; press < 30 && (await focused()) !== id; press++) await page.keyboard.press('Tab');
      expect(await focused()).toBe(id);
    };
    await tabTo('code');
    await page.keyboard.type('aaaa bbbb cccc dddd');
    await tabTo('name');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Jane');
    await tabTo('password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('This is not the set-up code.').waitFor();
    expect(await runAxe(page)).toEqual([]);
    await keepPicture(page, 'setup-wrong');
    expect(await page.inputValue('#name')).toBe('Jane');
    await tabTo('code');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(setupCode(larder).toLowerCase());
    await tabTo('password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname !== '/setup');
    // Whatever steps there are can be passed by.
    for (let step = 0; pathOf(page).startsWith('/setup/') && step < 5; step++) {
      expect(await runAxe(page)).toEqual([]);
      await page.getByRole('button', { name: /Skip this step|Finish without this/ }).focus();
      const here = page.url();
      await page.keyboard.press('Enter');
      await page.waitForURL((url) => url.href !== here);
    }
    expect(pathOf(page)).toBe('/');
    expect((await page.goto(`http://localhost:${larder.port}/setup`))?.status()).toBe(404);
    expect(complaints).toEqual([]);
  });

  for (const theme of THEMES) {
    browserTest(`is well in ${theme}, on phone, tablet and desk`, async () => {
      await using larder = await startLarder({ isUnclaimed: true });
      for (const width of WIDTHS) {
        const url = `http://localhost:${larder.port}/setup`;
        const report = await checkPage(browser, { url, theme, width, live: false, name: `setup-${theme}-${width}` });
        expect([width, ...report.faults]).toEqual([width]);
      }
    });
  }

  browserTest('works without JavaScript', async () => {
    await using larder = await startLarder({ isUnclaimed: true });
    await using opened = await open(larder, '/', { javaScriptEnabled: false });
    const { page } = opened;
    expect(await page.locator('.reveal').isVisible()).toBe(false);
    await page.fill('#code', setupCode(larder));
    await page.fill('#password', PASSWORD);
    await page.getByRole('button', { name: 'Become the owner' }).click();
    await page.waitForURL((url) => url.pathname !== '/setup');
    await page.goto(`http://localhost:${larder.port}/account`);
    await page.getByText('You are signed in as admin').waitFor();
  });
});

describe('signing in', () => {
  browserTest('a wrong password says what to do, the right one leads to where one wanted to go', async () => {
    await using larder = await startLarder({ isUnclaimed: true, environment });
    await using opened = await open(larder, '/about');
    const { page, complaints } = opened;
    expect(pathOf(page)).toBe('/login?next=%2Fabout');
    await signIn(page, 'admin', 'wrong');
    await page.getByRole('alert').getByText('Name or password is wrong.').waitFor();
    expect(await runAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.getAttribute('#password', 'type')).toBe('text');
    await signIn(page);
    await page.waitForURL((url) => url.pathname === '/about');
    await page.goto(`http://localhost:${larder.port}/account`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL((url) => url.pathname === '/login');
    await page.goBack();
    await page.reload();
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(complaints).toEqual([]);
  });

  browserTest('below a path', async () => {
    await using larder = await startLarder({ isUnclaimed: true, environment, args: ['--base-path', '/a/b'] });
    await using opened = await open(larder, '/a/b/account');
    const { page, complaints } = opened;
    expect(pathOf(page)).toBe('/a/b/login?next=%2Faccount');
    await signIn(page);
    await page.waitForURL((url) => url.pathname === '/a/b/account');
    await page.getByRole('link', { name: 'Users' }).first().click();
    await page.waitForURL((url) => url.pathname === '/a/b/users');
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('[href^="/"], [src^="/"], [action^="/"], [hx-post^="/"]')]
        .map((element) => element.outerHTML.slice(0, 100))
        .filter((text) => !/="\/a\/b\//.test(text)),
    );
    expect(outside).toEqual([]);
    expect(complaints).toEqual([]);
  });

  browserTest('a session that ends while a page is open is said there, and what was typed stays', async () => {
    await using larder = await startLarder();
    const context = await browser.newContext();
    await larder.owner.signIn(context, larder.port);
    const page = await context.newPage();
    page.setDefaultTimeout(15 * SECOND_MS);
    await page.goto(`http://localhost:${larder.port}/`);
    await page.locator('#live-state', { hasText: 'Live' }).waitFor();
    const other = await context.newPage();
    await other.goto(`http://localhost:${larder.port}/users`);
    const joe = await signedIn(larder.dataFolder, 'viewer', 'joe');
    await other.reload();
    await other.getByLabel('New password: joe').click();
    await other.getByLabel('New password of joe').fill('typed already');
    await keepPicture(other, 'users-full');
    expect(joe.cookie.value).not.toBe('');
    // Ended from elsewhere.
    const elsewhere = await signedIn(larder.dataFolder);
    const { status } = await fetch(`http://localhost:${larder.port}/api/v1/sessions`, {
      method: 'DELETE',
      headers: elsewhere.headers,
    });
    expect(status).toBe(200);
    await page.locator('#live-state', { hasText: 'Signed out. Sign in again' }).waitFor();
    await other.getByRole('button', { name: 'Set it' }).click();
    await other.getByText('Your session has ended.').waitFor();
    expect(await other.getByLabel('New password of joe').inputValue()).toBe('typed already');
    // Signing in elsewhere in the same browser lets both go on.
    await elsewhere.signIn(context, larder.port);
    await page.locator('#live-state', { hasText: 'Live' }).waitFor();
    await other.getByRole('button', { name: 'Set it' }).click();
    await other.getByText('joe has a new password').waitFor();
    await context.close();
  });
});

describe('users and tokens', () => {
  browserTest('a user is added, becomes an owner, and is removed; the last owner stays', async () => {
    await using larder = await startLarder();
    const context = await browser.newContext();
    await larder.owner.signIn(context, larder.port);
    const page = await context.newPage();
    page.setDefaultTimeout(10 * SECOND_MS);
    await page.goto(`http://localhost:${larder.port}/users`);
    await page.getByText('The only owner can neither be removed').waitFor();
    await page.getByText('Add somebody…').click();
    await page.fill('#name', 'Owner');
    await page.fill('#password', PASSWORD);
    await page.getByRole('button', { name: 'Add them' }).click();
    await page.locator('#name-error', { hasText: 'There is a user named "Owner" already.' }).waitFor();
    expect(await runAxe(page)).toEqual([]);
    await page.fill('#name', 'Joe');
    await page.fill('#password', PASSWORD);
    await page.getByRole('button', { name: 'Add them' }).click();
    await page.getByText('Joe was added as viewer.').waitFor();
    await page.getByLabel('Make owner: Joe').click();
    await page.getByRole('button', { name: /^Make Joe an owner/ }).click();
    await page.getByText('Joe is an owner now').waitFor();
    expect(await page.getByText('The only owner can neither be removed').count()).toBe(0);
    await page.getByLabel('Remove: Joe').click();
    await page.getByRole('button', { name: /^Remove Joe: / }).click();
    await page.getByText('Joe was removed').waitFor();
    await page.getByText('The only owner can neither be removed').waitFor();
    await context.close();
  });

  browserTest('a token is shown once, plays, and is revoked', async () => {
    await using larder = await startLarder();
    const context = await browser.newContext();
    await larder.owner.signIn(context, larder.port);
    const page = await context.newPage();
    page.setDefaultTimeout(10 * SECOND_MS);
    await page.goto(`http://localhost:${larder.port}/users`);
    await page.getByText('Make a token…').click();
    await page.fill('#token-name', 'Backup script');
    await page.selectOption('#scope', 'admin');
    await page.selectOption('#days', '90');
    await page.getByRole('button', { name: 'Make it' }).click();
    const token = await page.locator('#notice-secret').inputValue();
    expect(token).toMatch(/^larder_/);
    expect(await runAxe(page)).toEqual([]);
    await keepPicture(page, 'users-token');
    const ask = () =>
      fetch(`http://localhost:${larder.port}/api/v1/status`, { headers: { Authorization: `Bearer ${token}` } });
    expect((await ask()).status).toBe(200);
    await page.reload();
    expect(await page.content()).not.toContain(token);
    await page.getByLabel(/^Revoke: token Backup script/).click();
    expect((await ask()).status).toBe(200);
    await page.getByRole('button', { name: /^Revoke it: token Backup script/ }).click();
    await page.getByText('Backup script was revoked.').waitFor();
    expect((await ask()).status).toBe(401);
    await page.goto(`http://localhost:${larder.port}/account`);
    await page.getByLabel('What is it for?').fill('Living room TV');
    await page.getByRole('button', { name: 'Make a token' }).click();
    expect(await page.locator('#notice-secret').inputValue()).toMatch(/^larder_/);
    await page.getByText('plays only').waitFor();
    await context.close();
  });

  browserTest('one changes one’s own password and preferences', async () => {
    await using larder = await startLarder({ isUnclaimed: true, environment });
    await using opened = await open(larder, '/account', { colorScheme: 'light' });
    const { page, complaints } = opened;
    await signIn(page);
    await page.getByLabel('Current password').fill('wrong');
    await page.getByLabel('New password').fill('another good one');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.locator('#current-error', { hasText: 'The current password is wrong.' }).waitFor();
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.locator('#next-error', { hasText: 'The password has 5 characters.' }).waitFor();
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByLabel('New password').fill('another good one');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('Your password was changed.').waitFor();
    await page.getByLabel('Dark, wherever I sign in').check();
    await page.getByLabel(/Single keys do something/).uncheck();
    await page.getByRole('button', { name: 'Save the preferences' }).click();
    await page.getByText('Your preferences were saved.').waitFor();
    const { theme, shortcuts } = await page.evaluate(() => ({ ...document.documentElement.dataset }));
    expect([theme, shortcuts]).toEqual(['dark', 'off']);
    expect(complaints).toEqual([]);
  });
});
