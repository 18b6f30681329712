// A film or a piece of music that the page of a folder links to, to test a source with.
import { decodePath, describePath } from './media-address.ts';

const LINK = /<a\b[^>]*?\bhref\s*=\s*(?:"([^"]{1,2048})"|'([^']{1,2048})'|([^\s"'>]{1,2048}))/gi;

/** Addresses below `baseUrl` that the page links to. */
function* linksBelow(html: string, baseUrl: string): Generator<string> {
  for (const match of html.matchAll(LINK)) {
    const link = (match[1] ?? match[2] ?? match[3] ?? '').replaceAll('&amp;', '&');
    if (!URL.canParse(link, baseUrl)) continue;
    const url = new URL(link, baseUrl);
    url.hash = '';
    if (url.href !== baseUrl && url.href.startsWith(baseUrl) && url.search === '') yield url.href;
  }
}

/** Whether there are folders behind the page, in which films may be. */
export function listsFolders(html: string, baseUrl: string): boolean {
  for (const href of linksBelow(html, baseUrl)) if (href.endsWith('/')) return true;
  return false;
}

/** Its path below `baseUrl`, decoded; null when the page links to none. */
export function findListedFile(html: string, baseUrl: string): string | null {
  for (const href of linksBelow(html, baseUrl)) {
    try {
      const path = decodePath(href.slice(baseUrl.length));
      if (describePath(path).type !== 'file') return path;
    } catch {
      // A folder, or no path of ours.
    }
  }
  return null;
}
