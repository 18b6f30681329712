import { describe, expect, test } from 'bun:test';
import { parseHttpDate } from '../../src/proxy/http-date.ts';

const NOVEMBER_1994 = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseHttpDate()', () => {
  const dates: [text: string, ms: number | null][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', NOVEMBER_1994],
    ['Sunday, 06-Nov-94 08:49:37 GMT', NOVEMBER_1994],
    ['Sun Nov  6 08:49:37 1994', NOVEMBER_1994],
    ['  sun, 06 nov 1994 08:49:37 gmt ', NOVEMBER_1994],
    ['Saturday, 01-Feb-70 00:00:00 GMT', Date.UTC(2070, 1, 1)],
    ['Sunday, 01-Feb-77 00:00:00 GMT', Date.UTC(1977, 1, 1)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2016, 11, 31, 23, 59, 59)],
    ['Sun, 06 Nov 1994 08:49:37 +0200', null],
    ['Sun, 06 Nov 1994', null],
    ['Mon, 31 Feb 2022 00:00:00 GMT', null],
    ['Sun, 06 Nov 1994 24:00:00 GMT', null],
    ['1994-11-06T08:49:37Z', null],
    ['', null],
  ];
  for (const [text, ms] of dates) {
    test(`parseHttpDate() gives ${ms} when the text is ${JSON.stringify(text)} (RFC 9110 §5.6.7)`, () => {
      expect(parseHttpDate(text)).toBe(ms);
    });
  }
});
