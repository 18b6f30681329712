// Whatever JSON an add-on answers, reading it ends with something usable or nothing.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import { previewPage, SeriesItems } from '../../../src/sources/stremio/item-pages.ts';
import { readManifest } from '../../../src/sources/stremio/manifest.ts';
import { readMeta } from '../../../src/sources/stremio/metas.ts';
import { readStreams } from '../../../src/sources/stremio/streams.ts';
import { readSubtitles } from '../../../src/sources/stremio/subtitles.ts';
import { runs } from '../../support/property.ts';

const BASE = 'https://addon/key/';
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('tt1:1:1', 'tt1', 'a/b', '..', '\ud800', 'https://a/b.mkv', 'http://[', 'magnet:?x', './x'),
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, fc.integer());

/** Objects with the fields that are read, any of which may be anything. */
function record(...names: string[]) {
  return fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
}

describe('strange answers', () => {
  test('a manifest is read or is none', () => {
    const catalog = fc.oneof(record('type', 'id', 'name', 'extra', 'extraSupported', 'extraRequired'), value);
    const manifest = fc.record({
      id: value,
      name: value,
      version: value,
      resources: value,
      types: value,
      catalogs: fc.array(catalog),
    });
    fc.assert(
      fc.property(fc.oneof(manifest, value), (answer) => {
        for (const { type, id } of readManifest(answer)?.catalogs ?? [])
          expect(`${type}${id}`.isWellFormed()).toBe(true);
      }),
      runs(300),
    );
  });

  test('what is told of films has paths that lead back to their keys', () => {
    const video = fc.oneof(record('id', 'title', 'name', 'season', 'episode', 'number', 'thumbnail', 'streams'), value);
    const meta = fc.record({
      id: text,
      name: text,
      type: value,
      runtime: value,
      released: value,
      videos: fc.array(video),
    });
    fc.assert(
      fc.property(meta, fc.constantFrom('movie', 'series', 'other'), (answer, type) => {
        const read = readMeta(answer, type, null);
        if (read === null) return;
        const pages = [previewPage([read], BASE), new SeriesItems(read, BASE).page(null)];
        for (const { items, media } of pages) {
          for (const item of items) expect(parseCataloguePath(item.path).mediaKey).toBe(item.mediaKey);
          for (const entry of media) expect(entry.parentKey).not.toBe(entry.key);
        }
      }),
      runs(300),
    );
  });

  test('streams and subtitles are read, or left out', () => {
    const stream = record(
      'url',
      'name',
      'description',
      'title',
      'behaviorHints',
      'subtitles',
      'infoHash',
      'externalUrl',
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.oneof(stream, value)), value), (answer) => {
        for (const { url } of readStreams(answer, BASE).playable) expect(url).toMatch(/^https?:\/\//);
        for (const { locator } of readSubtitles(answer, BASE)) expect(locator).toMatch(/^(?:https?:\/\/|\.\/)/);
      }),
      runs(300),
    );
  });
});
