// From the claim to the first film: what a new owner goes through, in a real Chromium.
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSlowOrigin } from '../../src/cli/slow-origin.ts';
import { systemClock } from '../../src/clock.ts';
import { sampleFilms } from '../../src/runtime/embedded.ts';
import { startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';
import { checkPage, runAxe } from './check-page.ts';

const SECOND_MS = 1_000;

test(
  'a new owner claims Larder and plays a film, in well under a minute',
  async () => {
    if (!canLaunchBrowser()) return;
    const origin = await startSlowOrigin({
      files: sampleFilms,
      latencyMs: 20,
      bytesPerSecond: 5e6,
      clock: systemClock,
    });
    await using larder = await startLarder({ args: ['--source', `samples=${origin.url}`], isUnclaimed: true });
    const browser = await launchBrowser();
    const startedAtMs = systemClock.monotonicMs();
    const context = await browser.newContext({ viewport: { width: 320, height: 900 } });
    const page = await context.newPage();
    await page.goto(`http://localhost:${larder.port}/`);
    await page.getByLabel(/code/i).fill(readFileSync(join(larder.dataFolder, 'setup-code'), 'utf8').trim());
    await page.getByLabel(/name/i).first().fill('jane');
    await page
      .getByLabel(/password/i)
      .first()
      .fill('a long enough password');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/setup\/\w+/);
    // Steps of other parts come before; this is about the last one.
    while (!page.url().includes('/setup/play')) await page.getByRole('button', { name: 'Skip this step' }).click();
    await page.getByRole('heading', { name: 'Play something' }).waitFor();
    await page.getByLabel('File').fill('No Such Film.mp4');
    await page.keyboard.press('Enter');
    await page.getByText('samples has no file of this name').waitFor();
    expect(await page.locator('video').count()).toBe(0);
    // What was found there is a click away, and plays without another.
    await page.getByRole('link', { name: 'Harbour Lights (2019).mp4' }).click();
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0);
    expect(await page.getByRole('button', { name: /Finish/ }).count()).toBe(1);
    const width = await page.locator('video').evaluate(async (element) => {
      const video = element as HTMLVideoElement;
      video.muted = true;
      await video.play();
      return video.videoWidth;
    });
    expect(width).toBeGreaterThan(0);
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(30 * SECOND_MS);
    expect(await page.getByLabel('Address for players', { exact: true }).inputValue()).toContain(
      '/s/samples/Harbour%20Lights',
    );
    expect(await runAxe(page)).toEqual([]);

    const cookies = await context.cookies();
    const faults: string[] = [];
    for (const theme of ['light', 'dark'] as const) {
      for (const viewport of [320, 1280] as const) {
        const report = await checkPage(browser, {
          url: `http://localhost:${larder.port}/setup/play?source=samples&file=Harbour%20Lights%20(2019).mp4`,
          theme,
          width: viewport,
          live: false,
          name: `setup-play-${theme}-${viewport}`,
          prepare: (visitor) => visitor.addCookies(cookies),
          hasMedia: true,
        });
        faults.push(...report.faults);
      }
    }
    expect(faults).toEqual([]);

    await page.getByRole('button', { name: 'Finish', exact: true }).click();
    await page.waitForURL(`http://localhost:${larder.port}/`);
    expect((await page.goto(`http://localhost:${larder.port}/setup/play`))?.status()).toBe(404);
    await browser.close();
    origin.stop();
  },
  60 * SECOND_MS,
);
