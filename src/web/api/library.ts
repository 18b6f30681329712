// Items of the library and entries of the cache: listed, looked at, acted upon, alone and many at once.

import { createRoute, z } from '@hono/zod-openapi';
import { signerOf } from '../../access/signed-addresses.ts';
import type { EntryCursor, EntrySummary } from '../../db/entries.ts';
import type { ItemCursor, QualityRow } from '../../db/library.ts';
import type { SubtitleRow } from '../../db/media.ts';
import { LarderError } from '../../errors.ts';
import { BULK_ACTIONS, type JobState } from '../../library/bulk-jobs.ts';
import type { DownloadState } from '../../library/download-state.ts';
import { type EntryDetail, isComplete } from '../../library/entry-details.ts';
import { refuseBeyondCap } from '../../library/fetch-fit.ts';
import { AVAILABILITIES, ITEM_SORTS, type ItemFilter } from '../../library/item-filter.ts';
import type { LibraryItem } from '../../library/library.ts';
import { POSTER } from '../../library/media-catalogue.ts';
import type { Selection } from '../../library/selections.ts';
import { cataloguePath } from '../../sources/catalogue-path.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { readItemCursor, writeItemCursor } from '../library-query.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import type { ApiContext } from './api-environment.ts';
import { taggedJson } from './entity-tag.ts';
import { jsonAnswer, jsonBody, listOf, pagingQuery } from './paging.ts';

const ITEM_TYPES = ['movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio', 'file'] as const;
const QUERY_MAX = 1_000;
const IDS_MAX = 1_000;

const id = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const moment = z.number().int().openapi({ description: 'Milliseconds since 1970' });
const bytes = z.number().int();
const idParams = z.object({ id });
const yes = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');

const qualitySchema = z
  .object({
    quality: z.string(),
    entryId: z.number().int().nullable().openapi({ description: 'Its entry in the cache; null when it has none' }),
    width: z.number().int().nullable(),
    height: z.number().int().nullable(),
    bitrate: z.number().int().nullable(),
    container: z.string().nullable(),
    videoCodec: z.string().nullable(),
    audioCodec: z.string().nullable(),
    delivery: z.enum(['file', 'growing', 'hls']).openapi({
      description: 'growing: converted as it comes, without a length until it is whole; hls: a playlist with pieces',
    }),
    refusal: z.string().nullable().openapi({ description: 'Why it cannot be played through Larder' }),
    size: bytes.nullable(),
    seekable: z.boolean().nullable(),
    cachedBytes: bytes,
    complete: z.boolean(),
    pinned: z.boolean(),
    streamUrl: z.string(),
    subtitles: z.array(z.object({ language: z.string().nullable(), url: z.string() })),
  })
  .openapi('Quality');

const itemSchema = z
  .object({
    id: z.number().int(),
    type: z.enum(ITEM_TYPES),
    title: z.string(),
    year: z.number().int().nullable(),
    parentId: z.number().int().nullable(),
    season: z.number().int().nullable(),
    episode: z.number().int().nullable(),
    durationMs: z.number().int().nullable(),
    overview: z.string().nullable(),
    artworkUrl: z.string().nullable(),
    source: z.string(),
    availability: z.enum(AVAILABILITIES),
    cachedBytes: bytes,
    pinned: z.boolean(),
    unreachable: z.boolean().openapi({ description: 'Its origin does not give it now' }),
    addedAt: moment,
    lastUsedAt: moment.nullable(),
    qualities: z.array(qualitySchema),
  })
  .openapi('Item');

const entrySchema = z
  .object({
    id: z.number().int(),
    source: z.string(),
    media: z.number().int().openapi({ description: 'Id of the item' }),
    quality: z.string(),
    title: z.string(),
    path: z.string(),
    size: bytes.nullable(),
    cachedBytes: bytes,
    complete: z.boolean(),
    ranges: z.array(z.array(bytes)).openapi({ description: 'Half-open pairs [start, end)' }),
    etag: z.string().nullable(),
    lastUsedAt: moment,
    pinned: z.boolean(),
    missingSince: moment.nullable().openapi({ description: 'Since when its origin says that it has no such file' }),
    removedAt: moment.nullable().openapi({ description: 'When it was dropped; it can still be restored' }),
    streamUrl: z.string(),
  })
  .openapi('Entry');

