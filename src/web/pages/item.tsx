// One title: what of it is here, live; playing it; what is below and beside it; acting on it; what happened to it.

import { type HistoryProps, ItemHistory, ItemPage } from '../../../views/pages/item.tsx';
import { ItemChild } from '../../../views/parts/item-children.tsx';
import type { ItemPlayProps, SubtitleProps } from '../../../views/parts/item-play.tsx';
import { ItemQuality } from '../../../views/parts/item-quality.tsx';
import { Jobs } from '../../../views/parts/jobs.tsx';
import type { ItemProps } from '../../../views/parts/library-item.tsx';
import type { Rendered } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import type { LibraryItem } from '../../library/library.ts';
import { writeItem } from '../../library/playlist.ts';
import { readForm } from '../forms.ts';
import { AUTO, ItemAddresses } from '../item-addresses.ts';
import { type ItemPropsServices, isContainer, itemPropsOf } from '../item-props.ts';
import { numberingOf } from '../item-words.ts';
import { subtitleLabel } from '../language-words.ts';
import type { PageRequest } from '../live-page.ts';
import { type QualityPropsServices, qualityPropsOf } from '../quality-props.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { ID } from './entry-actions.ts';
import { shownJobs } from './library.tsx';

type ItemServices = ItemPropsServices &
  QualityPropsServices &
  Pick<WebServices, 'entryActions' | 'jobs' | 'events' | 'itemRefresh' | 'isCatalogue' | 'clock'>;

const HISTORY_SHOWN = 20;
/** Of an add-on there may be dozens; what happened is asked for one by one. */
const HISTORIES_MAX = 12;
const CHILDREN_PAGE = 100;

interface Shown {
  readonly item: LibraryItem;
  readonly children: readonly ItemProps[];
  readonly offset: number;
  readonly nextOffset: number | null;
}

export function addItemPages(routes: Routes, services: ItemServices): void {
  const { library, entryActions, jobs, events, clock, streamAddresses, itemRefresh, isCatalogue } = services;
  /** Gathered once for the regions and the page around them. */
  const gathered = new WeakMap<PageRequest, Promise<Shown | null>>();

  function shownOf(request: PageRequest): Promise<Shown | null> {
    const known = gathered.get(request) ?? gather(request);
    gathered.set(request, known);
    return known;
  }

  async function gather({ params, query, caller }: PageRequest): Promise<Shown | null> {
    const mediaId = idIn(params);
    const item = mediaId === null ? null : await library.find(mediaId);
    if (item === null) return null;
    const from = Number(query.get('from') ?? 0);
    const offset = Number.isSafeInteger(from) && from > 0 ? from : 0;
    if (!isContainer(item)) return { item, children: [], offset: 0, nextOffset: null };
    const { items, nextOffset } = await library.listChildren(item.mediaId, offset, CHILDREN_PAGE);
    return { item, children: await itemPropsOf(services, items, caller), offset, nextOffset };
  }

  async function historyOf(item: LibraryItem): Promise<HistoryProps> {
    const lists = await Promise.all(
      item.qualities.slice(0, HISTORIES_MAX).map(async ({ quality, path }) => {
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

  /** Addresses of what can be played; where a source has several qualities, first the one that chooses among them. */
  function playsOf(item: LibraryItem, addresses: ItemAddresses, playerAddress: string): ItemPlayProps[] {
    const playable = item.qualities.filter(({ refusal }) => refusal === null);
    const play = (quality: string, delivery: ItemPlayProps['delivery'], streamPath: string): ItemPlayProps => ({
      quality,
      delivery,
      streamPath,
      address: playerAddress + streamPath,
      playlistPath: `/items/${item.mediaId}/play.m3u?quality=${encodeURIComponent(quality)}`,
    });
    const each = playable.map(({ quality, path, delivery }) =>
      play(quality, delivery, addresses.fileOf(item.source, path)),
    );
    return playable.length > 1 && isCatalogue(item.source)
      ? [play(AUTO, 'auto', addresses.autoOf(item)), ...each]
      : each;
  }

  routes.livePage({
    path: '/items/:id',
    need: 'viewer',
    opened: async ({ params }) => {
      const mediaId = idIn(params);
      if (mediaId !== null) await itemRefresh.refresh(mediaId);
    },
    regions: async (request) => {
      const { page } = request;
      const shown = await shownOf(request);
      if (shown === null) return null;
      const { item, children } = shown;
      const entryIds = new Set(item.qualities.map((quality) => quality.entryId));
      const own = jobs.list().filter((job) => job.entryId !== null && entryIds.has(job.entryId));
      const regions: Record<string, Rendered> = {
        jobs: <Jobs page={page} jobs={page.visitor?.role === 'owner' ? shownJobs(own, clock.nowMs()) : []} />,
      };
      if (item.qualities.length > 0) regions.history = <ItemHistory page={page} events={await historyOf(item)} />;
      for (const [index, quality] of item.qualities.entries()) {
        const props = await qualityPropsOf(services, item, quality);
        regions[`quality-${index}`] = <ItemQuality page={page} quality={props} />;
      }
      for (const child of children) regions[`child-${child.id}`] = <ItemChild page={page} item={child} />;
      return regions;
    },
    render: async (request, regions, notice) => {
      const { page, caller } = request;
      const { item, children, offset, nextOffset } = (await shownOf(request))!;
      const { mediaId, title, year, type, source, addedAt, durationMs, overview } = item;
      const addresses = new ItemAddresses(streamAddresses, caller);
      const [, ...above] = (await library.listChains([mediaId])).get(mediaId) ?? [];
      const { subtitles, sameWork } = await library.listBeside(mediaId);
      return (
        <ItemPage
          page={page}
          notice={notice}
          regions={regions}
          {...{ title, year, type, source, durationMs, overview }}
          addedAtMs={addedAt}
          numbering={numberingOf(item)}
          posterPath={addresses.posterOf(item)}
          above={above.reverse().map((one) => ({ id: one.id, title: one.title }))}
          qualityCount={item.qualities.length}
          plays={playsOf(item, addresses, page.playerAddress)}
          subtitles={subtitles.map(
            (row): SubtitleProps => ({
              number: row.number,
              label: subtitleLabel({ language: row.language, title: row.title, isForced: row.forced }),
              language: row.language,
              format: row.format,
              path: addresses.subtitlesOf(item, row),
            }),
          )}
          below={isContainer(item) ? { path: `/items/${mediaId}`, items: children, offset, nextOffset, regions } : null}
          alsoAt={sameWork.map((one) => ({ id: one.mediaId, title: one.title, source: one.source }))}
        />
      );
    },
  });

  routes.get(`/items/:id${ID}/play.m3u`, 'viewer', async (context) => {
    const item = await library.find(Number(context.req.param('id')));
    const { playerAddress } = context.var.page;
    const plays =
      item === null ? [] : playsOf(item, new ItemAddresses(streamAddresses, context.var.caller), playerAddress);
    const wanted = context.req.query('quality');
    const play = plays.find(({ quality }) => quality === wanted) ?? plays[0];
    if (item === null || play === undefined) return context.text('There is no such item\n', 404);
    const title = item.year === null ? item.title : `${item.title} (${item.year})`;
    const entry = writeItem({
      title: qualityTitle(title, play.quality),
      group: item.source,
      address: play.address,
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

function idIn(params: PageRequest['params']): number | null {
  const id = Number(params.id);
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

function qualityTitle(title: string, quality: string): string {
  return quality === 'original' || quality === AUTO ? title : `${title}, ${quality}`;
}
