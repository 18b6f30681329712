// What a Plex source stands on in tests: the client that fetches films, over real sockets, and a catalogue in memory
// that keeps what the pages say as the database does.
import { createLog } from '../../../src/log.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import type {
  CatalogueItem,
  CatalogueMedia,
  CataloguePage,
  CatalogueSource,
} from '../../../src/sources/catalogue-source.ts';
import type { KnownQuality, ResolveOptions, SourceServices, SourceTarget } from '../../../src/sources/media-source.ts';
import { OriginClient } from '../../../src/sources/origin-client.ts';
import { plexKind } from '../../../src/sources/plex/plex-kind.ts';
import type { PlexSource } from '../../../src/sources/plex/plex-source.ts';
import { FakeClock } from '../fake-clock.ts';
import type { PlexServer } from '../plex-server.ts';

export class MemoryCatalogue {
  readonly items = new Map<string, CatalogueItem>();
  readonly media = new Map<string, CatalogueMedia>();
  readonly noted: CataloguePage[] = [];

  put(page: CataloguePage): void {
    for (const item of page.items) this.items.set(`${item.mediaKey}:${item.quality}`, item);
    for (const media of page.media ?? []) this.media.set(media.key, media);
  }

  findQuality(_sourceId: number, mediaKey: string, quality: string): Promise<KnownQuality | null> {
    return Promise.resolve(quality.startsWith('~') ? this.#side(mediaKey, quality) : this.#file(mediaKey, quality));
  }

  noteItem(_sourceId: number, page: CataloguePage): Promise<void> {
    this.noted.push(page);
    this.put(page);
    return Promise.resolve();
  }

  #file(mediaKey: string, quality: string): KnownQuality | null {
    const item = this.items.get(`${mediaKey}:${quality}`);
    if (item === undefined) return null;
    const { container, sizeBytes, locator = null, height = null, bitrate = null } = item;
    return { mediaKey, quality, locator, container, sizeBytes, height, bitrate };
  }

  #side(mediaKey: string, quality: string): KnownQuality | null {
    const media = this.media.get(mediaKey);
    const subtitle = media?.subtitles[Number(quality.replace('~sub-', '')) - 1];
    const locator = quality === '~poster' ? media?.artwork : subtitle?.locator;
    if (locator === undefined || locator === null) return null;
    return { mediaKey, quality, locator, container: null, sizeBytes: null, height: null, bitrate: null };
  }
}

export interface PlexHarness {
  readonly source: PlexSource;
  readonly target: SourceTarget;
  readonly services: SourceServices;
  readonly catalogue: MemoryCatalogue;
}

export function plexServices(catalogue: MemoryCatalogue = new MemoryCatalogue()): SourceServices {
  const clock = new FakeClock();
  let lastId = 0;
  return {
    client: new OriginClient(clock),
    catalogue,
    ownPort: () => 1,
    version: '0.1.0',
    randomId: () => `random-${++lastId}`,
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
  };
}

export function plexHarness(plex: PlexServer, changes: Partial<SourceTarget> = {}): PlexHarness {
  const catalogue = new MemoryCatalogue();
  const services = plexServices(catalogue);
  const target: SourceTarget = {
    url: plex.url,
    credentials: { token: plex.token },
    local: true,
    options: plexKind.parseOptions({}, null, () => 'client-1'),
    ...changes,
  };
  return { source: plexKind.create(1, 'plex', target, services) as PlexSource, target, services, catalogue };
}

export const WATCHED: ResolveOptions = { isFresh: false, isBackground: false };
export const REFUSED: ResolveOptions = { isFresh: true, isBackground: false };
export const BACKGROUND: ResolveOptions = { isFresh: false, isBackground: true };

/** The address of a quality, as the appliance makes one of a stored path. */
export function addressOf(mediaKey: string | number, quality: string, container = 'mkv') {
  return parseCataloguePath(`Film/${mediaKey}:${quality}.${container}`);
}

/** All pages of a folder. */
export async function readFolder(catalogue: CatalogueSource, folder: string, known = NOTHING_KNOWN) {
  const reading = await catalogue.openFolder(folder, known, new AbortController().signal);
  const pages: CataloguePage[] = [];
  for await (const page of reading.pages) pages.push(page);
  return {
    reading,
    pages,
    items: pages.flatMap((page) => page.items),
    media: pages.flatMap((page) => page.media ?? []),
    folders: pages.flatMap((page) => page.folders),
  };
}

export const NOTHING_KNOWN: Parameters<CatalogueSource['openFolder']>[1] = null;

/** @throws Error when it does not fail */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  if (outcome === null) throw new Error('it did not fail');
  return outcome.error;
}
