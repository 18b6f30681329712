// Everything a page loads besides itself, embedded as text.
import htmxSse from '../../node_modules/htmx.org/dist/ext/hx-sse.min.js' with { type: 'text' };
import htmx from '../../node_modules/htmx.org/dist/htmx.min.js' with { type: 'text' };
import icon from '../../views/assets/icon.svg' with { type: 'text' };
import stylesheet from '../../views/assets/larder.css' with { type: 'text' };
import script from '../../views/assets/larder.js' with { type: 'text' };

export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

const SCRIPT = 'text/javascript; charset=utf-8';

export const assets: ReadonlyMap<string, Asset> = new Map([
  ['htmx.min.js', { contentType: SCRIPT, body: htmx as unknown as string }],
  ['hx-sse.min.js', { contentType: SCRIPT, body: htmxSse as unknown as string }],
  ['larder.js', { contentType: SCRIPT, body: script as unknown as string }],
  ['larder.css', { contentType: 'text/css; charset=utf-8', body: stylesheet }],
  ['icon.svg', { contentType: 'image/svg+xml', body: icon }],
]);
