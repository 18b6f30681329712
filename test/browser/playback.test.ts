// A film in a real Chromium, straight from its stream address.
import { expect, test } from 'bun:test';
import { startSlowOrigin } from '../../src/cli/slow-origin.ts';
import { systemClock } from '../../src/clock.ts';
import { sampleFilms } from '../../src/runtime/embedded.ts';
import { startLarder } from '../http/running-larder.ts';
import { canLaunchBrowser, launchBrowser } from '../support/browser.ts';

const testIf = canLaunchBrowser() ? test : test.skip;

testIf(
  'a film plays in the browser, cold, with seeks',
  async () => {
    const browser = await launchBrowser();
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
    await browser.close();
  },
  60_000,
);
