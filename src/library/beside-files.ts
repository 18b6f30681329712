// What lies beside a film and is to be here when the film is: its picture and its subtitles.
import type { MediaTable } from '../db/media.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { MediaSource } from '../sources/media-source.ts';
import { POSTER } from './media-catalogue.ts';

export interface BesideServices {
  readonly media: Pick<MediaTable, 'findId' | 'findFacts' | 'listSubtitles'>;
  readonly findMedia: (source: MediaSource, mediaKey: string, quality: string) => Promise<MediaAddress>;
}

/** @throws LarderError when one of them is not known any more */
export async function findBesideFiles(
  source: MediaSource,
  mediaKey: string,
  { media, findMedia }: BesideServices,
): Promise<MediaAddress[]> {
  const mediaId = await media.findId(source.id, mediaKey);
  if (mediaId === null) return [];
  const [facts] = await media.findFacts([mediaId]);
  const subtitles = await media.listSubtitles([mediaId]);
  const qualities = [...(facts?.artwork == null ? [] : [POSTER]), ...subtitles.map(({ number }) => `~sub-${number}`)];
  return Promise.all(qualities.map((quality) => findMedia(source, mediaKey, quality)));
}
