// One title: what of it is here, live; playing it; acting on it; what happened to it.

import { type HistoryProps, ItemHistory, ItemPage, type ItemPlayProps } from '../../../views/pages/item.tsx';
import { ItemQuality, type ItemQualityProps, type KeptProps } from '../../../views/parts/item-quality.tsx';
import { Jobs } from '../../../views/parts/jobs.tsx';
import type { Rendered } from '../../../views/render.ts';
import { signerOf } from '../../access/signed-addresses.ts';
import type { ByteRange } from '../../bytes/byte-range.ts';
import type { QualityRow } from '../../db/library.ts';
import { LarderError } from '../../errors.ts';
import { type EntryDetail, gapsOf } from '../../library/entry-details.ts';
import type { LibraryItem } from '../../library/library.ts';
import { writeItem } from '../../library/playlist.ts';
import { readForm } from '../forms.ts';
import type { PageRequest } from '../live-page.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { ID } from './entry-actions.ts';
import { shownJobs } from './library.tsx';

type ItemServices = Pick<
  WebServices,
  | 'library'
  | 'entryDetails'
  | 'entryActions'
  | 'jobs'
  | 'streamAddresses'
  | 'playedAtMs'
  | 'events'
  | 'durations'
  | 'capBytes'
  | 'clock'
>;

const HISTORY_SHOWN = 20;
const GAPS_SHOWN = 100;

