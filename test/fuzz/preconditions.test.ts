// Conditional requests against a model written from RFC 9110 §8.8.3 (entity tags), §5.6.7 (dates) and §13.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type ConditionalHeaders, evaluatePreconditions, rangeApplies } from '../../src/proxy/preconditions.ts';
import { runs } from '../support/property.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// ---------------------------------------------------------------------------------------------------------------
// The model

interface Tag {
  readonly weak: boolean;
  readonly opaque: string;
}

/** §8.8.3: `"…"` or `W/"…"`; null when it is neither. */
function readTag(text: string): Tag | null {
  const weak = text.startsWith('W/');
  const quoted = weak ? text.slice(2) : text;
  if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) return null;
  const opaque = quoted.slice(1, -1);
  const isTag = [...opaque].every((character) => {
    const code = character.charCodeAt(0);
    return code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
  });
  return isTag ? { weak, opaque } : null;
}

/** §5.6.1: elements between commas, empty ones allowed; commas inside quotes are part of the tag. */
function readList(text: string): Tag[] | null {
  const elements: string[] = [''];
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === ',' && !isQuoted) elements.push('');
    else elements[elements.length - 1] += character;
  }
  const tags = elements
    .map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((element) => element !== '')
    .map(readTag);
  return tags.every((tag) => tag !== null) ? (tags as Tag[]) : null;
}

/** §5.6.7: one of three forms, to the letter. */
function readDate(text: string): number | null {
  const short = DAYS.map((day) => day.slice(0, 3)).join('|');
  const time = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
  const month = `(?<month>${MONTHS.join('|')})`;
  const forms = [
    `^(?:${short}), (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`,
    `^(?:${DAYS.join('|')}), (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`,
    `^(?:${short}) ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`,
  ];
  const parts = forms.map((form) => new RegExp(form).exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return null;
  const year = Number(parts.year) + (parts.year!.length === 2 ? (Number(parts.year) < 50 ? 2000 : 1900) : 0);
  const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number);
  return Date.UTC(year, MONTHS.indexOf(parts.month!), day, hour, minute, second);
}

interface Current {
  readonly etag: string;
  readonly lastModifiedMs: number | null;
}

/** §13.2.2, step by step, for GET and HEAD. Null where the standard leaves it open: a list of tags that is none. */
function model(headers: ConditionalHeaders, current: Current): 'proceed' | 'not-modified' | 'failed' | null {
  const opaque = current.etag.slice(1, -1);
  const listed = (header: string, mayBeWeak: boolean): boolean | null => {
    if (header.trim() === '*') return true;
    return readList(header)?.some((tag) => tag.opaque === opaque && (mayBeWeak || !tag.weak)) ?? null;
  };
  const since = (header: string | undefined) => (header === undefined ? null : readDate(header));
  // Step 1, and step 2 when there is no If-Match.
  if (headers.ifMatch !== undefined) {
    const isListed = listed(headers.ifMatch, false);
    if (isListed === null) return null;
    if (!isListed) return 'failed';
  } else {
    const date = since(headers.ifUnmodifiedSince);
    if (date !== null && current.lastModifiedMs !== null && current.lastModifiedMs > date) return 'failed';
  }
  // Step 3, and step 4 when there is no If-None-Match.
  if (headers.ifNoneMatch !== undefined) {
    const isListed = listed(headers.ifNoneMatch, true);
    if (isListed === null) return null;
    return isListed ? 'not-modified' : 'proceed';
  }
  const date = since(headers.ifModifiedSince);
  const isOld = date !== null && current.lastModifiedMs !== null && current.lastModifiedMs <= date;
  return isOld ? 'not-modified' : 'proceed';
}

/** §13.1.5 */
function modelRange(ifRange: string | undefined, current: Current): boolean {
  if (ifRange === undefined) return true;
  const tag = readTag(ifRange.trim());
  if (tag !== null) return !tag.weak && tag.opaque === current.etag.slice(1, -1);
  const date = readDate(ifRange.trim());
  return date !== null && date === current.lastModifiedMs;
}

// ---------------------------------------------------------------------------------------------------------------
// What is sent

/** Few of them, so that they often meet; with everything that a tag may hold and a careless parser trips over. */
const opaque = fc
  .constantFrom('abc', 'ab', '', 'a,b', ', ', 'W/', "it's", '*', '\xe9\xff', 'Mon', '\\')
  .filter((text) => !text.includes(' '));
const tag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => `${weak ? 'W/' : ''}"${text}"`);
const gap = fc.constantFrom(',', ', ', ' ,', ',\t', ' , , ', ',,');
const tagList = fc
  .array(fc.tuple(tag, gap), { maxLength: 5 })
  .map((parts) => parts.map((part) => part.join('')).join(''));
