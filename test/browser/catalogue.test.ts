// Looking for new files, and looking into folders, in a real browser: by keyboard, and without JavaScript.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { checkPage, runAxe, THEMES, WIDTHS } from './check-page.ts';

const SECOND_MS = 1_000;
const testIf = canLaunchBrowser() ? test : test.skip;

let browser: Browser;
let origin: Server;
let larder: RunningLarder;
let context: BrowserContext;
/** Answers to the folder `series` wait until it is called. */
let release: (() => void) | null = null;
let isHeld = false;

const NAMES = [
  'series/',
  'Film (2019).mkv',
  'Night Train (2023).1080p.mp4',
  'A film whose name is so long that it has to be broken somewhere, or the page would scroll sideways_on_a_phone (2021).1080p.mkv',
  'It\'s <b>not<b> markup & "neither".mkv',
];

function list(response: ServerResponse, names: readonly string[]): void {
  const rows = names.map((name) => {
    const href = name.endsWith('/') ? `${encodeURIComponent(name.slice(0, -1))}/` : encodeURIComponent(name);
    return `<a href="${href}">x</a> 20-Nov-2026 17:45 ${name.endsWith('/') ? '-' : 1_234_567_890}`;
  });
  response
    .writeHead(200, { 'Content-Type': 'text/html' })
    .end(`<title>Index of /</title><pre><a href="../">../</a>\n${rows.join('\n')}</pre>`);
}

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  browser = await launchBrowser();
  origin = createServer((request, response) => {
    if (request.method !== 'GET') response.writeHead(405).end();
    else if (request.url === '/') list(response, NAMES);
    else if (request.url !== '/series/') response.writeHead(404).end();
    else if (isHeld) release = () => list(response, ['e1.mkv', 'e2.mkv']);
    else list(response, ['e1.mkv', 'e2.mkv']);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const { port } = origin.address() as AddressInfo;
  larder = await startLarder({ args: ['--source', `films=http://127.0.0.1:${port}/`] });
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
  origin.close();
  origin.closeAllConnections();
});

afterEach(async () => {
  await context?.close();
  isHeld = false;
});

async function open(path: string, javaScriptEnabled: boolean): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, javaScriptEnabled });
  await larder.owner.signIn(context, larder.port);
  const page = await context.newPage();
  page.setDefaultTimeout(10 * SECOND_MS);
  await page.goto(`http://localhost:${larder.port}${path}`);
  return page;
}

describe('the files of a source', () => {
  testIf(
    'are looked for by a button, with what was seen while that goes on',
    async () => {
      isHeld = true;
      const page = await open('/sources/films', true);
      const files = page.locator('#catalogue');
      await files.getByText('not gone through to the end yet').waitFor();
      await files.getByRole('button', { name: 'Look for new files now' }).focus();
      await page.keyboard.press('Enter');
      await files.getByText('are being gone through').waitFor();
      await files.getByText('4 files').waitFor();
      expect(await runAxe(page)).toEqual([]);
      await files.getByRole('button', { name: 'Stop looking' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText('What was found stays').waitFor();
      isHeld = false;
      release?.();
      await files.getByRole('button', { name: 'Look for new files now' }).click();
      await files.getByText('marked, with all that is kept of it').waitFor();
      expect(await files.locator('.facts').textContent()).toContain('Films and music found6');
      await page.goto(`http://localhost:${larder.port}/library?q=night+train`);
      await page.getByText('Night Train').first().waitFor();
    },
    60_000,
  );

  testIf(
    'are looked for without JavaScript',
    async () => {
      const page = await open('/sources/films', false);
      await page.getByRole('button', { name: 'Look for new files now' }).click();
      await page.getByText('The folders of films are gone through now').waitFor();
      expect(new URL(page.url()).pathname).toBe('/sources/films');
    },
    60_000,
  );
});

describe('a folder', () => {
  testIf(
    'is walked through by keyboard',
    async () => {
      const page = await open('/s/films/', false);
      await page.getByRole('heading', { level: 1, name: 'films' }).waitFor();
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('series/');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'series' }).waitFor();
      expect(await page.locator('tbody tr').count()).toBe(2);
      await page.getByRole('link', { name: 'One folder up' }).click();
      await page.getByText('It\'s <b>not<b> markup & "neither".mkv').waitFor();
    },
    60_000,
  );

  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      testIf(
        `is well on ${width} pixels in ${theme}`,
        async () => {
          const url = `http://localhost:${larder.port}/s/films/`;
          const { faults } = await checkPage(browser, {
            url,
            theme,
            width,
            live: false,
            name: `folder-${theme}-${width}`,
          });
          expect(faults).toEqual([]);
        },
        60_000,
      );
    }
  }
});