const entryDetailSchema = entrySchema
  .extend({
    wanted: z.boolean().openapi({ description: 'Somebody asked for the rest of it' }),
    download: z
      .object({
        state: z.enum(['queued', 'running', 'failed']).openapi({ description: '"failed" is not tried again' }),
        resting: z.boolean().openapi({
          description: 'It stands still while somebody who plays from the same source waits for bytes',
        }),
        attempts: z.number().int().openapi({ description: 'That failed' }),
        nextAttemptAt: moment.nullable().openapi({ description: 'Not before; null unless it is queued' }),
        error: z.string().nullable().openapi({ description: 'What went wrong last' }),
      })
      .nullable()
      .openapi({ description: 'Null when nobody asked for the rest of it' }),
    readers: z.array(bytes).openapi({ description: 'Positions of those who read it now' }),
    inFlight: z.array(z.array(bytes)),
    checkedAt: moment.nullable().openapi({ description: 'When its origin last confirmed this version' }),
    verifiedAt: moment.nullable().openapi({ description: 'When it was last compared with its checksums' }),
  })
  .openapi('EntryDetail');

const jobSchema = z
  .object({
    id: z.string(),
    action: z.enum(BULK_ACTIONS),
    state: z.enum(['waiting', 'running', 'done', 'stopped']),
    startedAt: moment,
    endedAt: moment.nullable(),
    items: z.number().int(),
    itemsDone: z.number().int(),
    entriesDone: z.number().int(),
    bytesDone: bytes,
    damagedBytes: bytes,
    failureCount: z.number().int(),
    failures: z
      .array(
        z.object({
          entryId: z.number().int().nullable(),
          itemId: z.number().int(),
          title: z.string(),
          detail: z.string(),
          hint: z.string().nullable(),
        }),
      )
      .openapi({ description: 'The first hundred' }),
  })
  .openapi('Job');

const filterFields = {
  q: z.string().max(QUERY_MAX).optional().openapi({ description: 'Words or beginnings of words' }),
  source: z.string().max(QUERY_MAX).optional(),
  type: z
    .enum(ITEM_TYPES)
    .optional()
    .openapi({ description: '"file" is what lies beside media: it is listed only when it is asked for' }),
  availability: z.enum(AVAILABILITIES).optional(),
};

const itemsQuery = pagingQuery.extend({
  ...filterFields,
  parent: id.optional(),
  unreachable: yes.optional(),
  pinned: yes.optional(),
  sort: z.enum(ITEM_SORTS).default('title'),
});

const filterBody = z.strictObject({
  ...filterFields,
  unreachable: z.boolean().optional(),
  pinned: z.boolean().optional(),
});

const ids = z.array(z.number().int().positive().max(Number.MAX_SAFE_INTEGER)).min(1).max(IDS_MAX);

const bulkSchema = z.strictObject({
  action: z.enum(BULK_ACTIONS).openapi({ description: '"drop" can be taken back for ten minutes' }),
  items: ids.optional().openapi({ description: 'Ids of items' }),
  entries: ids.optional().openapi({ description: 'Ids of entries' }),
  filter: filterBody.optional().openapi({ description: 'All items that it shows; {} is everything' }),
});

