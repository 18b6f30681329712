// Debian's Chromium for tests, through playwright-core: no browser of playwright's own is ever downloaded.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where the browser is: CHROMIUM, else Debian's. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * Whether browser tests can run. On a developer's machine they are skipped without Chromium; in CI (CI=true) a
 * missing browser must be a failure, so there this says yes, and the launch fails and names the path.
 */
export function canLaunchBrowser(): boolean {
  return existsSync(chromiumPath) || process.env.CI === 'true';
}

/** A new headless browser with a profile of its own, which playwright throws away on `close()`. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(chromiumPath)) {
    throw new Error(`No browser at ${chromiumPath}: install the Debian package "chromium" or set CHROMIUM`);
  }
  return await chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
