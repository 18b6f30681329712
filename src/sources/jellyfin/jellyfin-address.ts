// The address of a server, as a person types it or copies it from the browser.
import { LarderError } from '../../errors.ts';

const LENGTH_MAX = 4_096;
const EXAMPLE = 'give the address that opens Jellyfin in a browser, for example http://nas:8096/';
/** Where the pages of a server begin; what follows in the address is for them. */
const PAGES = /\/web(?:\/(?:index\.html)?)?$/i;

/**
 * Ends in a slash. No message repeats the text, which may hold a password.
 * @throws LarderError `invalid`
 */
export function parseJellyfinUrl(text: string): string {
  const invalid = (problem: string, hint = EXAMPLE) => new LarderError('invalid', problem, { hint });
  const typed = text.trim();
  if (typed.length > LENGTH_MAX) throw invalid(`the URL is longer than ${LENGTH_MAX} characters`);
  // A name with a port reads as a scheme: `nas:8096`.
  if (!URL.canParse(typed) || (!typed.includes('://') && /^[^/]+:\d/.test(typed))) {
    const canOffer = /^[\w.[\]:-]+(?:\/[^@?#\s]*)?$/.test(typed) && URL.canParse(`http://${typed}`);
    throw invalid('the URL is not a URL', canOffer ? `write http://${typed}, or https:// before it` : EXAMPLE);
  }
  const url = new URL(typed);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`the URL is ${url.protocol}// and not http or https`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      'the URL holds a user name or a password',
      'leave them out of the URL, and enter the Jellyfin user and password in their own fields',
    );
  }
  if (PAGES.test(url.pathname)) {
    url.pathname = url.pathname.replace(PAGES, '/');
    url.search = '';
    url.hash = '';
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid('the URL has a query or a fragment', `leave out what follows ? or #: ${EXAMPLE}`);
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}
