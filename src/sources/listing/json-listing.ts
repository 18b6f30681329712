// A folder as JSON: nginx (`autoindex_format json`) and Caddy (`Accept: application/json`), and of another Larder
// (`{"items": […]}`). Read object by object as it
// comes, so that a folder of any size takes the memory of one.
import { LarderError } from '../../errors.ts';
import { isUsableName, type ListingParser, type ListingSink, listedEntry } from './listed-entry.ts';
import { parseTime } from './listed-facts.ts';

/** Of one object; more is skipped unread. */
const OBJECT_MAX = 64 * 1024;
/** Larder's own list stands in an object. */
const WRAPPER = '{"items":';
const CLOSING_MAX = 1_024;
const NO_LIST = 'the folder answers JSON that is no list of files';

export class JsonListing implements ListingParser {
  readonly #sink: ListingSink;
  #state: 'before' | 'inside' | 'after' = 'before';
  /** Objects and arrays that are open inside the list. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #object = '';
  #isTooLong = false;
  /** What stands where the list should begin. */
  #opening = '';
  /** What stands behind it. */
  #closing = '';

  constructor(sink: ListingSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const character = text.charCodeAt(at);
      if (this.#state !== 'inside') {
        this.#outside(text[at]!);
        from = at + 1;
      } else if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (character === 0x5c) this.#isEscaped = true;
        else if (character === 0x22) this.#isInString = false;
      } else if (character === 0x22) this.#isInString = true;
      else if (character === 0x7b || character === 0x5b) {
        if (this.#depth === 0) from = at;
        this.#depth += 1;
      } else if (character === 0x7d || character === 0x5d) {
        this.#depth -= 1;
        if (this.#depth < 0) this.#state = 'after';
        else if (this.#depth === 0) {
          this.#keep(text.slice(from, at + 1));
          this.#finishObject();
        }
        if (this.#depth <= 0) from = at + 1;
      }
    }
    if (this.#depth > 0) this.#keep(text.slice(from));
  }

  end(): void {
    // Caddy says null for a folder that holds nothing.
    if (this.#state === 'before' && this.#opening === 'null') return;
    if (this.#state === 'before') throw noListing(NO_LIST);
    if (this.#state === 'after' && (this.#opening === '' || this.#closing.endsWith('}'))) return;
    throw noListing('the listing of the folder was cut off');
  }

  #outside(character: string): void {
    if (/\s/.test(character)) return;
    if (this.#state === 'after') {
      if (this.#opening === '' || this.#closing.length >= CLOSING_MAX) throw noListing(NO_LIST);
      this.#closing += character;
    } else if (character === '[' && (this.#opening === '' || this.#opening === WRAPPER)) this.#state = 'inside';
    else if (this.#opening.length < WRAPPER.length) this.#opening += character;
    else throw noListing(NO_LIST);
  }

  #keep(text: string): void {
    if (this.#object.length + text.length > OBJECT_MAX) this.#isTooLong = true;
    else this.#object += text;
  }

  #finishObject(): void {
    const text = this.#object;
    const isTooLong = this.#isTooLong;
    this.#object = '';
    this.#isTooLong = false;
    if (isTooLong) {
      this.#sink.skipped();
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw noListing('the folder answers something that is no JSON');
    }
    this.#read(value as Record<string, unknown>);
  }

  #read(value: Record<string, unknown>): void {
    const { name, type, is_dir: isDirectory, size } = value;
    if (typeof name !== 'string' || (typeof type !== 'string' && typeof isDirectory !== 'boolean')) {
      throw noListing(NO_LIST);
    }
    if (type === 'other') return; // a device, a socket
    const isFolder = isDirectory === true || type === 'directory' || type === 'folder';
    const bareName = isFolder && name.endsWith('/') ? name.slice(0, -1) : name;
    if (!isUsableName(bareName)) {
      this.#sink.skipped();
      return;
    }
    const time = value.mtime ?? value.mod_time ?? value.modifiedAt;
    this.#sink.entry(
      listedEntry(bareName, isFolder, {
        sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
        modifiedAtMs: typeof time === 'string' ? parseTime(time) : Number.isSafeInteger(time) ? (time as number) : null,
      }),
    );
  }
}

function noListing(message: string): LarderError {
  return new LarderError('no-listing', message, {
    hint: 'open the address of the source in a browser: it should list files. Files stream by their path all the same',
  });
}
