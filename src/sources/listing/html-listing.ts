// A folder as a web page: nginx, Apache (fancy, table, plain), Caddy, lighttpd, rclone, Python and what looks like
// them. Links are what counts; the name that is shown may be cut. What stands behind a link until the row's end, or
// the next link, says date and size.
import { Parser } from 'htmlparser2';
import { LarderError } from '../../errors.ts';
import { type LinkMeaning, type ListingParser, type ListingSink, listedEntry, readLink } from './listed-entry.ts';
import { parseByteCount, parseTime, readTextFacts } from './listed-facts.ts';

/** Of what stands behind a link, and of a title. */
const TEXT_MAX = 400;
const LISTING_TITLE = /\b(?:index|contents|listing) (?:of|for)\b|\bdirectory listing\b|\bfolder listing\b/i;
const ROW_ENDS = new Set(['tr', 'li', 'pre', 'table', 'ul']);
const TITLES = new Set(['title', 'h1', 'h2']);

interface OpenLink {
  readonly meaning: LinkMeaning;
  text: string;
  sizeBytes: number | null;
  modifiedAtMs: number | null;
}

export class HtmlListing implements ListingParser {
  readonly #folder: URL;
  readonly #sink: ListingSink;
  readonly #parser: Parser;
  #link: OpenLink | null = null;
  #isInLink = false;
  #mutedBy: string | null = null;
  #titleTag: string | null = null;
  #title = '';
  #entryCount = 0;
  #leadsToParent = false;
  #asksForPassword = false;

  constructor(folder: URL, sink: ListingSink) {
    this.#folder = folder;
    this.#sink = sink;
    this.#parser = new Parser({
      onopentag: (name, attributes) => this.#opened(name, attributes),
      ontext: (text) => this.#said(text),
      onclosetag: (name) => this.#closed(name),
    });
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.end();
    this.#finishLink();
    const isListing = this.#leadsToParent || LISTING_TITLE.test(this.#title) || this.#isTitledByPath();
    if (this.#asksForPassword && !isListing) {
      throw new LarderError('origin-refused', 'the folder shows a sign-in page', {
        hint: 'check the credentials of the source and open its address in a browser',
      });
    }
    if (this.#entryCount === 0 && !isListing) {
      throw new LarderError('no-listing', 'the folder shows a web page that lists nothing', {
        hint: 'switch on directory listings at the server; files stream by their path all the same',
      });
    }
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'a' && attributes.href !== undefined) {
      this.#finishLink();
      this.#link = { meaning: readLink(attributes.href, this.#folder), text: '', sizeBytes: null, modifiedAtMs: null };
      this.#isInLink = true;
    } else if (name === 'script' || name === 'style') this.#mutedBy ??= name;
    else if (TITLES.has(name) && this.#title.length < TEXT_MAX) this.#titleTag = name;
    else if (name === 'input' && attributes.type?.toLowerCase() === 'password') this.#asksForPassword = true;
    else if (this.#link !== null) this.#readAttributes(name, attributes, this.#link);
  }

  #readAttributes(name: string, attributes: Readonly<Record<string, string>>, link: OpenLink): void {
    if (name === 'time' && attributes.datetime !== undefined) link.modifiedAtMs ??= parseTime(attributes.datetime);
    if (name === 'td') {
      link.sizeBytes ??= parseByteCount(attributes['data-size'] ?? attributes['data-order']);
      link.text += ' ';
    }
  }

  #said(text: string): void {
    if (this.#mutedBy !== null) return;
    if (this.#titleTag !== null) this.#title = `${this.#title} ${text.slice(0, TEXT_MAX)}`.slice(0, TEXT_MAX);
    else if (this.#link !== null && !this.#isInLink && this.#link.text.length < TEXT_MAX) {
      this.#link.text += text.slice(0, TEXT_MAX);
    }
  }

  #closed(name: string): void {
    if (name === this.#mutedBy) this.#mutedBy = null;
    if (name === this.#titleTag) this.#titleTag = null;
    if (name === 'a') this.#isInLink = false;
    if (ROW_ENDS.has(name)) this.#finishLink();
  }

  #finishLink(): void {
    const link = this.#link;
    this.#link = null;
    this.#isInLink = false;
    if (link === null) return;
    const { meaning } = link;
    if (meaning.kind === 'parent') this.#leadsToParent = true;
    if (meaning.kind === 'unusable') this.#sink.skipped();
    if (meaning.kind !== 'entry') return;
    const facts = readTextFacts(link.text);
    this.#entryCount += 1;
    this.#sink.entry(
      listedEntry(meaning.name, meaning.isFolder, {
        sizeBytes: link.sizeBytes ?? facts.sizeBytes,
        sizeText: facts.sizeText,
        modifiedAtMs: link.modifiedAtMs ?? facts.modifiedAtMs,
      }),
    );
  }

  /** Caddy and rclone head a page with nothing but the folder's path or name. */
  #isTitledByPath(): boolean {
    const words = this.#title.trim();
    let path = this.#folder.pathname;
    try {
      path = decodeURIComponent(path);
    } catch {
      // As it stands then.
    }
    const bare = path.replace(/\/$/, '');
    return words.startsWith('/') || (bare !== '' && words.startsWith(bare.slice(bare.lastIndexOf('/') + 1)));
  }
}
