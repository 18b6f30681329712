// Sources in a real browser: added, tested, changed and removed, by keyboard, and without JavaScript.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { rawRequest } from '../http/raw-client.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { runAxe } from './check-page.ts';

const SECOND_MS = 1_000;
const SECRET = 'correct horse';
const FILE_BYTES = 3_000_000;

let origin: TestOrigin;
/** The same files for whoever knows the password. */
let locked: Server;
let larder: RunningLarder;
let browser: Browser;
let context: BrowserContext;
let page: Page;

const testIf = canLaunchBrowser() ? test : test.skip;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  browser = await launchBrowser();
  origin = await startOrigin({ files: { 'Some Film.mkv': { sizeBytes: FILE_BYTES } } });
  locked = createHttpServer((request, response) => {
    if (request.headers.authorization !== `Basic ${btoa(`me:${SECRET}`)}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end();
      return;
    }
    response.writeHead(request.url === '/' ? 403 : 200, { 'Content-Length': '5' }).end('12345');
  });
  await new Promise<void>((resolve) => locked.listen(0, '127.0.0.1', resolve));
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  locked.close();
  await origin.stop();
});

async function open(path: string, javaScriptEnabled = true): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, javaScriptEnabled });
  await larder.owner.signIn(context, larder.port);
  page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  await page.goto(`http://localhost:${larder.port}${path}`);
}

beforeEach(async () => {
  if (canLaunchBrowser()) larder = await startLarder();
});

afterEach(async () => {
  if (!canLaunchBrowser()) return;
  await context?.close();
  await larder[Symbol.asyncDispose]();
});

const lockedUrl = () => `http://127.0.0.1:${(locked.address() as AddressInfo).port}/`;

async function says(words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor();
}

async function add(name: string, url: string): Promise<void> {
  await page.fill('#name', name);
  await page.fill('#url', url);
  await page.getByRole('button', { name: 'Add the source' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

describe('sources', () => {
  testIf(
    'the empty page leads to a form whose test says why it fails; saved all the same, corrected, and played',
    async () => {
      await open('/sources');
      await page.getByRole('link', { name: 'Add the first source' }).click();
      // By keyboard alone.
      await page.locator('#name').focus();
      await page.keyboard.type('films');
      await page.keyboard.press('Tab');
      await page.keyboard.type('http://127.0.0.1:9/');
      const button = page.getByRole('button', { name: 'Test it as it stands here' });
      for (
        let press = 0;
        press < 12 && !(await button.evaluate((element) => element === document.activeElement));
        press++
      ) {
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await says('Nothing listens at 127.0.0.1, port 9.');
      await says('It can be saved all the same.');
      expect(await page.inputValue('#name')).toBe('films');
      expect(await page.locator('.test-steps li').count()).toBe(8);
      expect(await runAxe(page)).toEqual([]);
      // Enter in a field saves; it does not test.
      await page.locator('#url').press('Enter');
      await says('films was added.');
      await says('Failing');
      await page.fill('#url', origin.url);
      await page.fill('#file', 'Some Film.mkv');
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await says('It works.');
      await page.getByRole('button', { name: 'Save' }).click();
      await says('films was changed.');
      await says('with Some Film.mkv.');
      await page.getByText('Every step of it').click();
      await says('The file has 3.0 MB.');
      expect(await runAxe(page)).toEqual([]);
      const played = await rawRequest(larder.port, '/s/films/Some%20Film.mkv');
      origin.assertBody('Some Film.mkv', played.body);
    },
    60 * SECOND_MS,
  );

  testIf(
    'steps are shown as they come, and the page goes on living meanwhile',
    async () => {
      await open('/sources/new');
      await add('films', origin.url);
      await page.locator('#live-state', { hasText: 'Live' }).waitFor();
      origin.behave('Some Film.mkv', { stallBeforeHead: true, times: 1 });
      await page.fill('#file', 'Some Film.mkv');
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await page.locator('#test .test-steps li', { hasText: 'Connection' }).getByText('Works').waitFor();
      await page.locator('#test .test-steps li', { hasText: 'Sign-in' }).getByText('Trying').waitFor();
      origin.release('Some Film.mkv');
      await says('It works.');
      // The stream of the test has ended, the page's own has not; it tells what was kept of the test.
      await page.locator('#last-test', { hasText: 'with Some Film.mkv.' }).waitFor();
      expect(await page.locator('#live-state').textContent()).toBe('Live');
    },
    60 * SECOND_MS,
  );

  testIf(
    'a password is asked for, taken, kept and never shown again',
    async () => {
      await open('/sources/new');
      await page.fill('#name', 'locked');
      await page.fill('#url', lockedUrl());
      await page.fill('#file', 'a.mkv');
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await says('It wants to know who asks (401).');
      expect(await page.locator('#password').isVisible()).toBe(false);
      await page.getByLabel('User name and password').check();
      await page.fill('#username', 'me');
      await page.fill('#password', SECRET);
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await says('It lets us in with the user name and password');
      await page.getByRole('button', { name: 'Add the source' }).click();
      await says('locked was added.');
      await page.reload();
      expect(await page.getByLabel('As it is: user name and password').isChecked()).toBe(true);
      expect(await page.content()).not.toContain(SECRET);
      expect((await rawRequest(larder.port, '/s/locked/a.mkv')).status).toBe(200);
      // Elsewhere they are not sent.
      await page.fill('#url', 'http://127.0.0.1:9/');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.locator('.notice.failed', { hasText: 'the credentials were given for the old one' }).waitFor();
      expect(await runAxe(page)).toEqual([]);
    },
    60 * SECOND_MS,
  );

  testIf(
    'wrong input is said below its field, and what was typed stays',
    async () => {
      await open('/sources/new');
      await page.fill('#name', 'a b');
      await page.fill('#url', 'ftp://host/');
      await page.getByLabel('Headers').first().check();
      await page.fill('#credentialHeaders', 'Host: evil');
      await page.getByRole('button', { name: 'Add the source' }).click();
      await says('3 things are to be put right.');
      expect(await page.locator('#name-error').textContent()).toContain('cannot stand in an address');
      expect(await page.locator('#url-error').textContent()).toContain('not http or https');
      expect(await page.locator('#credentialHeaders-error').textContent()).toContain('own to send');
      expect(await page.inputValue('#url')).toBe('ftp://host/');
      expect(await runAxe(page)).toEqual([]);
    },
    60 * SECOND_MS,
  );

  testIf(
    'removing says what would be lost, wants the name typed, and takes the bytes with it',
    async () => {
      await open('/sources/new');
      await add('films', origin.url);
      await rawRequest(larder.port, '/s/films/Some%20Film.mkv');
      await page.locator('#removal-loss', { hasText: '1 entry with 3.00 MB would be lost' }).waitFor();
      await page.getByText('Remove films …').click();
      await page.fill('#confirmation', 'film');
      await page.getByRole('button', { name: 'Remove films and delete 3.00 MB' }).click();
      await says('Nothing was removed: that is not films.');
      // What was wrong is still said when the page has heard from its stream.
      await page.locator('#live-state', { hasText: 'Live' }).waitFor();
      await says('Nothing was removed: that is not films.');
      await page.fill('#confirmation', 'films');
      await page.getByRole('button', { name: 'Remove films and delete 3.00 MB' }).click();
      await says('films was removed.');
      await says('No sources yet');
      expect((await rawRequest(larder.port, '/s/films/Some%20Film.mkv')).status).toBe(404);
    },
    60 * SECOND_MS,
  );

  testIf(
    'an origin that goes down and comes back is told while the page is open; a lost connection is, too',
    async () => {
      await open('/sources/new');
      await add('films', origin.url);
      await page.goto(`http://localhost:${larder.port}/sources`);
      await page.locator('#live-state', { hasText: 'Live' }).waitFor();
      await origin.goDown();
      await rawRequest(larder.port, '/s/films/Some%20Film.mkv');
      await page.locator('#source-films', { hasText: 'Does not answer since' }).waitFor();
      await origin.comeBack();
      await rawRequest(larder.port, '/s/films/Some%20Film.mkv');
      await page.locator('#source-films', { hasText: 'Well' }).waitFor();
      // Larder itself stops, and comes back at the same address.
      const { port } = larder;
      await larder.stop();
      await page.locator('#live-state', { hasText: 'Connection lost' }).waitFor();
      await larder.restart(['--port', String(port)]);
      await page.locator('#live-state', { hasText: 'Live' }).waitFor();
      expect(await page.locator('#source-films').textContent()).toContain('Well');
    },
    90 * SECOND_MS,
  );

  testIf(
    'without JavaScript: the same form, the same test, the same answers',
    async () => {
      await open('/sources/new', false);
      await page.fill('#name', 'films');
      await page.fill('#url', origin.url);
      await page.fill('#file', 'Some Film.mkv');
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await says('It works.');
      expect(await page.inputValue('#name')).toBe('films');
      await page.getByRole('button', { name: 'Add the source' }).click();
      await says('films was added.');
      await page.fill('#file', 'nothing.mkv');
      await page.getByRole('button', { name: 'Test it as it stands here' }).click();
      await says('There is no "nothing.mkv" below the address (404).');
      await page.getByText('Remove films …').click();
      await page.fill('#confirmation', 'films');
      await page.getByRole('button', { name: 'Remove films' }).click();
      await says('films was removed.');
    },
    60 * SECOND_MS,
  );

  for (const javaScriptEnabled of [true, false]) {
    testIf(
      `the first run asks for the first source, ${javaScriptEnabled ? 'tests it step by step' : 'without JavaScript, too'}, and goes on`,
      async () => {
        await using fresh = await startLarder({ isUnclaimed: true });
        context = await browser.newContext({ viewport: { width: 320, height: 800 }, javaScriptEnabled });
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
        await page.fill('#name', 'films');
        await page.fill('#url', origin.url);
        await page.fill('#file', 'Some Film.mkv');
        await page.getByRole('button', { name: 'Test it as it stands here' }).click();
        await says('It works.');
        if (javaScriptEnabled) {
          expect(await runAxe(page)).toEqual([]);
          const isWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
          expect(await page.evaluate(isWide)).toBe(false);
        }
        await page.fill('#name', 'new');
        await page.getByRole('button', { name: 'Add it and go on' }).click();
        await page.locator('#name-error', { hasText: 'is used by Larder itself' }).waitFor();
        await page.fill('#name', 'films');
        await page.getByRole('button', { name: 'Add it and go on' }).click();
        await page.waitForURL((url) => url.pathname !== '/setup/source');
        const played = await rawRequest(fresh.port, '/s/films/Some%20Film.mkv');
        origin.assertBody('Some Film.mkv', played.body);
      },
      60 * SECOND_MS,
    );
  }

  testIf('the first run does not ask for what is declared outside', async () => {
    await using fresh = await startLarder({ args: ['--source', `films=${origin.url}`] });
    const { headers } = fresh.owner;
    expect((await fetch(`http://localhost:${fresh.port}/setup/source`, { headers })).status).toBe(404);
  });

  testIf('user and password that are typed into an address are taken out of it, and not sent back', async () => {
    await open('/sources/new', false);
    await page.fill('#name', 'a b');
    await page.fill('#url', `http://me:${SECRET.replace(' ', '%20')}@host/`);
    await page.getByRole('button', { name: 'Add the source' }).click();
    await says('one thing is to be put right.');
    expect(await page.inputValue('#url')).toBe('http://host/');
    expect(await page.content()).not.toContain('horse');
  });
});