export function addItemPages(routes: Routes, services: ItemServices): void {
  const { library, entryDetails, entryActions, jobs, events, durations, capBytes, clock } = services;
  const { streamAddresses, playedAtMs } = services;
  const found = new WeakMap<PageRequest, Promise<LibraryItem | null>>();

  function itemOf(request: PageRequest): Promise<LibraryItem | null> {
    const id = Number(request.params.id);
    const isId = Number.isSafeInteger(id) && id > 0;
    const item = found.get(request) ?? (isId ? library.find(id) : Promise.resolve(null));
    found.set(request, item);
    return item;
  }

  async function qualityProps(item: LibraryItem, quality: QualityRow): Promise<ItemQualityProps> {
    const detail = quality.entryId === null ? null : await entryDetails.find(quality.entryId);
    const isDropped = detail !== null && detail.removedAt !== null;
    return {
      itemId: item.mediaId,
      title: item.title,
      quality: quality.quality,
      container: quality.container,
      sizeBytes: detail?.totalBytes ?? quality.sizeBytes,
      dropped: isDropped ? { entryId: detail.entryId, bytes: detail.cachedBytes, leftMs: detail.undoMs ?? 0 } : null,
      kept:
        detail === null || isDropped
          ? null
          : keptProps(detail, {
              durationMs: await durations.find(detail),
              playedAtMs: playedAtMs(detail.entryId) ?? detail.lastPlayedAt,
              capBytes: capBytes(),
            }),
    };
  }

  async function historyOf(item: LibraryItem): Promise<HistoryProps> {
    const lists = await Promise.all(
      item.qualities.map(async ({ quality, path }) => {
        const found = await events.list({ subject: `${item.source}/${path}` }, HISTORY_SHOWN, null);
        const name = item.qualities.length > 1 ? quality : null;
        return found.map(({ id, at, text, severity }) => ({ id, atMs: at, quality: name, text, severity }));
      }),
    );
    return lists
      .flat()
      .sort((left, right) => right.id - left.id)
      .slice(0, HISTORY_SHOWN);
  }

  routes.livePage({
    path: '/items/:id',
    need: 'viewer',
    regions: async (request) => {
      const { page } = request;
      const item = await itemOf(request);
      if (item === null) return null;
      const entryIds = new Set(item.qualities.map((quality) => quality.entryId));
      const own = jobs.list().filter((job) => job.entryId !== null && entryIds.has(job.entryId));
      const regions: Record<string, Rendered> = {
        jobs: <Jobs page={page} jobs={page.visitor?.role === 'owner' ? shownJobs(own, clock.nowMs()) : []} />,
        history: <ItemHistory page={page} events={await historyOf(item)} />,
      };
      for (const [index, quality] of item.qualities.entries()) {
        const props = await qualityProps(item, quality);
        regions[`quality-${index}`] = <ItemQuality page={page} quality={props} />;
      }
      return regions;
    },
    render: async (request, regions, notice) => {
      const { page, caller } = request;
      const { title, year, type, source, addedAt, mediaId, qualities } = (await itemOf(request))!;
      const plays = qualities.map(({ quality, path }): ItemPlayProps => {
        const streamPath = streamAddresses.pathOf(source, path, signerOf(caller));
        const playlistPath = `/items/${mediaId}/play.m3u?quality=${encodeURIComponent(quality)}`;
        return { quality, streamPath, address: page.playerAddress + streamPath, playlistPath };
      });
      const facts = { title, year, type, source, addedAtMs: addedAt, plays };
      return <ItemPage page={page} notice={notice} regions={regions} {...facts} />;
    },
  });

  routes.get(`/items/:id${ID}/play.m3u`, 'viewer', async (context) => {
    const item = await library.find(Number(context.req.param('id')));
    const wanted = context.req.query('quality');
    const quality = item?.qualities.find((one) => one.quality === wanted) ?? item?.qualities[0];
    if (!item || quality === undefined) return context.text('There is no such item\n', 404);
    const { playerAddress } = context.var.page;
    const title = item.year === null ? item.title : `${item.title} (${item.year})`;
    const entry = writeItem({
      title: qualityTitle(title, quality.quality),
      group: item.source,
      address: playerAddress + streamAddresses.pathOf(item.source, quality.path, signerOf(context.var.caller)),
      durationSeconds: null,
    });
    const name = encodeURIComponent(`${title}.m3u`.replaceAll(/[\\/"]+/g, ' '));
    return context.body(`#EXTM3U\n${entry}`, 200, {
      'Content-Type': 'audio/x-mpegurl; charset=utf-8',
      'Content-Disposition': `attachment; filename="play.m3u"; filename*=UTF-8''${name}`,
    });
  });

  routes.action(`/items/:id${ID}/fetch`, 'owner', async (context) => {
    const item = await library.find(Number(context.req.param('id')));
    const { quality: wanted } = await readForm(context);
    const quality = item?.qualities.find((one) => one.quality === wanted);
    if (!item || quality === undefined) throw new LarderError('missing', 'that is not in the library any more');
    await entryActions.fetch(await entryActions.ensureEntry(quality, item.source));
    return {
      notice: { tone: 'done', text: `${item.title} is being fetched; what somebody watches goes first.` },
    };
  });

  routes.action(`/entries/:id${ID}/verify`, 'owner', async (context) => {
    const entryId = Number(context.req.param('id'));
    const { title } = await jobs.start('verify', { kind: 'entries', entryIds: [entryId] });
    return { notice: { tone: 'done', text: `${title ?? 'It'} is being compared with its checksums.` } };
  });
}

function qualityTitle(title: string, quality: string): string {
  return quality === 'original' ? title : `${title}, ${quality}`;
}

function asPair({ start, end }: ByteRange): readonly [number, number] {
  return [start, end];
}

interface KeptFacts {
  readonly durationMs: number | null;
  readonly playedAtMs: number | null;
  readonly capBytes: number;
}

function keptProps(detail: EntryDetail, { durationMs, playedAtMs, capBytes }: KeptFacts): KeptProps {
  const gaps = gapsOf(detail);
  return {
    entryId: detail.entryId,
    cachedBytes: detail.cachedBytes,
    isComplete: detail.isComplete,
    ranges: detail.ranges.map(asPair),
    inFlight: detail.inFlight.map(asPair),
    gaps: gaps.slice(0, GAPS_SHOWN).map(asPair),
    gapCount: gaps.length,
    isFetched: detail.isFetched,
    readerPositions: detail.readerPositions,
    download: detail.download,
    pinned: detail.pinned,
    durationMs,
    lastPlayedAtMs: playedAtMs,
    fetchedSinceMs: detail.generation?.createdAt ?? null,
    checkedAtMs: detail.generation?.checkedAt ?? null,
    verifiedAtMs: detail.generation?.verifiedAt ?? null,
    etag: detail.etag,
    lastModified: detail.generation?.lastModified ?? null,
    missing:
      detail.missingSince === null
        ? null
        : { sinceMs: detail.missingSince, reason: detail.missingReason ?? 'it did not say why' },
    isTooLarge: (detail.totalBytes ?? 0) > capBytes,
  };
}
