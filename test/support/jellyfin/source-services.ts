// What a source of a catalogue stands on in tests: the real client, and a catalogue that is a map.
import { type Clock, systemClock } from '../../../src/clock.ts';
import { createLog } from '../../../src/log.ts';
import type { CataloguePage, CatalogueSource, FolderValidators } from '../../../src/sources/catalogue-source.ts';
import { jellyfinKind } from '../../../src/sources/jellyfin/jellyfin-kind.ts';
import type { KnownQuality, MediaSource, SourceServices, SourceTarget } from '../../../src/sources/media-source.ts';
import { OriginClient } from '../../../src/sources/origin-client.ts';
import { ALICE } from '../jellyfin-server.ts';

export const SIGNAL = new AbortController().signal;

export interface TestServices extends SourceServices {
  /** Pages that the source noted by itself. */
  readonly noted: CataloguePage[];
  /** As the appliance does with what is listed. */
  keep(page: CataloguePage): void;
}

export function testServices(clock: Clock = systemClock): TestServices {
  const qualities = new Map<string, KnownQuality>();
  const noted: CataloguePage[] = [];
  let ids = 0;
  const nothing = { container: null, sizeBytes: null, height: null, bitrate: null };
  const keep = ({ items, media = [] }: CataloguePage) => {
    for (const item of items) {
      const { mediaKey, quality, locator = null, container, sizeBytes, height = null, bitrate = null } = item;
      qualities.set(`${mediaKey} ${quality}`, { mediaKey, quality, locator, container, sizeBytes, height, bitrate });
    }
    for (const { key: mediaKey, artwork, subtitles } of media) {
      const sides = subtitles.map(({ locator }, at) => [`~sub-${at + 1}`, locator] as const);
      for (const [quality, locator] of [...sides, ['~poster', artwork] as const]) {
        qualities.set(`${mediaKey} ${quality}`, { mediaKey, quality, locator, ...nothing });
      }
    }
  };
  return {
    client: new OriginClient(clock),
    catalogue: {
      findQuality: async (_, mediaKey, quality) => qualities.get(`${mediaKey} ${quality}`) ?? null,
      noteItem: async (_, page) => {
        noted.push(page);
        keep(page);
      },
    },
    ownPort: () => 0,
    version: '1.2.3',
    randomId: () => {
      ids += 1;
      return `random-${String(ids).padStart(6, '0')}`;
    },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() }),
    noted,
    keep,
  };
}

export const PASSWORD = { username: ALICE.name, password: ALICE.password };

export function targetOf(
  url: string,
  credentials: SourceTarget['credentials'] = PASSWORD,
  options: Readonly<Record<string, unknown>> = {},
): SourceTarget {
  return {
    url: jellyfinKind.parseUrl(url).url,
    credentials: jellyfinKind.parseCredentials(credentials),
    local: true,
    options: jellyfinKind.parseOptions(options, { deviceId: 'larder-device' }, () => 'never'),
  };
}

export function openSource(target: SourceTarget, services: SourceServices): MediaSource {
  return jellyfinKind.create(7, 'attic', target, services);
}

export interface WholeFolder {
  readonly validators: FolderValidators;
  readonly isUnchanged: boolean;
  readonly changesOf: number | undefined;
  readonly expected: number | undefined;
  readonly pages: CataloguePage[];
}

export async function readFolder(
  catalogue: CatalogueSource,
  folder: string,
  known: FolderValidators | null = null,
): Promise<WholeFolder> {
  const reading = await catalogue.openFolder(folder, known, SIGNAL);
  const pages: CataloguePage[] = [];
  for await (const page of reading.pages) pages.push(page);
  const { etag, lastModified, isUnchanged, changesOf, expected } = reading;
  return { validators: { etag, lastModified }, isUnchanged, changesOf, expected, pages };
}

/** Every folder from the top down, each as it is named by those above it. */
export async function readAll(catalogue: CatalogueSource): Promise<Map<string, CataloguePage>> {
  const found = new Map<string, CataloguePage>();
  const due = [''];
  for (let folder = due.shift(); folder !== undefined; folder = due.shift()) {
    const { pages } = await readFolder(catalogue, folder);
    const folders = pages.flatMap((page) => page.folders);
    const media = pages.flatMap((page) => page.media ?? []);
    found.set(folder, { items: pages.flatMap((page) => page.items), folders, media });
    due.push(...folders);
  }
  return found;
}
