// The catalogues of an add-on as folders to go through. No streams and no episodes are asked for on the way: that would
// be thousands of requests to a server that belongs to somebody else.
import { LarderError } from '../../errors.ts';
import { parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource, FolderReading, FolderValidators } from '../catalogue-source.ts';
import type { AddonReader, CatalogPage } from './addon-reader.ts';
import { previewPage } from './item-pages.ts';
import { type AddonCatalog, type AddonManifest, catalogFolder } from './manifest.ts';
import type { AddonMeta } from './metas.ts';
import type { StremioOptions } from './stremio-options.ts';

export interface StremioCatalogueParts {
  readonly id: number;
  readonly name: string;
  readonly reader: AddonReader;
  readonly options: () => StremioOptions;
  readonly hasItem: (mediaKey: string, signal: AbortSignal) => Promise<boolean>;
}

export class StremioCatalogue implements CatalogueSource {
  readonly id: number;
  readonly name: string;
  readonly #parts: StremioCatalogueParts;

  constructor(parts: StremioCatalogueParts) {
    this.id = parts.id;
    this.name = parts.name;
    this.#parts = parts;
  }

  async openFolder(folder: string, _known: FolderValidators | null, signal: AbortSignal): Promise<FolderReading> {
    const { reader, options } = this.#parts;
    const manifest = await reader.manifest({ isFresh: folder === '', signal });
    const catalogs = chosenCatalogs(manifest, options().catalogues);
    if (folder === '') {
      if (catalogs.length === 0) throw nothingListed(manifest, options().catalogues);
      return reading(onePage({ items: [], folders: catalogs.map(catalogFolder), media: [] }));
    }
    const catalog = catalogs.find((candidate) => catalogFolder(candidate) === folder);
    if (catalog === undefined) {
      throw new LarderError('not-found', 'the add-on has no such catalogue any more', {
        hint: 'the page of the source shows those that there are',
      });
    }
    const first = await reader.catalogPage(catalog, {}, signal);
    return reading(this.#pages(catalog, first, signal));
  }

  async hasFile(path: string, signal: AbortSignal): Promise<boolean> {
    return this.#parts.hasItem(parseCataloguePath(path).mediaKey, signal);
  }

  async *#pages(catalog: AddonCatalog, first: CatalogPage, signal: AbortSignal): AsyncGenerator<CataloguePage, void> {
    const { reader, options } = this.#parts;
    const { itemsPerCatalogue } = options();
    const seen = new Set<string>();
    let page = first;
    for (let skip = 0; ; ) {
      const metas = unseen(page.metas, seen).slice(0, itemsPerCatalogue - (skip === 0 ? 0 : seen.size));
      for (const { type, id } of metas) seen.add(`${type}/${id}`);
      if (metas.length > 0) yield previewPage(metas, reader.address.baseUrl);
      // A page has 100 by the SDK's documentation, and fewer at several add-ons that have more: the end is what brings
      // nothing new.
      if (metas.length === 0 || seen.size >= itemsPerCatalogue || !catalog.hasPages) return;
      skip += page.count;
      page = await reader.catalogPage(catalog, { skip }, signal);
    }
  }
}

/** The first of each id. */
function unseen(metas: readonly AddonMeta[], seen: ReadonlySet<string>): AddonMeta[] {
  const fresh = new Map<string, AddonMeta>();
  for (const meta of metas) {
    const name = `${meta.type}/${meta.id}`;
    if (!seen.has(name) && !fresh.has(name)) fresh.set(name, meta);
  }
  return [...fresh.values()];
}

export function chosenCatalogs(manifest: AddonManifest, chosen: readonly string[] | null): AddonCatalog[] {
  return manifest.catalogs.filter(
    (catalog) =>
      catalog.isListed && (chosen === null || chosen.includes(catalog.id) || chosen.includes(catalogFolder(catalog))),
  );
}

function nothingListed(manifest: AddonManifest, chosen: readonly string[] | null): LarderError {
  const listed = manifest.catalogs.filter(({ isListed }) => isListed);
  if (chosen !== null && listed.length > 0) {
    const names = listed.slice(0, 10).map(catalogFolder).join(', ');
    return new LarderError('no-listing', 'the add-on has none of the catalogues that were chosen', {
      hint: `choose among ${names}`,
    });
  }
  return new LarderError('no-listing', 'the add-on has no catalogue that can be listed', {
    hint: manifest.needsConfiguration
      ? 'it wants to be configured first: open its page, and give the address that comes of it'
      : 'its films can be found by searching only, or belong to catalogues of other add-ons',
  });
}

async function* onePage(page: CataloguePage): AsyncGenerator<CataloguePage, void> {
  yield page;
}

function reading(pages: AsyncGenerator<CataloguePage, void>): FolderReading {
  return { etag: null, lastModified: null, isUnchanged: false, isSelection: true, pages };
}
