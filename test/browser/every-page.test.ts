// Each page × light and dark × 320, 768 and 1280 px, with something to show and something under way. The list of pages
// is in page-list.ts, what is looked at in check-page.ts.
//   SCREENSHOTS=/tmp/pictures node .ci/bun.mjs test test/browser/every-page.test.ts [-t '/settings']
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { rawRequest } from '../http/raw-client.ts';
import { type RunningLarder, startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { routeRecords } from '../support/route-records.ts';
import { checkPage, THEMES, WIDTHS } from './check-page.ts';
import { noPages, type PageUnderTest, pageList } from './page-list.ts';

const SECOND_MS = 1_000;
const SIZE = 6_000_000;

let origin: TestOrigin;
let larder: RunningLarder;
let browser: Browser;

beforeAll(async () => {
  if (!canLaunchBrowser()) return;
  origin = await startOrigin({
    files: {
      'Some Film (2020).mkv': { sizeBytes: SIZE },
      'A Very Long Title That Does Not Fit On A Phone And Goes On And On (2021).mp4': { sizeBytes: SIZE },
      'Played.mp4': { sizeBytes: 100 * SIZE },
    },
  });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const path of [
    'Some%20Film%20(2020).mkv',
    'A%20Very%20Long%20Title%20That%20Does%20Not%20Fit%20On%20A%20Phone%20And%20Goes%20On%20And%20On%20(2021).mp4',
  ]) {
    await rawRequest(larder.port, `/s/films/${path}`, { Range: 'bytes=2000000-3999999' });
  }
  browser = await launchBrowser();
}, 60 * SECOND_MS);

afterAll(async () => {
  if (!canLaunchBrowser()) return;
  await browser.close();
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

/** The one place that signs in. */
async function prepare(context: BrowserContext, { asNobody }: PageUnderTest): Promise<void> {
  if (!asNobody) await larder.owner.signIn(context, larder.port);
}

function nameOf({ route, look }: PageUnderTest, theme: string, width: number): string {
  const words = route.replaceAll(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '');
  return [words === '' ? 'dashboard' : words, look, theme, width].filter((part) => part !== undefined).join('-');
}

describe('every page', () => {
  for (const page of pageList) {
    test(
      `${page.route}${page.look === undefined ? '' : ` (${page.look})`} is well in light and dark, on phone, tablet and desk`,
      async () => {
        if (!canLaunchBrowser()) return;
        const path = page.path === undefined ? page.route : await page.path(larder);
        const faults: string[] = [];
        for (const theme of THEMES) {
          for (const width of WIDTHS) {
            const name = nameOf(page, theme, width);
            const report = await checkPage(browser, {
              url: `http://localhost:${larder.port}${path}`,
              theme,
              width,
              live: page.live ?? false,
              name,
              prepare: (context) => prepare(context, page),
              stir: () =>
                rawRequest(larder.port, '/s/films/Played.mp4', {
                  Range: `bytes=${width * 1000}-${width * 1000 + 99_999}`,
                }),
            });
            faults.push(...report.faults.map((fault) => `${name}: ${fault}`));
          }
        }
        expect(faults).toEqual([]);
      },
      60 * SECOND_MS,
    );
  }

  test('every page that is registered is looked at, or said to be none', () => {
    const known = new Set([...pageList.map(({ route }) => route), ...Object.keys(noPages)]);
    const pages = routeRecords().filter(({ method, path }) => method === 'GET' && !path.startsWith('/api/'));
    expect(pages.map(({ path }) => path).filter((path) => !known.has(path))).toEqual([]);
  });
});
