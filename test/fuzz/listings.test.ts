// A listing is written by a stranger, and names in it by others: whatever it says, every entry is one file or folder
// directly below the folder that was asked for, and nothing in it costs more than its length.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LarderError } from '../../src/errors.ts';
import { LISTED_NAME_MAX } from '../../src/limits.ts';
import { DavListing } from '../../src/sources/listing/dav-listing.ts';
import { HtmlListing } from '../../src/sources/listing/html-listing.ts';
import { JsonListing } from '../../src/sources/listing/json-listing.ts';
import type { ListedEntry, ListingParser, ListingSink } from '../../src/sources/listing/listed-entry.ts';
import { decodePath, encodePath } from '../../src/sources/media-address.ts';
import { runs } from '../support/property.ts';

const FOLDER = new URL('http://host:8080/base/films%20%26%20more/');

interface Result {
  readonly entries: ListedEntry[];
  readonly skipped: number;
  readonly error: LarderError | null;
}

/** Cut in pieces as chance has it. */
function read(make: (sink: ListingSink) => ListingParser, text: string, cuts: readonly number[] = []): Result {
  const entries: ListedEntry[] = [];
  let skipped = 0;
  const parser = make({
    entry: (entry) => entries.push(entry),
    skipped: () => {
      skipped += 1;
    },
  });
  let error: LarderError | null = null;
  try {
    let from = 0;
    for (const cut of [...cuts.map((cut) => cut % (text.length + 1))].sort((left, right) => left - right)) {
      parser.write(text.slice(from, cut));
      from = cut;
    }
    parser.write(text.slice(from));
    parser.end();
  } catch (thrown) {
    if (!(thrown instanceof LarderError)) throw thrown;
    error = thrown;
  }
  return { entries, skipped, error };
}

const html = (sink: ListingSink) => new HtmlListing(FOLDER, sink);
const json = (sink: ListingSink) => new JsonListing(sink);
const dav = (sink: ListingSink) => new DavListing(FOLDER, sink);

/** Every entry can be asked for at an address of ours, and that address names it and nothing else. */
function assertSafe(entries: readonly ListedEntry[]): void {
  for (const { name, sizeBytes, modifiedAtMs } of entries) {
    expect(name).not.toBe('');
    expect(decodePath(encodePath(`folder/${name}`))).toBe(`folder/${name}`);
    expect(name).not.toContain('/');
    expect(name.length).toBeLessThanOrEqual(LISTED_NAME_MAX);
    if (sizeBytes !== null) expect(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0).toBe(true);
    if (modifiedAtMs !== null) expect(Number.isFinite(modifiedAtMs)).toBe(true);
  }
}

const cuts = fc.array(fc.nat(5_000), { maxLength: 8 });

const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
    fc.constantFrom(
      'Film (2019).mkv',
      'a&b.mp4',
      '<b>.mkv',
      'it\'s "x".mkv',
      'a%20b',
      'S01:E02.mkv',
      '#?.mkv',
      ' x',
      '日本',
    ),
  )
  .filter((text) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what no address can hold
    return text.isWellFormed() && !/[/\\\u0000-\u001f\u007f]/.test(text) && text !== '.' && text !== '..';
  });
const tree = fc.uniqueArray(fc.record({ name, isFolder: fc.boolean(), size: fc.nat(2 ** 49) }), {
  selector: (entry) => entry.name,
  maxLength: 8,
});

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

type Tree = readonly { name: string; isFolder: boolean; size: number }[];

function asHtml(entries: Tree): string {
  const rows = entries.map(({ name: text, isFolder, size }) => {
    const href = `${encodeURIComponent(text)}${isFolder ? '/' : ''}`;
    return `<a href="${href}">${escapeMarkup(text).slice(0, 10)}..&gt;</a>   20-Nov-2026 17:45   ${isFolder ? '-' : size}`;
  });
  return `<html><head><title>Index of /x</title></head><body><pre><a href="../">../</a>\n${rows.join('\n')}\n</pre></body></html>`;
}

function asJson(entries: Tree): string {
  return JSON.stringify(
    entries.map(({ name: text, isFolder, size }) => ({
      name: text,
      is_dir: isFolder,
      size,
      mod_time: '2026-11-20T17:45:00Z',
    })),
  );
}

function asDav(entries: Tree, prefix: string): string {
  const tag = (local: string) => (prefix === '' ? local : `${prefix}:${local}`);
  const declared = prefix === '' ? 'xmlns="DAV:"' : `xmlns:${prefix}="DAV:"`;
  const one = (href: string, isFolder: boolean, size: number) =>
    `<${tag('response')}><${tag('href')}>${escapeMarkup(href)}</${tag('href')}><${tag('propstat')}><${tag('prop')}><${tag('resourcetype')}>${isFolder ? `<${tag('collection')}/>` : ''}</${tag('resourcetype')}>${isFolder ? '' : `<${tag('getcontentlength')}>${size}</${tag('getcontentlength')}>`}</${tag('prop')}><${tag('status')}>HTTP/1.1 200 OK</${tag('status')}></${tag('propstat')}></${tag('response')}>`;
  const rows = entries.map(({ name: text, isFolder, size }) =>
    one(`/base/films%20&%20more/${encodeURIComponent(text)}${isFolder ? '/' : ''}`, isFolder, size),
  );
  return `<?xml version="1.0"?><${tag('multistatus')} ${declared}>${one('/base/films%20&%20more/', true, 0)}${rows.join('')}</${tag('multistatus')}>`;
}

