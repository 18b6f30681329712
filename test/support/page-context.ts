// What views are given besides their data, and text that must stay text.
import type { PageContext } from '../../views/page-context.ts';

export const PAGE_NOW_MS = Date.UTC(2026, 10, 20, 12, 4, 31);

export const HOSTILE_TEXT =
  '"><img src=x onerror=alert(1)><script>alert(2)</script></template><hx-partial hx-target="body">';

export function pageContext(change: Partial<PageContext> = {}): PageContext {
  return {
    basePath: '',
    serverAddress: 'http://nas:8420',
    playerAddress: change.serverAddress ?? 'http://nas:8420',
    path: '/',
    formId: 'f1',
    assetVersion: 'v1',
    nowMs: PAGE_NOW_MS,
    visitor: { name: 'admin', role: 'owner', shortcuts: true },
    theme: 'auto',
    timeZone: 'UTC',
    ...change,
  };
}
