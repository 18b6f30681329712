// Who reads now, who did, and a way to stop one.
import { createRoute, z } from '@hono/zod-openapi';
import { playerName } from '../../proxy/player-name.ts';
import type { OpenReader } from '../../proxy/readers.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer, listOf, pagingQuery } from './paging.ts';

const bytes = z.number().int();
const time = z.number().int().openapi({ description: 'Milliseconds since 1970' });

const waitSchema = z.object({
  kind: z.enum(['connection', 'first-byte', 'bytes', 'retry', 'pause', 'comparison']),
  source: z.string(),
  since: time,
  attempt: z.number().int().openapi({ description: '1 for the first try' }),
  reason: z.string().nullable().openapi({ description: 'What went wrong last' }),
  hint: z.string().nullable(),
  until: time.nullable().openapi({ description: 'When it is tried again' }),
});

const readerSchema = z
  .object({
    id: z.string(),
    entryId: z.number().int().nullable(),
    source: z.string(),
    path: z.string(),
    title: z.string(),
    quality: z.string(),
    player: z.string().nullable(),
    userAgent: z.string(),
    address: z.string(),
    startedAt: time,
    position: bytes,
    size: bytes.nullable(),
    servedBytes: bytes,
    servedFromDiskBytes: bytes,
    toPlayerBytesPerSecond: z.number().nullable(),
    fromSourceBytesPerSecond: z.number().nullable(),
    runwayBytes: bytes.openapi({ description: 'Ahead of the position and here without a gap' }),
    firstByteMs: z.number().nullable(),
    stalls: z.number().int(),
    stalledMs: z.number(),
    worstStallMs: z.number(),
    waiting: waitSchema.nullable(),
  })
  .openapi('Reader');

const endedSchema = z
  .object({
    id: z.number().int(),
    entryId: z.number().int().nullable(),
    source: z.string(),
    path: z.string(),
    title: z.string(),
    quality: z.string(),
    player: z.string().nullable(),
    userAgent: z.string(),
    address: z.string(),
    startedAt: time,
    endedAt: time,
    requests: z.number().int().openapi({ description: 'Of one player that followed upon each other' }),
    position: bytes,
    size: bytes.nullable(),
    servedBytes: bytes,
    servedFromDiskBytes: bytes,
    firstByteMs: z.number().nullable(),
    stalls: z.number().int(),
    stalledMs: z.number(),
    worstStallMs: z.number(),
    outcome: z.enum(['finished', 'left', 'stopped', 'failed']),
    reason: z.string().nullable(),
  })
  .openapi('EndedReader');

const listReaders = createRoute({
  method: 'get',
  path: '/readers',
  summary: 'Who reads now',
  responses: { 200: jsonAnswer('All of them, in the order in which they came', listOf(readerSchema)) },
});

const listEnded = createRoute({
  method: 'get',
  path: '/readers/ended',
  summary: 'Who read before',
  request: { query: pagingQuery.extend({ cursor: z.coerce.number().int().positive().optional() }) },
  responses: { 200: jsonAnswer('Newest first', listOf(endedSchema)) },
});

const stopReader = createRoute({
  method: 'delete',
  path: '/readers/{id}',
  summary: 'Cut a response to a player',
  request: { params: z.object({ id: z.coerce.number().int().positive() }) },
  responses: { 204: { description: 'It was stopped. What was fetched for it is kept' } },
});

export function addReaderRoutes(api: ApiRoutes, { readers }: Pick<WebServices, 'readers'>): void {
  api.route(listReaders, 'owner', (context) => context.json({ items: readers.list().map(describe), next: null }, 200));

  api.route(listEnded, 'owner', async (context) => {
    const { limit, cursor } = context.req.valid('query');
    const rows = await readers.listEnded(limit + 1, cursor ?? null);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const items = shown.map(({ userAgent, requestCount, stallCount, sizeBytes, ...row }) => ({
      ...row,
      userAgent,
      player: playerName(userAgent),
      requests: requestCount,
      stalls: stallCount,
      size: sizeBytes,
    }));
    return context.json({ items, next: rows.length > limit && last !== undefined ? String(last.id) : null }, 200);
  });

  api.route(stopReader, 'owner', (context) => {
    readers.stop(String(context.req.valid('param').id));
    return context.body(null, 204);
  });
}

function describe(reader: OpenReader): z.infer<typeof readerSchema> {
  const { id, entryId, source, path, title, quality, player, userAgent, address, waiting } = reader;
  return {
    id,
    entryId,
    source,
    path,
    title,
    quality,
    player,
    userAgent,
    address,
    startedAt: reader.startedAtMs,
    position: reader.positionBytes,
    size: reader.sizeBytes,
    servedBytes: reader.servedBytes,
    servedFromDiskBytes: reader.fromDiskBytes,
    toPlayerBytesPerSecond: reader.toPlayerRate,
    fromSourceBytesPerSecond: reader.fromOriginRate,
    runwayBytes: reader.runwayBytes,
    firstByteMs: reader.firstByteMs,
    stalls: reader.stallCount,
    stalledMs: reader.stalledMs,
    worstStallMs: reader.worstStallMs,
    waiting:
      waiting === null
        ? null
        : {
            kind: waiting.kind,
            source: waiting.source,
            since: waiting.sinceMs,
            attempt: waiting.attempt,
            reason: waiting.reason,
            hint: waiting.hint,
            until: waiting.untilMs,
          },
  };
}
