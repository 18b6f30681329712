// What a stand-in for Jellyfin holds: films, series and music that are made up when they are asked for, so that a
// hundred thousand of them cost nothing. Each id says what it is of; what a test edits is held beside. What it says of
// them is of the types that are generated from the server's own description (@jellyfin/sdk): a wrong name or a missing
// one does not compile.
import type {
  BaseItemDto,
  CollectionType,
  MediaSourceInfo,
  MediaStream,
} from '@jellyfin/sdk/lib/generated-client/models';

export interface LibraryPlan {
  readonly movies?: number;
  /** Each n-th film has a second version in 720p. */
  readonly versionsEvery?: number;
  /** Each n-th film is a `.strm` file that leads elsewhere. */
  readonly strmEvery?: number;
  readonly series?: number;
  readonly seasonsEach?: number;
  readonly episodesEach?: number;
  /** Each n-th episode is missing: known by its guide only. */
  readonly virtualEvery?: number;
  readonly albums?: number;
  readonly tracksEach?: number;
  readonly videos?: number;
  readonly fileBytes?: number;
  /** Subtitles inside of each film and episode: most of what a real answer consists of. */
  readonly innerSubtitles?: number;
  readonly serverId?: string;
  /** Where what is in `.strm` files is. */
  readonly remoteUrl?: string;
}

export type ItemKind = 'Movie' | 'Series' | 'Season' | 'Episode' | 'MusicAlbum' | 'Audio' | 'Video';

export interface ItemEdit {
  readonly name?: string;
  /** Counts up with each replacement of the file. */
  readonly fileVersion?: number;
  readonly savedAtMs?: number;
  readonly isDeleted?: boolean;
  /** Over what the server would say of it. */
  readonly fields?: BaseItemDto;
}

export interface Library {
  readonly id: string;
  readonly name: string;
  readonly collectionType: CollectionType;
  readonly kinds: readonly ItemKind[];
}

const KINDS: readonly ItemKind[] = ['Movie', 'Series', 'Season', 'Episode', 'MusicAlbum', 'Audio', 'Video'];
/** Marks the second version of a film in its id. */
const SECOND = 'b';
/** When all of it was saved first. */
export const FIRST_SAVED_MS = Date.UTC(2025, 0, 1);
const TICKS_PER_MINUTE = 600_000_000;

export const LIBRARIES: readonly Library[] = [
  { id: 'f1'.padEnd(32, '0'), name: 'Films', collectionType: 'movies', kinds: ['Movie'] },
  { id: 'f2'.padEnd(32, '0'), name: 'Shows', collectionType: 'tvshows', kinds: ['Series', 'Season', 'Episode'] },
  { id: 'f3'.padEnd(32, '0'), name: 'Music', collectionType: 'music', kinds: ['MusicAlbum', 'Audio'] },
  { id: 'f4'.padEnd(32, '0'), name: 'Home', collectionType: 'homevideos', kinds: ['Video'] },
];

/** 32 digits: the kind, which version of it, and its number. */
export function idOf(kind: ItemKind, index: number, version = 'a'): string {
  return `${version}${KINDS.indexOf(kind)}${index.toString(16).padStart(30, '0')}`;
}

