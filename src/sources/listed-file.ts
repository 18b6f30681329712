// A film or a piece of music that the page of a folder links to, to test a source with.
import { decodePath, describePath } from './media-address.ts';

const LINK = /<a\b[^>]*?\bhref\s*=\s*(?:"([^"]{1,2048})"|'([^']{1,2048})'|([^\s"'>]{1,2048}))/gi;

/** Its path below `baseUrl`, decoded; null when the page links to none. */
export function findListedFile(html: string, baseUrl: string): string | null {
  for (const match of html.matchAll(LINK)) {
    const link = (match[1] ?? match[2] ?? match[3] ?? '').replaceAll('&amp;', '&');
    if (!URL.canParse(link, baseUrl)) continue;
    const url = new URL(link, baseUrl);
    url.hash = '';
    if (!url.href.startsWith(baseUrl) || url.search !== '') continue;
    try {
      const path = decodePath(url.href.slice(baseUrl.length));
      if (describePath(path).type !== 'file') return path;
    } catch {
      // A folder, or no path of ours.
    }
  }
  return null;
}
