import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { findListedFile } from '../../src/sources/listed-file.ts';
import { runs } from '../support/property.ts';

const BASE = 'https://host/films/';

test('findListedFile() takes the first film or piece of music below the folder, and nothing else', () => {
  const page = (...links: string[]) => links.map((link) => `<a class=x href="${link}">x</a>`).join('\n');
  expect(findListedFile(page('../', 'sub/', 'notes.txt', 'A%20Film%20%26%20more.mkv', 'b.mp4'), BASE)).toBe(
    'A Film & more.mkv',
  );
  expect(findListedFile(page('/films/deep/x.flac'), BASE)).toBe('deep/x.flac');
  expect(findListedFile("<A HREF='q.mkv#x'>", BASE)).toBe('q.mkv');
  expect(findListedFile('<a href=plain.mkv>', BASE)).toBe('plain.mkv');
  for (const outside of [
    '/other/x.mkv',
    'https://evil/films/x.mkv',
    '../x.mkv',
    '?C=N.mkv',
    'a.mkv?x=1',
    'a%2Fb.mkv',
    'x.mkv/',
  ]) {
    expect([outside, findListedFile(page(outside), BASE)]).toEqual([outside, null]);
  }
});

test('property: findListedFile() takes any page, and names only what is below the folder', () => {
  const links = fc.array(fc.oneof(fc.webUrl(), fc.string(), fc.constant('x.mkv'), fc.constant('%zz.mkv')));
  fc.assert(
    fc.property(links, (list) => {
      const path = findListedFile(list.map((link) => `<a href="${link}">`).join(''), BASE);
      if (path !== null) expect(path.split('/')).not.toContain('..');
    }),
    runs(300),
  );
});
