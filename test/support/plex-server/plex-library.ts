// What a stand-in Plex server has, and how it writes it down: sections, titles, versions, parts and streams.
import { contentOf } from '../content.ts';

export interface PlexStandInSubtitle {
  readonly id: number;
  readonly language: string;
  readonly codec: string;
  readonly forced?: boolean;
}

export interface PlexStandInPart {
  id: number;
  changeStamp: number;
  sizeBytes: number;
  readonly container?: string;
  readonly subtitles?: readonly PlexStandInSubtitle[];
  /** Subtitles inside of the file besides one: most of what a real answer consists of. */
  readonly innerSubtitles?: number;
}

export interface PlexStandInVersion {
  readonly width?: number;
  readonly height?: number;
  /** In kbit/s, as Plex says it. */
  readonly bitrate?: number;
  readonly container?: string;
  readonly videoResolution?: string;
  readonly proxyType?: number;
  readonly parts: readonly PlexStandInPart[];
}

export interface PlexStandInTitle {
  readonly ratingKey: number;
  readonly type: string;
  readonly title: string;
  readonly year?: number;
  readonly index?: number;
  /** ratingKey of the season or show, of the album or artist. */
  readonly parent?: number;
  /** In seconds since 1970. */
  readonly addedAt?: number;
  updatedAt?: number;
  readonly duration?: number;
  readonly summary?: string;
  readonly guids?: readonly string[];
  readonly hasThumb?: boolean;
  versions?: readonly PlexStandInVersion[];
  /** Put over what is written of it: what a broken or hostile server says. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

export interface PlexStandInSection {
  readonly key: string;
  readonly type: string;
  readonly title: string;
  titles: PlexStandInTitle[];
  contentChangedAt?: number | null;
}

export const LONG_AGO_S = 1_600_000_000;
const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  movie: 1,
  show: 2,
  season: 3,
  episode: 4,
  artist: 8,
  album: 9,
  track: 10,
};

/** A film of one file: its numbers are made from its key. */
export function standInFilm(ratingKey: number, details: Partial<PlexStandInTitle> = {}): PlexStandInTitle {
  return {
    ratingKey,
    type: 'movie',
    title: `Film ${ratingKey}`,
    year: 1950 + (ratingKey % 70),
    duration: 5_400_000 + ratingKey,
    hasThumb: true,
    guids: [`imdb://tt${String(ratingKey).padStart(7, '0')}`],
    versions: [standInVersion(ratingKey * 10)],
    ...details,
  };
}

export function standInVersion(partId: number, details: Partial<PlexStandInVersion> = {}): PlexStandInVersion {
  return {
    width: 1920,
    height: 1080,
    bitrate: 9_000,
    container: 'mkv',
    parts: [{ id: partId, changeStamp: LONG_AGO_S + partId, sizeBytes: 400_000 + partId }],
    ...details,
  };
}

/** `count` films; as large as wished, for their bytes are made when they are asked for. */
export function standInFilms(count: number, firstKey = 1): PlexStandInTitle[] {
  return Array.from({ length: count }, (_, index) => standInFilm(firstKey + index));
}

export interface RowDetails {
  readonly streams: boolean;
  readonly guids: boolean;
}

export class PlexLibrary {
  readonly sections: PlexStandInSection[];
  readonly #byKey = new Map<number, PlexStandInTitle>();
  readonly #parts = new Map<number, PlexStandInPart>();

  constructor(sections: PlexStandInSection[]) {
    this.sections = sections;
    this.index();
  }