const listItems = createRoute({
  method: 'get',
  path: '/items',
  summary: 'The library, filtered and sorted',
  request: { query: itemsQuery },
  responses: { 200: jsonAnswer('A page of items', listOf(itemSchema)) },
});
const searchSources = createRoute({
  method: 'get',
  path: '/search',
  summary: 'Asks the sources themselves; what they find is in the library from then on',
  request: {
    query: z.object({ q: z.string().min(1).max(200), source: z.string().min(1).max(QUERY_MAX).optional() }),
  },
  responses: {
    200: jsonAnswer(
      'What each source found',
      z.object({
        items: z.array(itemSchema),
        errors: z.array(z.object({ source: z.string(), detail: z.string() })).openapi({
          description: 'Sources that did not say, and why',
        }),
      }),
    ),
  },
});
const getItem = createRoute({
  method: 'get',
  path: '/items/{id}',
  summary: 'One item with its qualities',
  request: { params: idParams },
  responses: { 200: jsonAnswer('The item', itemSchema) },
});
const listEntries = createRoute({
  method: 'get',
  path: '/entries',
  summary: 'What is kept, last used first',
  request: { query: pagingQuery },
  responses: { 200: jsonAnswer('A page of entries', listOf(entrySchema)) },
});
const getEntry = createRoute({
  method: 'get',
  path: '/entries/{id}',
  summary: 'One entry',
  request: { params: idParams },
  responses: { 200: jsonAnswer('The entry', entryDetailSchema) },
});
const deleteEntry = createRoute({
  method: 'delete',
  path: '/entries/{id}',
  summary: 'Removes its bytes from the disk, at once and for good',
  request: { params: idParams },
  responses: { 204: { description: 'They are gone, or were before' } },
});
const bulk = createRoute({
  method: 'post',
  path: '/entries/bulk',
  summary: 'One act on many entries, as a job',
  request: { body: jsonBody(bulkSchema) },
  responses: { 202: jsonAnswer('The job', jobSchema) },
});
const listJobs = createRoute({
  method: 'get',
  path: '/jobs',
  summary: 'Jobs that run, and the last that ended',
  responses: { 200: jsonAnswer('Jobs, newest first', listOf(jobSchema)) },
});
const getJob = createRoute({
  method: 'get',
  path: '/jobs/{id}',
  summary: 'How a job is',
  request: { params: z.object({ id: z.string().max(100) }) },
  responses: { 200: jsonAnswer('The job', jobSchema) },
});
const deleteJob = createRoute({
  method: 'delete',
  path: '/jobs/{id}',
  summary: 'Calls a job off; what was done stays done',
  request: { params: z.object({ id: z.string().max(100) }) },
  responses: { 200: jsonAnswer('The job', jobSchema) },
});

/** Acts that answer with the entry as it is then. */
const VERBS = {
  fetch: 'Has the rest of it fetched',
  stop: 'Stops fetching it',
  pin: 'Never removes it to make room',
  unpin: 'Lets it make room again',
  drop: 'Hides its bytes, and removes them after ten minutes unless they are restored',
  restore: 'Brings back what was dropped',
} as const;

type LibraryServices = Pick<
  WebServices,
  | 'library'
  | 'itemRefresh'
  | 'sourceSearch'
  | 'entryDetails'
  | 'entryActions'
  | 'jobs'
  | 'selections'
  | 'storage'
  | 'streamAddresses'
>;