function shortened(entries: readonly ListedEntry[]) {
  return entries.map(({ name: text, isFolder, sizeBytes }) => [text, isFolder, sizeBytes]);
}

describe('listings of folders', () => {
  test('read back what they were written from, wherever they are cut in pieces', () => {
    fc.assert(
      fc.property(tree, cuts, fc.constantFrom('', 'D', 'x-y'), (entries, at, prefix) => {
        const expected = entries.map((entry) => [entry.name, entry.isFolder, entry.isFolder ? null : entry.size]);
        for (const [make, text] of [
          [html, asHtml(entries)],
          [json, asJson(entries)],
          [dav, asDav(entries, prefix)],
        ] as const) {
          const result = read(make, text, at);
          expect(result.error).toBeNull();
          // What a space before a size would be taken for is not asked of a web page.
          expect(shortened(result.entries)).toEqual(expected);
        }
      }),
      runs(400),
    );
  });

  test('name nothing outside of the folder, however a link is spelled', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '//',
      '\\',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5c',
      '%00',
      '%0a',
      '%c0%ae',
      '%',
      '%zz',
      '?',
      '?C=N;O=D',
      '#',
      'http:',
      'https://host:8080',
      'http://host:8080/base/films%20&%20more/',
      'http://evil/',
      '//evil/',
      'javascript:alert(1)',
      'data:,x',
      '/base/',
      '/base/films%20%26%20more/',
      'film.mkv',
      'folder/',
      '&amp;',
      '&#x2f;',
      '\t',
      '\n',
      ' ',
      '@',
      ':',
    );
    const href = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(href, { maxLength: 6 }), (hrefs) => {
        const page = `<title>Index of /</title>${hrefs.map((link) => `<a href="${link}">x</a> 1`).join('\n')}`;
        assertSafe(read(html, page).entries);
        const responses = hrefs.map((link) => `<response><href>${link}</href></response>`).join('');
        assertSafe(read(dav, `<multistatus xmlns="DAV:">${responses}</multistatus>`).entries);
        assertSafe(read(json, JSON.stringify(hrefs.map((link) => ({ name: link, is_dir: false })))).entries);
      }),
      runs(2_000),
    );
  });

  test('are refused or read when they are any text at all', () => {
    const markup = fc.array(
      fc.oneof(
        fc.constantFrom(
          '<a href="',
          '"',
          '>',
          '</a>',
          '<',
          '<!--',
          '-->',
          '<![CDATA[',
          ']]>',
          '<!DOCTYPE x [',
          '<!ENTITY x "y">',
          '&x;',
          '<script>',
          '</script>',
          '<td data-order="1">',
          '<time datetime="',
          '<D:response>',
          '<response xmlns="DAV:">',
          '<href>',
          '</href>',
          '</response>',
          '[',
          ']',
          '{',
          '}',
          '"name":',
          '"a"',
          ',',
          'null',
          '\\',
          '\u0000',
          '\ud800',
        ),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(markup, cuts, (parts, at) => {
        for (const make of [html, json, dav]) {
          const { entries, error } = read(make, parts.join(''), at);
          assertSafe(entries);
          if (error !== null) expect(['no-listing', 'origin-refused']).toContain(error.code);
        }
      }),
      runs(3_000),
    );
  });

  test('expand no entities and fetch none', () => {
    const bomb = `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "${'x'.repeat(100)}"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:"><response><href>/base/films%20%26%20more/&b;&c;.mkv</href></response></multistatus>`;
    const { entries } = read(dav, bomb);
    expect(entries.map((entry) => entry.name)).toEqual(['&b;&c;.mkv']);
  });

  test('pass over a name of ten megabytes, and read what is behind it', () => {
    const long = 'x'.repeat(10_000_000);
    const page = `<title>Index of /</title><a href="${long}">x</a> 5\n<a href="film.mkv">x</a> 6`;
    expect(read(html, page, [70_000, 9_000_000])).toMatchObject({ entries: [{ name: 'film.mkv' }], skipped: 1 });
    const list = JSON.stringify([
      { name: long, is_dir: false },
      { name: 'film.mkv', is_dir: false },
    ]);
    expect(read(json, list, [70_000, 9_000_000])).toMatchObject({ entries: [{ name: 'film.mkv' }], skipped: 1 });
    const responses = [long, 'film.mkv'].map((text) => `<response><href>${text}</href></response>`).join('');
    const multistatus = `<multistatus xmlns="DAV:">${responses}</multistatus>`;
    expect(read(dav, multistatus, [70_000])).toMatchObject({ entries: [{ name: 'film.mkv' }], skipped: 1 });
  });

  test('that were cut off are refused where that can be seen', () => {
    const entries = [{ name: 'film.mkv', isFolder: false, size: 5 }];
    for (const [make, text] of [
      [json, asJson(entries)],
      [dav, asDav(entries, 'D')],
    ] as const) {
      for (let end = 0; end < text.length; end += 1) {
        expect(read(make, text.slice(0, end)).error).toMatchObject({ code: 'no-listing' });
      }
    }
  });
});