  /** After a change. */
  index(): void {
    this.#byKey.clear();
    this.#parts.clear();
    for (const { titles } of this.sections) {
      for (const title of titles) {
        if (!this.#byKey.has(title.ratingKey)) this.#byKey.set(title.ratingKey, title);
        for (const { parts } of title.versions ?? []) for (const part of parts) this.#parts.set(part.id, part);
      }
    }
  }

  find(ratingKey: number): PlexStandInTitle | undefined {
    return this.#byKey.get(ratingKey);
  }

  findPart(id: number): PlexStandInPart | undefined {
    return this.#parts.get(id);
  }

  all(section: PlexStandInSection, type: number | null): PlexStandInTitle[] {
    return section.titles.filter((title) => type === null || TYPE_NUMBERS[title.type] === type);
  }

  children(ratingKey: number): PlexStandInTitle[] {
    return [...this.#byKey.values()].filter((title) => title.parent === ratingKey);
  }

  leaves(ratingKey: number): PlexStandInTitle[] {
    return this.children(ratingKey).flatMap((child) => this.children(child.ratingKey));
  }

  directory(section: PlexStandInSection): Record<string, unknown> {
    const { key, type, title, contentChangedAt } = section;
    const changed = contentChangedAt === null ? {} : { contentChangedAt: contentChangedAt ?? 1_000 };
    return { key, type, title, uuid: `uuid-${key}`, refreshing: false, scannedAt: LONG_AGO_S, ...changed };
  }

  /** As a `Metadata` element. */
  row(title: PlexStandInTitle, { streams, guids }: RowDetails): Record<string, unknown> {
    const parent = title.parent === undefined ? undefined : this.find(title.parent);
    const grandparent = parent?.parent === undefined ? undefined : this.find(parent.parent);
    const { ratingKey, type, summary, year, index, duration } = title;
    const updatedAt = title.updatedAt ?? LONG_AGO_S;
    return withoutUndefined({
      // A text in what is written, unlike other numbers (plex-api-spec.yaml, examples of `Metadata`).
      ratingKey: String(ratingKey),
      key: `/library/metadata/${ratingKey}`,
      type,
      title: title.title,
      summary,
      year,
      index,
      duration,
      addedAt: title.addedAt ?? LONG_AGO_S,
      updatedAt,
      thumb: title.hasThumb === true ? `/library/metadata/${ratingKey}/thumb/${updatedAt}` : undefined,
      parentRatingKey: parent === undefined ? undefined : String(parent.ratingKey),
      parentTitle: parent?.title,
      parentIndex: parent?.index,
      grandparentRatingKey: grandparent === undefined ? undefined : String(grandparent.ratingKey),
      grandparentTitle: grandparent?.title,
      Guid: guids ? title.guids?.map((id) => ({ id })) : undefined,
      Media: title.versions?.map((version, at) => mediaOf(version, ratingKey * 100 + at, streams)),
      ...title.overrides,
    });
  }
}

function mediaOf(version: PlexStandInVersion, id: number, streams: boolean): Record<string, unknown> {
  const { parts, ...fields } = version;
  return withoutUndefined({
    id,
    videoCodec: version.height === undefined ? undefined : 'h264',
    audioCodec: 'aac',
    ...fields,
    Part: parts.map((part) => {
      const container = part.container ?? version.container ?? 'mkv';
      return withoutUndefined({
        id: part.id,
        key: partKey(part, container),
        file: `/media/${part.id}.${container}`,
        size: part.sizeBytes,
        container,
        Stream: streams ? streamsOf(part) : undefined,
      });
    }),
  });
}

/** `/library/parts/{partId}/{changestamp}/{filename}` (plex-api-spec.yaml, `getMediaPart`). */
export function partKey(part: PlexStandInPart, container = 'mkv'): string {
  return `/library/parts/${part.id}/${part.changeStamp}/file.${container}`;
}

/** The picture, the sound, subtitles inside of the file, which have no key, and those beside it, which have one. */
function streamsOf(part: PlexStandInPart): Record<string, unknown>[] {
  return [
    { id: part.id * 10, streamType: 1, codec: 'h264' },
    { id: part.id * 10 + 1, streamType: 2, codec: 'aac', languageCode: 'eng' },
    { id: part.id * 10 + 2, streamType: 3, codec: 'srt', languageCode: 'eng' },
    ...Array.from({ length: part.innerSubtitles ?? 0 }, (_, at) => ({
      id: part.id * 10 + 3 + at,
      streamType: 3,
      codec: 'srt',
      index: at + 3,
      bitrate: 61,
      canAutoSync: false,
      language: 'English',
      languageTag: 'en',
      languageCode: 'eng',
      displayTitle: 'English (SRT)',
      extendedDisplayTitle: 'English (SRT)',
    })),
    ...(part.subtitles ?? []).map(({ id, language, codec, forced }) => ({
      id,
      key: `/library/streams/${id}`,
      streamType: 3,
      codec,
      format: codec,
      languageTag: language,
      displayTitle: `${language} (${codec})`,
      ...(forced === true ? { forced: true } : {}),
    })),
  ];
}

/** Seed of a part's content: the file is what its change stamp says, whatever number it has. */
export function seedOfPart(part: Pick<PlexStandInPart, 'changeStamp'>): number {
  return part.changeStamp;
}

export function partBytes(part: PlexStandInPart, start: number, end: number): Uint8Array {
  return contentOf(seedOfPart(part), start, end);
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