export function addLibraryRoutes(api: ApiRoutes, services: LibraryServices): void {
  const { library, itemRefresh, sourceSearch, entryDetails, entryActions, jobs, selections, storage, streamAddresses } =
    services;

  function addressOf(context: ApiContext, source: string, path: string): string {
    return context.var.page.serverAddress + streamAddresses.pathOf(source, path, signerOf(context.var.caller));
  }
  async function writeItems(context: ApiContext, items: readonly LibraryItem[]) {
    const subtitles = Map.groupBy(
      await library.listSubtitles(items.map(({ mediaId }) => mediaId)),
      (row) => row.mediaId,
    );
    return items.map((item) => writeItem(context, item, subtitles.get(item.mediaId) ?? []));
  }
  function writeItem(
    context: ApiContext,
    item: LibraryItem,
    subtitleRows: readonly SubtitleRow[],
  ): z.infer<typeof itemSchema> {
    const { source } = item;
    const besides = (quality: string, container: string) =>
      addressOf(context, source, cataloguePath(item.title, { mediaKey: item.key, quality, container }));
    const subtitles = subtitleRows.map(({ number, language, format }) => ({
      language,
      url: besides(`~sub-${number}`, format),
    }));
    return {
      id: item.mediaId,
      type: item.type,
      title: item.title,
      year: item.year,
      parentId: item.parentId,
      season: item.season,
      episode: item.episode,
      durationMs: item.durationMs,
      overview: item.overview,
      artworkUrl: item.hasArtwork ? besides(POSTER, 'jpg') : null,
      source,
      availability: item.availability,
      cachedBytes: item.cachedBytes,
      pinned: item.pinned,
      unreachable: item.unreachable,
      addedAt: item.addedAt,
      lastUsedAt: item.lastUsedAt === 0 ? null : item.lastUsedAt,
      qualities: item.qualities.map((quality) =>
        writeQuality(quality, addressOf(context, source, quality.path), subtitles),
      ),
    };
  }
  function writeEntry(context: ApiContext, entry: EntrySummary): z.infer<typeof entrySchema> {
    return {
      id: entry.entryId,
      source: entry.source,
      media: entry.mediaId,
      quality: entry.quality,
      title: entry.title,
      path: entry.path,
      size: entry.totalBytes,
      cachedBytes: entry.cachedBytes,
      complete: isComplete(entry),
      ranges: entry.ranges.map(({ start, end }) => [start, end]),
      etag: entry.etag,
      lastUsedAt: entry.lastUsedAt,
      pinned: entry.pinned,
      missingSince: entry.missingSince,
      removedAt: entry.removedAt,
      streamUrl: addressOf(context, entry.source, entry.path),
    };
  }
  async function entryAnswer(context: ApiContext, entryId: number) {
    const detail = await entryDetails.find(entryId);
    if (detail === null) throw new LarderError('missing', `there is no entry ${entryId}`);
    return taggedJson(context, { ...writeEntry(context, detail), ...writeState(detail) });
  }

  async function childrenOf(context: ApiContext, parentId: number, cursor: string | undefined, limit: number) {
    await itemRefresh.refresh(parentId);
    const offset = cursor === undefined ? 0 : Number(readCursor(cursor, ['children', 'number'])?.[1] ?? 0);
    const { items, nextOffset } = await library.listChildren(parentId, offset, limit);
    return {
      items: await writeItems(context, items),
      next: nextOffset === null ? null : writeCursor(['children', nextOffset]),
    };
  }

  api.route(listItems, 'viewer', async (context) => {
    const { limit, cursor, parent, sort, ...fields } = context.req.valid('query');
    const query = { ...readFilter(fields), sort, limit, cursor: itemCursorOf(cursor, sort) };
    if (parent !== undefined) return taggedJson(context, await childrenOf(context, parent, cursor, limit));
    const { items, next } = await library.search(query);
    return taggedJson(context, {
      items: await writeItems(context, items),
      next: next === null ? null : writeItemCursor(sort, next),
    });
  });
  api.route(searchSources, 'viewer', async (context) => {
    const { q, source } = context.req.valid('query');
    const found = await sourceSearch.search(q, source ?? null);
    const items = await library.list(found.flatMap(({ mediaIds }) => mediaIds));
    const errors = found.flatMap(({ source: name, error }) =>
      error === null ? [] : [{ source: name, detail: error }],
    );
    return context.json({ items: await writeItems(context, items), errors }, 200);
  });
  api.route(getItem, 'viewer', async (context) => {
    const mediaId = context.req.valid('param').id;
    await itemRefresh.refresh(mediaId);
    const item = await library.find(mediaId);
    if (item === null) throw new LarderError('missing', `there is no item ${mediaId}`);
    const [written] = await writeItems(context, [item]);
    return taggedJson(context, written!);
  });
  api.route(listEntries, 'viewer', async (context) => {
    const { limit, cursor } = context.req.valid('query');
    const { entries, next } = await entryDetails.list(limit, readEntryCursor(cursor));
    return taggedJson(context, {
      items: entries.map((entry) => writeEntry(context, entry)),
      next: next === null ? null : writeCursor([next.lastUsedAt, next.entryId]),
    });
  });
  api.route(getEntry, 'viewer', (context) => entryAnswer(context, context.req.valid('param').id));
  api.route(deleteEntry, 'owner', async (context) => {
    try {
      await entryActions.remove(context.req.valid('param').id);
    } catch (error) {
      // Deleting twice is as good as once.
      if (!(error instanceof LarderError) || error.code !== 'missing') throw error;
    }
    return context.body(null, 204);
  });

  api.route(bulk, 'owner', async (context) => {
    const { action, ...selected } = context.req.valid('json');
    const selection = readSelection(selected);
    // Entries that are named one by one are refused one by one.
    if (action === 'fetch' && selection.kind !== 'entries')
      refuseBeyondCap(await selections.measure(selection), await storage.state());
    return context.json(writeJob(await jobs.start(action, selection)), 202);
  });
  api.route(listJobs, 'owner', (context) => taggedJson(context, { items: jobs.list().map(writeJob), next: null }));
  api.route(getJob, 'owner', (context) => {
    const job = jobs.find(context.req.valid('param').id);
    if (job === null) throw new LarderError('missing', 'there is no such job any more');
    return taggedJson(context, writeJob(job));
  });
  api.route(deleteJob, 'owner', (context) => context.json(writeJob(jobs.cancel(context.req.valid('param').id)), 200));

  for (const [verb, summary] of Object.entries(VERBS)) {
    const route = createRoute({
      method: 'post',
      path: `/entries/{id}/${verb}`,
      summary,
      request: { params: idParams },
      responses: { 200: jsonAnswer('The entry as it is then', entryDetailSchema) },
    });
    api.route(route, 'owner', async (context) => {
      const entryId = context.req.valid('param').id;
      if (verb === 'pin' || verb === 'unpin') await entryActions.setPinned(entryId, verb === 'pin');
      else await entryActions[verb as 'fetch' | 'stop' | 'drop' | 'restore'](entryId);
      return entryAnswer(context, entryId);
    });
  }
  const verify = createRoute({
    method: 'post',
    path: '/entries/{id}/verify',
    summary: 'Compares all its bytes with their checksums, as a job',
    request: { params: idParams },
    responses: { 202: jsonAnswer('The job', jobSchema) },
  });
  api.route(verify, 'owner', async (context) => {
    const entryId = context.req.valid('param').id;
    return context.json(writeJob(await jobs.start('verify', { kind: 'entries', entryIds: [entryId] })), 202);
  });
  const recheck = createRoute({
    method: 'post',
    path: '/entries/{id}/recheck',
    summary: 'Asks its origin whether it still has this version',
    request: { params: idParams },
    responses: {
      200: jsonAnswer(
        'What the origin said; "asked" when it has not answered yet',
        z.object({
          verdict: z.enum(['same', 'changed', 'missing', 'asked', 'unknown']),
          detail: z.string().nullable(),
          hint: z.string().nullable(),
        }),
      ),
    },
  });
  api.route(recheck, 'owner', async (context) => {
    const { verdict, reason, hint } = await entryActions.recheck(context.req.valid('param').id);
    return context.json({ verdict, detail: reason, hint }, 200);
  });
}

