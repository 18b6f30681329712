// What every page must hold, in a real Chromium: nothing in the console, nothing from another host, no sideways scroll,
// nothing that axe finds, few bytes and requests, no shift of the layout when live data comes, no motion for who wants
// none. SCREENSHOTS=folder keeps a picture of each.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const THEMES = ['light', 'dark'] as const;
export const WIDTHS = [320, 768, 1280] as const;

/** Of the first load, with an empty cache: the document and all it asks for, but not the event stream. */
const TRANSFER_MAX_BYTES = 60_000;
const REQUESTS_MAX = 8;
const SHIFT_MAX = 0.02;
const LIVE_WAIT_MS = 5_000;

const axeSource = readFileSync(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js'), 'utf8');

export interface PageLook {
  readonly url: string;
  readonly theme: (typeof THEMES)[number];
  readonly width: (typeof WIDTHS)[number];
  readonly live: boolean;
  /** For the picture: `settings-light-320`. */
  readonly name: string;
  /** Signs in, sets cookies: what must be before the page is opened. */
  readonly prepare?: (context: BrowserContext) => Promise<void>;
  /** A film on the page is no part of what it weighs. */
  readonly hasMedia?: boolean;
  /** Makes something happen that a live page tells of. */
  readonly stir?: () => Promise<unknown>;
}

export interface PageReport {
  /** Sentences; none when all is well. */
  readonly faults: readonly string[];
  readonly transferredBytes: number;
  readonly requestCount: number;
  readonly layoutShift: number;
}

/** Opens the page as a new visitor and looks at everything. */
export async function checkPage(browser: Browser, look: PageLook): Promise<PageReport> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 900 },
    colorScheme: look.theme,
    reducedMotion: 'reduce',
  });
  try {
    await look.prepare?.(context);
    const page = await context.newPage();
    const faults: string[] = [];
    watch(page, new URL(look.url).hostname, faults);
    const traffic = await countTraffic(page);
    await page.addInitScript(watchPage);
    const response = await page.goto(look.url, { waitUntil: 'load' });
    const status = response?.status() ?? 0;
    if (status !== 200) faults.push(`answered ${status}`);
    const { requestCount, transferredBytes } = traffic();
    if (transferredBytes > TRANSFER_MAX_BYTES && look.hasMedia !== true) faults.push(`loads ${transferredBytes} bytes`);
    if (requestCount > REQUESTS_MAX && look.hasMedia !== true) faults.push(`loads ${requestCount} things`);
    if (look.live) {
      await look.stir?.();
      const isTold = () => (window as unknown as Watched).larderMessages > 0;
      await page.waitForFunction(isTold, undefined, { timeout: LIVE_WAIT_MS }).catch(() => {
        faults.push('hears nothing from its event stream');
      });
    }
    const state = await page.evaluate(readPage);
    if (state.layoutShift > SHIFT_MAX) faults.push(`shifts by ${state.layoutShift.toFixed(3)}: ${state.shifted}`);
    if (state.isWide) faults.push(`scrolls sideways: ${state.widest}`);
    if (state.moving > 0) faults.push(`${state.moving} animations run although the visitor wants none`);
    faults.push(...(await runAxe(page)));
    await keepPicture(page, look.name);
    return { faults, transferredBytes, requestCount, layoutShift: state.layoutShift };
  } finally {
    await context.close();
  }
}

function watch(page: Page, ownHost: string, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:' && hostname !== ownHost) faults.push(`asks another host: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.url()} answers ${response.status()}`);
  });
}

/** Bytes on the wire as the browser counts them, heads included. */
async function countTraffic(page: Page): Promise<() => { requestCount: number; transferredBytes: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const streams = new Set<string>();
  let requestCount = 0;
  let transferredBytes = 0;
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (new URL(request.url).pathname.endsWith('/live')) streams.add(requestId);
    else if (!request.url.startsWith('data:')) requestCount += 1;
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!streams.has(requestId)) transferredBytes += encodedDataLength;
  });
  return () => ({ requestCount, transferredBytes });
}

interface Watched {
  larderMessages: number;
  larderShift: number;
  larderShifted: string[];
}

/** Runs in the page before anything of it. */
function watchPage(): void {
  const watched = window as unknown as Watched;
  watched.larderMessages = 0;
  watched.larderShift = 0;
  watched.larderShifted = [];
  document.addEventListener('htmx:sse:after:message', () => {
    watched.larderMessages += 1;
  });
  interface Shift extends PerformanceEntry {
    value: number;
    hadRecentInput: boolean;
    sources: { node: Node | null }[];
  }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as Shift[]) {
      if (entry.hadRecentInput) continue;
      watched.larderShift += entry.value;
      for (const { node } of entry.sources) {
        const element = node instanceof Element ? node : node?.parentElement;
        if (element) watched.larderShifted.push(element.outerHTML.slice(0, 80));
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

function readPage() {
  const { larderShift, larderShifted } = window as unknown as Watched;
  const { scrollWidth, clientWidth } = document.documentElement;
  const isWide = scrollWidth > clientWidth;
  let widest = '';
  if (isWide) {
    const beyond = [...document.querySelectorAll('body *')].filter(
      (element) => element.getBoundingClientRect().right > clientWidth + 1,
    );
    widest = beyond.at(-1)?.outerHTML.slice(0, 120) ?? '';
  }
  const moving = document.getAnimations().filter((animation) => animation.playState === 'running').length;
  return { layoutShift: larderShift, shifted: larderShifted.slice(0, 3).join(' '), isWide, widest, moving };
}

export async function runAxe(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async (tags) => {
    interface AxeResults {
      violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
    }
    const { axe } = window as unknown as { axe: { run: (root: Document, options: object) => Promise<AxeResults> } };
    const results = await axe.run(document, { runOnly: { type: 'tag', values: tags } });
    return results.violations.map(({ id, help, nodes }) => {
      const [first] = nodes;
      return `axe ${id}: ${help} (${nodes.length}): ${first?.html.slice(0, 160)} ${first?.failureSummary.replace(/\s+/g, ' ').slice(0, 200)}`;
    });
  }, AXE_TAGS);
  return violations;
}

async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
