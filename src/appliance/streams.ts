// What answers stream addresses: from the words of an address to a file, a playlist or one of its pieces.
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { Throughput } from '../chunks/throughput.ts';
import type { UseLog } from '../chunks/use-log.ts';
import type { MediaTable } from '../db/media.ts';
import { PlaylistTable } from '../db/playlists.ts';
import { AutoQualities, readHeight } from '../library/auto-qualities.ts';
import type { Library } from '../library/library.ts';
import type { MediaCatalogue } from '../library/media-catalogue.ts';
import { MediaFinder } from '../library/media-finder.ts';
import { BufferPool } from '../proxy/buffer-pool.ts';
import { HlsHandler } from '../proxy/hls/hls-handler.ts';
import { HlsStreams } from '../proxy/hls/hls-streams.ts';
import type { Readers } from '../proxy/readers.ts';
import { StreamHandler } from '../proxy/stream-handler.ts';
import type { MediaSource } from '../sources/media-source.ts';
import type { OriginClient } from '../sources/origin-client.ts';
import type { ApplianceOptions } from './appliance-options.ts';
import type { Foundation } from './foundation.ts';

export interface StreamParts {
  readonly options: ApplianceOptions;
  readonly foundation: Foundation;
  readonly manager: ChunkManager;
  readonly media: MediaTable;
  readonly catalogue: MediaCatalogue;
  readonly client: OriginClient;
  readonly uses: UseLog;
  readonly readers: Readers;
  readonly library: Library;
  readonly throughput: Throughput;
  readonly findSource: (name: string) => MediaSource | undefined;
  /** A player asked for a piece of a playlist. */
  readonly playlistPlayed: (entryId: number, isWhole: boolean) => void;
  readonly ownPort: () => number;
  readonly newId: () => string;
}

export interface Streams {
  readonly handler: StreamHandler;
  readonly hls: HlsStreams;
  readonly finder: MediaFinder;
}

export function composeStreams(parts: StreamParts): Streams {
  const { options, foundation, manager, media, catalogue, client, uses, readers, findSource, ownPort, newId } = parts;
  const { library, throughput, playlistPlayed } = parts;
  const { database, entries, settings, log } = foundation;
  const { clock } = options;
  const finder = new MediaFinder({ media, catalogue, entries, clock, log: log.part('library') });
  const hls = new HlsStreams({
    manager,
    entries,
    playlists: new PlaylistTable(database.tables),
    uses,
    client,
    ownPort,
    findMedia: (source, mediaKey, quality) => finder.find(source, mediaKey, quality),
    played: playlistPlayed,
    clock,
    log: log.part('proxy'),
  });
  const qualities = new AutoQualities({
    findItem: async (sourceId, mediaKey) => {
      const mediaId = await media.findId(sourceId, mediaKey);
      return mediaId === null ? null : library.find(mediaId);
    },
    learn: (source, mediaKey) => finder.find(source, mediaKey, 'original'),
    throughputOf: (sourceId) => throughput.of(sourceId),
    maxHeight: () => readHeight(settings.current.maxQuality),
    clock,
  });
  const handler = new StreamHandler({
    manager,
    findSource,
    chooseQuality: (source, mediaKey, hints) => qualities.choose(source, mediaKey, hints),
    findMedia: async (source, mediaKey, quality) =>
      hls.find(source, mediaKey, quality) ?? finder.find(source, mediaKey, quality),
    hls: new HlsHandler({ streams: hls, client, ownPort }),
    pieceOpened: (source, address, reader) => hls.pieceOpened(source, address, reader),
    readers,
    pool: new BufferPool(),
    clock,
    log: log.part('proxy'),
    randomId: newId,
  });
  return { handler, hls, finder };
}
