// A folder as WebDAV tells it (RFC 4918 §9.1, §14): the multistatus of a PROPFIND of depth 1. The parser knows no
// document types, so that an entity of the server's own making stays the text it is.
import { Parser } from 'htmlparser2';
import { LarderError } from '../../errors.ts';
import { LISTED_NAME_MAX } from '../../limits.ts';
import { type ListingParser, type ListingSink, listedEntry, readPath } from './listed-entry.ts';
import { parseByteCount, parseTime } from './listed-facts.ts';

const TEXT_MAX = 8 * LISTED_NAME_MAX;
const DEPTH_MAX = 32;
const NAMESPACE = 'DAV:';
const TEXTS = new Set(['href', 'status', 'getcontentlength', 'getlastmodified', 'getetag']);

interface Properties {
  isFolder?: boolean;
  getcontentlength?: string;
  getlastmodified?: string;
  getetag?: string;
}

interface Element {
  /** Of the namespace `DAV:`; empty for any other. */
  readonly name: string;
  /** Prefixes that it declares, by what they stand for. */
  readonly prefixes: Readonly<Record<string, string>> | null;
}

export class DavListing implements ListingParser {
  readonly #sink: ListingSink;
  readonly #parser: Parser;
  readonly #open: Element[] = [];
  /** Of the folder itself, as the server names it: a proxy may have changed it. */
  #folderPath: string;
  readonly #folder: URL;
  #text: string | null = null;
  #isTooLong = false;
  #href: string | null = null;
  #status: string | null = null;
  #found: Properties = {};
  #properties: Properties = {};
  #propertyStatus: string | null = null;
  #responseCount = 0;
  #isWhole = false;

  constructor(folder: URL, sink: ListingSink) {
    this.#folder = folder;
    this.#folderPath = folder.pathname;
    this.#sink = sink;
    this.#parser = new Parser(
      {
        onopentag: (name, attributes) => this.#opened(name, attributes),
        ontext: (text) => this.#said(text),
        onclosetag: (_, isImplied) => this.#closed(isImplied),
      },
      { xmlMode: true },
    );
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.end();
    if (this.#isWhole) return;
    throw new LarderError('no-listing', 'the listing of the folder is no multistatus, or was cut off', {
      hint: 'the server, or a proxy before it, handles WebDAV wrongly',
    });
  }

  #opened(tag: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#open.length >= DEPTH_MAX) {
      throw new LarderError('no-listing', 'the listing of the folder is nested too deeply');
    }
    let prefixes: Record<string, string> | null = null;
    for (const [name, value] of Object.entries(attributes)) {
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      prefixes ??= {};
      prefixes[name.slice(6)] = value;
    }
    const colon = tag.indexOf(':');
    const prefix = colon < 0 ? '' : tag.slice(0, colon);
    const name = this.#namespaceOf(prefix, prefixes) === NAMESPACE ? tag.slice(colon + 1) : '';
    this.#open.push({ name, prefixes });
    if (name === 'response') {
      this.#href = null;
      this.#status = null;
      this.#found = {};
      this.#isTooLong = false;
    } else if (name === 'propstat') {
      this.#properties = {};
      this.#propertyStatus = null;
    } else if (name === 'collection' && this.#parentName(1) === 'resourcetype') this.#properties.isFolder = true;
    this.#text = TEXTS.has(name) ? '' : null;
  }

  #namespaceOf(prefix: string, own: Readonly<Record<string, string>> | null): string | undefined {
    if (own?.[prefix] !== undefined) return own[prefix];
    return this.#open.findLast((element) => element.prefixes?.[prefix] !== undefined)?.prefixes?.[prefix];
  }

  #parentName(levels: number): string {
    return this.#open.at(-1 - levels)?.name ?? '';
  }

  #said(text: string): void {
    if (this.#text === null) return;
    if (this.#text.length + text.length > TEXT_MAX) this.#isTooLong = true;
    else this.#text += text;
  }

  #closed(isImplied: boolean): void {
    const parent = this.#parentName(1);
    const element = this.#open.pop();
    if (element === undefined) return;
    const text = this.#text?.trim() ?? '';
    this.#text = null;
    const { name } = element;
    if (name === 'href' && parent === 'response') this.#href ??= text;
    else if (name === 'status' && parent === 'propstat') this.#propertyStatus = text;
    else if (name === 'status' && parent === 'response') this.#status = text;
    else if (name === 'getcontentlength' || name === 'getlastmodified' || name === 'getetag') {
      if (text !== '') this.#properties[name] = text;
    } else if (name === 'propstat') {
      // A property that is not there comes in a propstat of its own, with 404.
      if (isSuccess(this.#propertyStatus)) Object.assign(this.#found, this.#properties);
    } else if (name === 'response' && !isImplied) this.#finishResponse();
    else if (name === 'multistatus' && !isImplied && this.#open.length === 0) this.#isWhole = true;
  }

  /** The folder itself, or in it: the server knows it by the path that it was asked for. */
  #isBelowFolder(path: string): boolean {
    const folder = path.endsWith('/') ? path : `${path}/`;
    return (
      readPath(`${folder}x`, this.#folderPath).kind === 'entry' || readPath(folder, this.#folderPath).kind === 'entry'
    );
  }

  #finishResponse(): void {
    const href = this.#href;
    const { isFolder = false, getcontentlength, getlastmodified, getetag } = this.#found;
    if (!isSuccess(this.#status)) return;
    if (this.#isTooLong) {
      this.#sink.skipped();
      return;
    }
    if (href === null || !URL.canParse(href, this.#folder)) return;
    // A full address may name a host that only the server knows: the path alone counts.
    const path = new URL(href, this.#folder).pathname;
    this.#responseCount += 1;
    if (this.#responseCount === 1 && isFolder && !this.#isBelowFolder(path)) {
      this.#folderPath = path.endsWith('/') ? path : `${path}/`;
    }
    const meaning = readPath(isFolder && !path.endsWith('/') ? `${path}/` : path, this.#folderPath);
    if (meaning.kind === 'unusable') this.#sink.skipped();
    if (meaning.kind !== 'entry') return;
    const facts = {
      sizeBytes: parseByteCount(getcontentlength),
      modifiedAtMs: getlastmodified === undefined ? null : parseTime(getlastmodified),
      etag: getetag ?? null,
    };
    this.#sink.entry(listedEntry(meaning.name, meaning.isFolder, facts));
  }
}

/** A status line, RFC 4918 §14.28; none is as good. */
function isSuccess(status: string | null): boolean {
  return status === null || /^HTTP\/[\d.]+ 2\d\d\b/.test(status);
}