function writeQuality(
  quality: QualityRow,
  streamUrl: string,
  subtitles: z.infer<typeof qualitySchema>['subtitles'],
): z.infer<typeof qualitySchema> {
  const { removedAt, totalBytes, cachedBytes, sizeBytes } = quality;
  const isKept = quality.entryId !== null && removedAt === null;
  const isWhole = isKept && totalBytes !== null && cachedBytes === totalBytes;
  return {
    quality: quality.quality,
    entryId: isKept ? quality.entryId : null,
    width: quality.width,
    height: quality.height,
    bitrate: quality.bitrate,
    container: quality.container,
    videoCodec: quality.videoCodec,
    audioCodec: quality.audioCodec,
    delivery: quality.delivery,
    refusal: quality.refusal,
    size: totalBytes ?? sizeBytes,
    // From the disk, whatever its origin can do.
    seekable: isWhole || (quality.seekable ?? (quality.delivery === 'file' ? null : quality.delivery === 'hls')),
    cachedBytes: isKept ? (cachedBytes ?? 0) : 0,
    complete: isWhole,
    pinned: isKept && quality.pinned === true,
    streamUrl,
    subtitles,
  };
}

function writeDownload({ state, isResting, attempts, nextAttemptAt, error }: DownloadState) {
  return { state, resting: isResting, attempts, nextAttemptAt, error };
}