export function dashed(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** With all that the server says of a stream (MediaStream.cs). */
function innerSubtitle(index: number): MediaStream {
  return {
    Codec: 'subrip',
    Language: 'eng',
    TimeBase: '1/1000',
    VideoRange: 'Unknown',
    VideoRangeType: 'Unknown',
    AudioSpatialFormat: 'None',
    LocalizedUndefined: 'Undefined',
    LocalizedDefault: 'Default',
    LocalizedForced: 'Forced',
    LocalizedExternal: 'External',
    LocalizedHearingImpaired: 'Hearing Impaired',
    DisplayTitle: `English ${index} - Default - SUBRIP`,
    IsInterlaced: false,
    IsAVC: false,
    IsDefault: false,
    IsForced: false,
    IsHearingImpaired: false,
    Height: 0,
    Width: 0,
    Type: 'Subtitle',
    Index: index,
    IsExternal: false,
    IsTextSubtitleStream: true,
    SupportsExternalStream: true,
    Level: 0,
  };
}

function hash(text: string): string {
  return new Bun.CryptoHasher('md5').update(text).digest('hex');
}

export class JellyfinLibrary {
  readonly #plan: Required<Omit<LibraryPlan, 'remoteUrl'>> & { readonly remoteUrl: string | null };
  readonly #edits = new Map<string, ItemEdit>();

  constructor(plan: LibraryPlan) {
    this.#plan = {
      movies: plan.movies ?? 0,
      versionsEvery: plan.versionsEvery ?? 0,
      strmEvery: plan.strmEvery ?? 0,
      series: plan.series ?? 0,
      seasonsEach: plan.seasonsEach ?? 2,
      episodesEach: plan.episodesEach ?? 3,
      virtualEvery: plan.virtualEvery ?? 0,
      albums: plan.albums ?? 0,
      tracksEach: plan.tracksEach ?? 10,
      videos: plan.videos ?? 0,
      fileBytes: plan.fileBytes ?? 1_000_000,
      innerSubtitles: plan.innerSubtitles ?? 0,
      serverId: plan.serverId ?? 'd'.repeat(32),
      remoteUrl: plan.remoteUrl ?? null,
    };
  }

  get libraries(): readonly Library[] {
    return LIBRARIES.filter(({ kinds }) => kinds.some((kind) => this.count(kind) > 0));
  }

  /** All that were ever there. */
  count(kind: ItemKind): number {
    const { movies, series, seasonsEach, episodesEach, albums, tracksEach, videos } = this.#plan;
    const counts: Record<ItemKind, number> = {
      Movie: movies,
      Series: series,
      Season: series * seasonsEach,
      Episode: series * seasonsEach * episodesEach,
      MusicAlbum: albums,
      Audio: albums * tracksEach,
      Video: videos,
    };
    return counts[kind];
  }

  edit(id: string, edit: ItemEdit): void {
    this.#edits.set(id, { ...this.#edits.get(id), savedAtMs: Date.now(), ...edit });
  }

  addMovies(count: number): void {
    const first = this.#plan.movies;
    Object.assign(this.#plan, { movies: first + count });
    for (let index = first; index < first + count; index += 1) this.edit(idOf('Movie', index), {});
  }

  /** Of which item the id is, of a version too; null of none that is there. */
  find(id: string): { readonly kind: ItemKind; readonly index: number; readonly isSecond: boolean } | null {
    const kind = KINDS[Number(id[1])];
    const index = Number.parseInt(id.slice(2), 16);
    if (!/^[ab][0-6][0-9a-f]{30}$/.test(id) || kind === undefined || index >= this.count(kind)) return null;
    const isSecond = id.startsWith(SECOND);
    if (isSecond && !this.#hasSecond(kind, index)) return null;
    return this.#edits.get(idOf(kind, index))?.isDeleted ? null : { kind, index, isSecond };
  }

  /** Indexes of items of the kind, in the order of their making. */
  *indexes(kind: ItemKind, sinceMs: number | null, withVirtual: boolean, from: number): Generator<number> {
    const isPlain = this.#edits.size === 0 && (withVirtual || this.#plan.virtualEvery === 0);
    if (sinceMs !== null && sinceMs > FIRST_SAVED_MS) {
      let skipped = 0;
      const edited = [...this.#edits].flatMap(([id, { savedAtMs = 0, isDeleted }]) => {
        const found = isDeleted || savedAtMs < sinceMs ? null : this.find(id);
        return found === null || found.kind !== kind ? [] : [found.index];
      });
      for (const index of edited.sort((one, other) => one - other)) if (skipped++ >= from) yield index;
      return;
    }
    let passed = isPlain ? from : 0;
    for (let index = passed; index < this.count(kind); index += 1) {
      if (!isPlain && (this.find(idOf(kind, index)) === null || (!withVirtual && this.isVirtual(kind, index))))
        continue;
      if (isPlain || passed >= from) yield index;
      passed += 1;
    }
  }

  total(kind: ItemKind, sinceMs: number | null, withVirtual: boolean): number {
    const isWhole = this.#edits.size === 0 && (withVirtual || this.#plan.virtualEvery === 0);
    if (isWhole && (sinceMs === null || sinceMs <= FIRST_SAVED_MS)) return this.count(kind);
    let total = 0;
    for (const _ of this.indexes(kind, sinceMs, withVirtual, 0)) total += 1;
    return total;
  }

  isVirtual(kind: ItemKind, index: number): boolean {
    const { virtualEvery } = this.#plan;
    return kind === 'Episode' && virtualEvery > 0 && index % virtualEvery === virtualEvery - 1;
  }

  #hasSecond(kind: ItemKind, index: number): boolean {
    const { versionsEvery } = this.#plan;
    return kind === 'Movie' && versionsEvery > 0 && index % versionsEvery === 0;
  }

  isRemote(kind: ItemKind, index: number): boolean {
    const { strmEvery } = this.#plan;
    return kind === 'Movie' && strmEvery > 0 && index % strmEvery === strmEvery - 1;
  }

  fileVersion(id: string): number {
    return this.#edits.get(id)?.fileVersion ?? 1;
  }

  /** Of the content of the file, as `contentOf` takes it. */
  seedOf(id: string): number {
    return Number.parseInt(hash(`${id} ${this.fileVersion(id)}`).slice(0, 7), 16);
  }

  /** Films of a length of their own, so that none is taken for another. */
  sizeOf(id: string): number {
    return this.#plan.fileBytes + (Number.parseInt(id.slice(-4), 16) % 1_000) + this.fileVersion(id) - 1;
  }

  modifiedAtMs(id: string): number {
    return FIRST_SAVED_MS + this.fileVersion(id) * 86_400_000;
  }

  /** The parent by which a list is narrowed down, if the item is below it. */
  isBelow(kind: ItemKind, index: number, parentId: string): boolean {
    const library = LIBRARIES.find(({ id }) => id === parentId);
    if (library !== undefined) return library.kinds.includes(kind);
    return this.#parentsOf(kind, index).includes(parentId);
  }

  #parentsOf(kind: ItemKind, index: number): string[] {
    const { seasonsEach, episodesEach, tracksEach } = this.#plan;
    if (kind === 'Season') return [idOf('Series', Math.floor(index / seasonsEach))];
    if (kind === 'Audio') return [idOf('MusicAlbum', Math.floor(index / tracksEach))];
    if (kind !== 'Episode') return [];
    const season = Math.floor(index / episodesEach);
    return [idOf('Season', season), idOf('Series', Math.floor(season / seasonsEach))];
  }

  /** BaseItemDto. Ids of items come without dashes, and some servers write them with. */
  describe(
    kind: ItemKind,
    index: number,
    wanted: { readonly sources: boolean; readonly withDashes: boolean },
  ): BaseItemDto {
    const id = idOf(kind, index);
    const edit = this.#edits.get(id);
    const write = (text: string) => (wanted.withDashes ? dashed(text) : text);
    const isVirtual = this.isVirtual(kind, index);
    const { seasonsEach, episodesEach, tracksEach } = this.#plan;
    const number = String(index).padStart(6, '0');
    const isFile = kind !== 'Series' && kind !== 'Season' && kind !== 'MusicAlbum' && !isVirtual;
    const own: BaseItemDto = {
      Name: edit?.name ?? `${kind} ${number}`,
      ServerId: this.#plan.serverId,
      Id: write(id),
      Type: kind,
      IsFolder: !isFile && !isVirtual,
      LocationType: isVirtual ? 'Virtual' : 'FileSystem',
      ImageTags: { Primary: hash(`image ${id}`) },
      RunTimeTicks: isFile ? 90 * TICKS_PER_MINUTE : null,
      ProductionYear: kind === 'Episode' || kind === 'Season' ? null : 1950 + (index % 70),
      ProviderIds: kind === 'Movie' ? { Imdb: `tt${7_000_000 + index}`, Tmdb: String(index + 1) } : {},
      Overview: `About ${kind} ${number}.`,
      ...(wanted.sources && isFile ? { MediaSources: this.#sources(kind, index) } : {}),
    };
    if (kind === 'Season') {
      const series = Math.floor(index / seasonsEach);
      Object.assign(own, {
        Name: `Season ${(index % seasonsEach) + 1}`,
        IndexNumber: (index % seasonsEach) + 1,
        SeriesId: write(idOf('Series', series)),
        SeriesName: `Series ${String(series).padStart(6, '0')}`,
      });
    } else if (kind === 'Episode') {
      const season = Math.floor(index / episodesEach);
      const series = Math.floor(season / seasonsEach);
      Object.assign(own, {
        IndexNumber: (index % episodesEach) + 1,
        ParentIndexNumber: (season % seasonsEach) + 1,
        SeasonId: write(idOf('Season', season)),
        SeriesId: write(idOf('Series', series)),
        SeriesName: `Series ${String(series).padStart(6, '0')}`,
      });
    } else if (kind === 'Audio') {
      const album = Math.floor(index / tracksEach);
      Object.assign(own, {
        IndexNumber: (index % tracksEach) + 1,
        ParentIndexNumber: 1,
        AlbumId: write(idOf('MusicAlbum', album)),
        Album: `MusicAlbum ${String(album).padStart(6, '0')}`,
        AlbumArtist: `Artist ${album % 100}`,
        Artists: [`Artist ${album % 100}`],
      });
    }
    return { ...own, ...edit?.fields };
  }

  #sources(kind: ItemKind, index: number): MediaSourceInfo[] {
    const id = idOf(kind, index);
    if (kind === 'Audio') {
      const audio: MediaStream = { Type: 'Audio', Index: 0, Codec: 'flac', Channels: 2, IsExternal: false };
      return [{ ...this.#file(id), Container: 'flac', Bitrate: 900_000, MediaStreams: [audio] }];
    }
    const streams = (width: number, height: number): MediaStream[] => [
      { Type: 'Video', Index: 0, Codec: 'h264', Width: width, Height: height, IsExternal: false },
      { Type: 'Audio', Index: 1, Codec: 'aac', Language: 'eng', Channels: 2, IsExternal: false },
      ...Array.from({ length: this.#plan.innerSubtitles }, (_, at) => innerSubtitle(at + 3)),
    ];
    const external: MediaStream = {
      Type: 'Subtitle',
      Index: 2,
      Codec: 'subrip',
      Language: 'ger',
      Title: 'Deutsch',
      IsExternal: true,
      IsTextSubtitleStream: true,
      IsForced: false,
    };
    const first: MediaSourceInfo = {
      ...this.#file(id),
      Container: 'mkv',
      Bitrate: 12_000_000,
      VideoType: 'VideoFile',
      MediaStreams: kind === 'Movie' ? [...streams(1920, 1080), external] : streams(1920, 1080),
    };
    if (this.isRemote(kind, index)) {
      const remote: MediaSourceInfo = {
        Protocol: 'Http',
        IsRemote: true,
        Path: `${this.#plan.remoteUrl}film-${index}.mp4`,
      };
      return [{ ...first, ...remote, Container: 'strm', Size: null, Bitrate: null, MediaStreams: [] }];
    }
    if (!this.#hasSecond(kind, index)) return [first];
    const second = idOf(kind, index, SECOND);
    const smaller = { Container: 'mov,mp4,m4a,3gp,3g2,mj2', Path: `/media/${second}.mp4`, Bitrate: 3_000_000 };
    return [first, { ...first, ...this.#file(second), ...smaller, MediaStreams: streams(1280, 720) }];
  }

  #file(id: string): MediaSourceInfo {
    return {
      Id: id,
      Protocol: 'File',
      Type: 'Default',
      Path: `/media/${id}.mkv`,
      Size: this.sizeOf(id),
      // BaseItem.cs, GetVersionInfo: of the time at which the file was changed.
      ETag: hash(String(this.modifiedAtMs(id))),
      IsRemote: false,
      IsInfiniteStream: false,
      SupportsDirectPlay: true,
      SupportsDirectStream: true,
      SupportsTranscoding: true,
    };
  }
}
