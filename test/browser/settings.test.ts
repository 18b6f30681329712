// Settings, help and connect in a real Chromium: by keyboard, with mistakes, without JavaScript.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';

const SECOND_MS = 1_000;

let larder: RunningLarder;
let browser: Browser;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  larder = await startLarder({ args: ['--source', 'films=http://127.0.0.1:9/'] });
  browser = await launchBrowser();
}, 30 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  await larder.owner.signIn(context, larder.port);
  const page = await context.newPage();
  await page.goto(`http://localhost:${larder.port}${path}`);
  return page;
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  const hasFocus = () => target.evaluate((element) => element === document.activeElement);
  for (let press = 0; press < 80 && !(await hasFocus()); press++) await page.keyboard.press('Tab');
  expect(await hasFocus()).toBe(true);
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

browserTest('a setting is changed and set back by keyboard alone', async () => {
  const page = await open('/settings');
  await tabTo(page, page.getByLabel('Read-ahead', { exact: true }));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('32MiB');
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('Read-ahead is 32MiB.').waitFor();
  expect(await page.getByLabel('Read-ahead', { exact: true }).inputValue()).toBe('32MiB');
  await tabTo(page, page.getByRole('button', { name: 'Back to the default: Read-ahead' }));
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('Read-ahead is 64MiB.').waitFor();
  await page.context().close();
});

browserTest('a mistake keeps what was typed, is named above and below, and leads to its field', async () => {
  const page = await open('/settings');
  await page.getByLabel('Read-ahead', { exact: true }).fill('plenty');
  await page.getByLabel('Connections per source', { exact: true }).fill('5');
  await page.getByRole('button', { name: 'Save playing and fetching' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText('one thing is to be put right').waitFor();
  await alert.getByRole('link', { name: 'Read-ahead' }).click();
  const field = page.getByLabel('Read-ahead', { exact: true });
  expect(
    await field.evaluate((element) => element === document.activeElement || location.hash === `#${element.id}`),
  ).toBe(true);
  expect([await field.inputValue(), await field.getAttribute('aria-invalid')]).toEqual(['plenty', 'true']);
  expect(await page.getByLabel('Connections per source', { exact: true }).inputValue()).toBe('5');
  await field.fill('16MiB');
  await page.getByRole('button', { name: 'Save playing and fetching' }).click();
  await page.locator('#notice').getByText('2 settings were changed.').waitFor();
  await page.context().close();
});

browserTest('settings are saved and set back without JavaScript', async () => {
  const page = await open('/settings', { javaScriptEnabled: false });
  await page.getByLabel('Background fill', { exact: true }).check();
  await page.getByRole('button', { name: 'Save playing and fetching' }).click();
  expect(await page.locator('#notice').textContent()).toContain('Background fill is on.');
  expect(await page.getByLabel('Background fill', { exact: true }).isChecked()).toBe(true);
  await page.getByLabel('Background fill', { exact: true }).uncheck();
  await page.getByRole('button', { name: 'Save playing and fetching' }).click();
  expect(await page.getByLabel('Background fill', { exact: true }).isChecked()).toBe(false);
  await page.context().close();
});

browserTest('single keys lead around, not while typing, and can be turned off', async () => {
  const page = await open('/about');
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Help', exact: true }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
  await page.getByLabel('Read-ahead', { exact: true }).focus();
  await page.keyboard.type('gd?');
  expect(new URL(page.url()).pathname).toBe('/settings');

  await page.goto(`http://localhost:${larder.port}/help`);
  const toggle = page.getByRole('button', { name: 'Single keys on this browser' });
  await toggle.click();
  expect(await toggle.getAttribute('aria-pressed')).toBe('false');
  await toggle.blur();
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.reload();
  expect([new URL(page.url()).pathname, await toggle.getAttribute('aria-pressed')]).toEqual(['/help', 'false']);
  await page.context().close();
});

browserTest('an address is copied, or selected where the browser lets nobody copy', async () => {
  const page = await open('/connect');
  const button = page.getByRole('button', { name: /^Copy: http/ }).first();
  await button.click();
  await page.waitForFunction(() => /Copied|Selected/.test(document.querySelector('[data-copy]')?.textContent ?? ''));
  const isSelected = await page.evaluate(() => {
    const field = document.activeElement as HTMLInputElement;
    return field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0);
  });
  expect(isSelected).toMatch(/^http:\/\//);
  await page.context().close();
});

browserTest('"Check again" tells on the same page', async () => {
  const page = await open('/doctor');
  await tabTo(page, page.getByRole('button', { name: 'Check again' }));
  await page.keyboard.press('Enter');
  await page.locator('#notice').getByText('Everything was checked').waitFor();
  expect(new URL(page.url()).search).toBe('');
  await page.context().close();
});