function writeState(detail: EntryDetail) {
  return {
    wanted: detail.download !== null && detail.download.state !== 'failed',
    download: detail.download === null ? null : writeDownload(detail.download),
    readers: [...detail.readerPositions],
    inFlight: detail.inFlight.map(({ start, end }) => [start, end]),
    checkedAt: detail.generation?.checkedAt ?? null,
    verifiedAt: detail.generation?.verifiedAt ?? null,
  };
}

function writeJob(job: JobState): z.infer<typeof jobSchema> {
  const { id: jobId, action, state, startedAt, endedAt, itemCount, itemsDone, entriesDone } = job;
  const { bytesDone, damagedBytes, failureCount, failures } = job;
  return {
    id: jobId,
    action,
    state,
    startedAt,
    endedAt,
    items: itemCount,
    itemsDone,
    entriesDone,
    bytesDone,
    damagedBytes,
    failureCount,
    failures: failures.map(({ entryId, mediaId, title, message, hint }) => ({
      entryId,
      itemId: mediaId,
      title,
      detail: message,
      hint,
    })),
  };
}

interface FilterFields {
  readonly q?: string | undefined;
  readonly source?: string | undefined;
  readonly type?: (typeof ITEM_TYPES)[number] | undefined;
  readonly availability?: (typeof AVAILABILITIES)[number] | undefined;
  readonly unreachable?: boolean | undefined;
  readonly pinned?: boolean | undefined;
}

function readFilter(fields: FilterFields): ItemFilter {
  return {
    query: fields.q ?? '',
    source: fields.source ?? null,
    type: fields.type ?? null,
    availability: fields.availability ?? null,
    unreachable: fields.unreachable ?? false,
    pinned: fields.pinned ?? false,
  };
}

function readSelection({ items, entries, filter }: Omit<z.infer<typeof bulkSchema>, 'action'>): Selection {
  const given = [items, entries, filter].filter((part) => part !== undefined);
  if (given.length !== 1) {
    throw new LarderError('invalid', 'exactly one of "items", "entries" and "filter" says what is meant');
  }
  if (items !== undefined) return { kind: 'items', mediaIds: items };
  if (entries !== undefined) return { kind: 'entries', entryIds: entries };
  return { kind: 'filter', filter: readFilter(filter!) };
}

function badCursor(): LarderError {
  return new LarderError('invalid', 'cursor: it is none of this list', {
    hint: 'send "next" of the page before, with the same sort',
  });
}

function itemCursorOf(text: string | undefined, sort: string): ItemCursor | null {
  if (text === undefined) return null;
  const cursor = readItemCursor(text, sort);
  if (cursor === null) throw badCursor();
  return cursor;
}

function readEntryCursor(text: string | undefined): EntryCursor | null {
  if (text === undefined) return null;
  const cursor = readCursor(text, ['number', 'number']);
  if (cursor === null) throw badCursor();
  return { lastUsedAt: cursor[0] as number, entryId: cursor[1] as number };
}
