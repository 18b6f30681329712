import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionTable } from '../../src/cli/option-help.ts';

const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8');

test('README has the table of options as the program knows them', () => {
  expect(readme).toContain(optionTable());
});

test('README names the two commands and a picture that exists', () => {
  expect(readme).toMatch(/^npm run demo/m);
  expect(readme).toMatch(/^npm test/m);
  const picture = /!\[[^\]]+\]\(([^)]+)\)/.exec(readme)?.[1] ?? '';
  expect(
    readFileSync(join(import.meta.dir, '../..', picture))
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
});
