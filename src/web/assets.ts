// Everything a page loads besides itself, embedded as text. Style sheets and scripts are written in several files and
// served as one each, so that a first load is few requests.
import { gzipSync } from 'node:zlib';
import htmxSse from '../../node_modules/htmx.org/dist/ext/hx-sse.min.js' with { type: 'text' };
import htmx from '../../node_modules/htmx.org/dist/htmx.min.js' with { type: 'text' };
import accessCss from '../../views/assets/css/access.css' with { type: 'text' };
import baseCss from '../../views/assets/css/base.css' with { type: 'text' };
import dashboardCss from '../../views/assets/css/dashboard.css' with { type: 'text' };
import libraryCss from '../../views/assets/css/library.css' with { type: 'text' };
import settingsCss from '../../views/assets/css/settings.css' with { type: 'text' };
import sourcesCss from '../../views/assets/css/sources.css' with { type: 'text' };
import icon from '../../views/assets/icon.svg' with { type: 'text' };
import icon48 from '../../views/assets/icon-48.png.base64' with { type: 'text' };
import icon192 from '../../views/assets/icon-192.png.base64' with { type: 'text' };
import icon512 from '../../views/assets/icon-512.png.base64' with { type: 'text' };
import icons from '../../views/assets/icons.svg' with { type: 'text' };
import accessJs from '../../views/assets/js/access.js' with { type: 'text' };
import answersJs from '../../views/assets/js/answers.js' with { type: 'text' };
import libraryJs from '../../views/assets/js/library.js' with { type: 'text' };
import liveJs from '../../views/assets/js/live.js' with { type: 'text' };
import shortcutsJs from '../../views/assets/js/shortcuts.js' with { type: 'text' };
import zoneJs from '../../views/assets/js/zone.js' with { type: 'text' };

export interface Asset {
  readonly contentType: string;
  /** Bytes are of a picture, which is compressed in itself. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

const SCRIPT = 'text/javascript; charset=utf-8';

/** Imported with `type: 'text'`: the compiler takes a script for a module. */
const scripts = [liveJs, answersJs, libraryJs, shortcutsJs, accessJs, zoneJs] as unknown as readonly string[];

const style = [baseCss, dashboardCss, libraryCss, settingsCss, sourcesCss, accessCss].join('\n');
/** Ours stand in blocks, so that their names do not meet; htmx comes first, its extension next. */
const script = [
  htmx as unknown as string,
  htmxSse as unknown as string,
  ...scripts.map((text) => `{\n${text}\n}`),
].join(';\n');

/** The icon for what takes no SVG, made of icon.svg. */
function picture(base64: string): Asset {
  return { contentType: 'image/png', body: new Uint8Array(Buffer.from(base64, 'base64')) };
}

export const favicon: Asset = picture(icon48);

export const assets: ReadonlyMap<string, Asset> = new Map([
  ['larder.js', { contentType: SCRIPT, body: script }],
  ['larder.css', { contentType: 'text/css; charset=utf-8', body: style }],
  ['icon.svg', { contentType: 'image/svg+xml', body: icon }],
  ['icon-192.png', picture(icon192)],
  ['icon-512.png', picture(icon512)],
  ['icons.svg', { contentType: 'image/svg+xml', body: icons }],
]);

const compressed = new WeakMap<Asset, Uint8Array<ArrayBuffer>>();

/** Compressed when it is first asked for. */
export function gzipped(asset: Asset): Uint8Array<ArrayBuffer> {
  let body = compressed.get(asset);
  if (body === undefined) {
    body = new Uint8Array(gzipSync(asset.body, { level: 9 }));
    compressed.set(asset, body);
  }
  return body;
}
