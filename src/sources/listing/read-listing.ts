// Reads the answer to the question what a folder holds, whatever kind it is of, in pieces: neither its size nor the
// number of its entries is anything that we hold in memory. Between two pieces the loop turns.
import type { Clock } from '../../clock.ts';
import { LarderError } from '../../errors.ts';
import { LISTING_BYTES_MAX, LISTING_ENTRIES_MAX, LISTING_TIME_MAX_MS, STALL_TIMEOUT_MS } from '../../limits.ts';
import { reasonOf } from '../origin-client.ts';
import { DavListing } from './dav-listing.ts';
import { HtmlListing } from './html-listing.ts';
import { JsonListing } from './json-listing.ts';
import type { ListedEntry, ListingParser, ListingSink } from './listed-entry.ts';
import { NameSet } from './name-set.ts';

export interface ListingAnswer {
  readonly response: Response;
  /** Where it came from in the end, with the slash of a folder. */
  readonly url: URL;
  readonly isMultistatus: boolean;
  /** Ends the request. */
  readonly abort: AbortController;
  readonly clock: Clock;
}

export interface ListingEnd {
  /** Names that cannot stand in an address. */
  readonly skippedCount: number;
}

/** Characters that a parser is given at once: about a millisecond of its work. */
const PIECE = 32 * 1024;

/** Entries in pages of some hundreds. @throws LarderError also when it is no listing, cut off or too large */
export async function* readListing(answer: ListingAnswer): AsyncGenerator<ListedEntry[], ListingEnd> {
  const { response, abort, clock } = answer;
  let page: ListedEntry[] = [];
  const names = new NameSet();
  let skippedCount = 0;
  const sink: ListingSink = {
    entry(entry) {
      // Icon and name may both be links.
      if (!names.add(entry.name)) return;
      if (names.size > LISTING_ENTRIES_MAX) throw tooLarge(`more than ${LISTING_ENTRIES_MAX} entries`);
      page.push(entry);
    },
    skipped() {
      skippedCount += 1;
    },
  };
  const decoder = new TextDecoder(charsetOf(response.headers));
  const deadlineMs = clock.monotonicMs() + LISTING_TIME_MAX_MS;
  let parser: ListingParser | null = answer.isMultistatus ? new DavListing(answer.url, sink) : null;
  let beginning = '';
  let byteCount = 0;
  try {
    for await (const bytes of bodyOf(answer)) {
      byteCount += bytes.length;
      if (byteCount > LISTING_BYTES_MAX) throw tooLarge(`more than ${LISTING_BYTES_MAX / 2 ** 20} MiB`);
      if (clock.monotonicMs() > deadlineMs) throw tooLarge('no end of it in sight');
      const text = decoder.decode(bytes, { stream: true });
      for (let at = 0; at < text.length; at += PIECE) {
        let piece = text.slice(at, at + PIECE);
        if (parser === null) {
          beginning += piece;
          if (beginning.trim() === '' && beginning.length < PIECE) continue;
          parser = chooseParser(beginning, answer.url, sink);
          piece = beginning;
        }
        parser.write(piece);
        if (page.length > 0) {
          yield page;
          page = [];
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    parser ??= chooseParser(beginning, answer.url, sink);
    parser.write(decoder.decode());
    parser.end();
    if (page.length > 0) yield page;
    return { skippedCount };
  } finally {
    // Also when nobody wants the rest.
    abort.abort();
  }
}

/** What the content begins with is more to be trusted than what it is said to be. */
function chooseParser(beginning: string, url: URL, sink: ListingSink): ListingParser {
  const first = beginning.trimStart()[0];
  if (first === '[' || first === '{' || first === 'n') return new JsonListing(sink);
  return new HtmlListing(url, sink);
}

async function* bodyOf({ response, abort, clock }: ListingAnswer): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  for (;;) {
    let isStalled = false;
    const stall = clock.after(STALL_TIMEOUT_MS, () => {
      isStalled = true;
      abort.abort();
    });
    let piece: Awaited<ReturnType<typeof reader.read>>;
    try {
      piece = await reader.read();
    } catch (error) {
      if (isStalled) {
        throw new LarderError('origin-silent', `the listing stopped for ${STALL_TIMEOUT_MS / 1_000} s`, {
          retry: 'soon',
        });
      }
      if (abort.signal.aborted) throw new LarderError('stopped', 'the request was called off');
      throw new LarderError('origin-failed', `the listing broke off: ${reasonOf(error)}`, {
        retry: 'soon',
        cause: error,
      });
    } finally {
      stall.cancel();
    }
    if (piece.done) return;
    yield piece.value;
  }
}

function charsetOf(headers: Headers): string {
  const charset = /charset="?([\w-]{1,40})/i.exec(headers.get('content-type') ?? '')?.[1];
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    return 'utf-8';
  }
}

function tooLarge(what: string): LarderError {
  return new LarderError('no-listing', `the listing of the folder is too large: ${what}`, {
    hint: 'spread the files over folders, or give an address further down',
  });
}