const noise = fc.string({ unit: fc.constantFrom(...'"W/,* \tabc'), maxLength: 12 });
const tagHeader = fc.oneof(
  { weight: 6, arbitrary: tagList },
  { weight: 4, arbitrary: tagList.map((list) => list.replace(/[ ,\t]+$/, '')) },
  { weight: 1, arbitrary: fc.constantFrom('*', ' * ') },
  { weight: 2, arbitrary: noise },
);

/** Two-digit years mean the same to all in these years. */
const secondMs = fc
  .integer({ min: Date.UTC(1980, 0, 1) / 1_000, max: Date.UTC(2040, 0, 1) / 1_000 })
  .map((s) => s * 1_000);
const FORMS = ['fixdate', 'rfc850', 'asctime'] as const;

function writeDate(ms: number, form: (typeof FORMS)[number]): string {
  const date = new Date(ms);
  const pad = (value: number, filler = '0') => String(value).padStart(2, filler);
  const day = DAYS[date.getUTCDay()]!;
  const month = MONTHS[date.getUTCMonth()]!;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((value) => pad(value)).join(':');
  const year = date.getUTCFullYear();
  if (form === 'asctime') return `${day.slice(0, 3)} ${month} ${pad(date.getUTCDate(), ' ')} ${time} ${year}`;
  if (form === 'rfc850') return `${day}, ${pad(date.getUTCDate())}-${month}-${pad(year % 100)} ${time} GMT`;
  return `${day.slice(0, 3)}, ${pad(date.getUTCDate())} ${month} ${year} ${time} GMT`;
}

interface Case {
  readonly current: Current;
  readonly headers: ConditionalHeaders;
}

const cases: fc.Arbitrary<Case> = fc
  .record({ opaque, changedMs: fc.option(secondMs, { freq: 4 }) })
  .chain(({ opaque: text, changedMs }) => {
    const near = changedMs === null ? secondMs : fc.constantFrom(-1_000, 0, 1_000).map((offset) => changedMs + offset);
    const dateHeader = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(fc.oneof(near, secondMs), fc.constantFrom(...FORMS)).map((of) => writeDate(...of)),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', 'yesterday', '0', '2020-01-01', '2020-01-01T00:00:00Z', 'Monday', '9999'),
      },
    );
    const sometimes = (header: fc.Arbitrary<string>) => fc.option(header, { nil: undefined });
    return fc.record({
      current: fc.constant({ etag: `"${text}"`, lastModifiedMs: changedMs }),
      headers: fc.record({
        ifMatch: sometimes(tagHeader),
        ifNoneMatch: sometimes(tagHeader),
        ifModifiedSince: sometimes(dateHeader),
        ifUnmodifiedSince: sometimes(dateHeader),
        ifRange: sometimes(fc.oneof(tag, dateHeader, tagHeader)),
      }),
    });
  });

describe('evaluatePreconditions()', () => {
  test('evaluatePreconditions() says what RFC 9110 §13.2.2 says when lists and dates are well formed', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(cases, ({ headers, current }) => {
        const right = model(headers, current);
        const result = evaluatePreconditions(headers, current);
        seen.add(result);
        if (right === null) expect(['proceed', 'not-modified', 'failed']).toContain(result);
        else expect(result).toBe(right);
      }),
      runs(5_000),
    );
    expect(seen.size).toBe(3);
  });

  // Date.parse takes more than the three forms of §5.6.7: zones, missing times, other languages' ways to write.
  test('evaluatePreconditions() ignores a date when it is none of the three forms (§13.1.3, §13.1.4: MUST)', () => {
    const changedMs = Date.UTC(2026, 4, 10, 12);
    const current = { etag: '"abc"', lastModifiedMs: changedMs };
    const none = { ifMatch: undefined, ifNoneMatch: undefined, ifUnmodifiedSince: undefined, ifRange: undefined };
    for (const ifModifiedSince of ['Sun, 10 May 2026 14:00:00 +0200', 'Sun 11 May 2026', 'Sunny 11 May 2026']) {
      expect([ifModifiedSince, evaluatePreconditions({ ...none, ifModifiedSince }, current)]).toEqual([
        ifModifiedSince,
        'proceed',
      ]);
    }
  });
});

describe('rangeApplies()', () => {
  test('rangeApplies() says what RFC 9110 §13.1.5 says when If-Range is anything', () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(cases, ({ headers, current }) => {
        const applies = rangeApplies(headers.ifRange, current);
        seen.add(applies);
        expect(applies).toBe(modelRange(headers.ifRange, current));
      }),
      runs(5_000),
    );
    expect(seen.size).toBe(2);
  });
});
