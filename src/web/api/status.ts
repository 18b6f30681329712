// How the appliance fares: one look for scripts and monitors, and what flowed over time.
import { createRoute, z } from '@hono/zod-openapi';
import { chartRanges } from '../../upkeep/traffic-history.ts';
import { isOwner } from '../caller.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer } from './paging.ts';

const bytes = z.number().int();
const timeOrNull = z.number().int().nullable().openapi({ description: 'Milliseconds since 1970' });

const alertSchema = z
  .object({
    id: z.string().openapi({ description: 'Stays the same while the problem does' }),
    kind: z.string(),
    severity: z.enum(['warning', 'error']),
    subject: z.string(),
    title: z.string(),
    since: timeOrNull,
    cause: z.string(),
    meanwhile: z.string().openapi({ description: 'What Larder does about it by itself' }),
    advice: z.string().nullable(),
  })
  .openapi('Alert');

const statusSchema = z
  .object({
    version: z.string(),
    startedAt: z.number().int(),
    uptimeSeconds: z.number().int(),
    well: z.boolean(),
    readers: z.object({ open: z.number().int(), waiting: z.number().int() }),
    jobs: z.object({
      running: z.number().int().openapi({ description: 'Requests to sources that have a connection' }),
      waiting: z.number().int().openapi({ description: 'Requests that wait for one' }),
      queued: z.number().int().openapi({ description: 'Entries that are to be fetched whole' }),
    }),
    space: z.object({
      capBytes: bytes,
      floorBytes: bytes,
      usedBytes: bytes,
      reservedBytes: bytes.openapi({ description: 'In flight' }),
      freeBytes: bytes,
      totalBytes: bytes,
    }),
    hitRatio: z.number().nullable().openapi({ description: 'Of the bytes served; null before any was' }),
    entries: z.number().int(),
    servedBytes: bytes,
    servedFromDiskBytes: bytes,
    originBytes: bytes,
    alerts: z.array(alertSchema).openapi({ description: 'For owners; empty for others' }),
  })
  .openapi('Status');

const historySchema = z
  .object({
    range: z.enum(chartRanges as [string, ...string[]]),
    slotMs: z.number().int(),
    points: z.array(
      z.object({
        at: z.number().int(),
        servedBytes: bytes,
        servedFromDiskBytes: bytes,
        originBytes: bytes,
        hits: z.number().int(),
        partials: z.number().int(),
        misses: z.number().int(),
      }),
    ),
  })
  .openapi('History');

const getStatus = createRoute({
  method: 'get',
  path: '/status',
  summary: 'How the appliance is',
  responses: { 200: jsonAnswer('The state', statusSchema) },
});

const getHistory = createRoute({
  method: 'get',
  path: '/history',
  summary: 'What flowed over time',
  request: { query: z.object({ range: z.enum(['hour', 'day', 'week', 'quarter']).default('day') }) },
  responses: { 200: jsonAnswer('At most 120 points, oldest first; the last one is not over yet', historySchema) },
});

export function addStatusRoutes(api: ApiRoutes, { status, traffic }: Pick<WebServices, 'status' | 'traffic'>): void {
  api.route(getStatus, 'viewer', async (context) => {
    const now = await status.get();
    const { entryCount, servedBytes, servedFromDiskBytes, originBytes } = now.totals;
    const alerts = isOwner(context.var.caller) ? now.alerts : [];
    return context.json(
      {
        version: now.version,
        startedAt: now.startedAtMs,
        uptimeSeconds: now.uptimeSeconds,
        well: now.isWell,
        readers: now.readers,
        jobs: now.jobs,
        space: now.space,
        hitRatio: now.hitRatio,
        entries: entryCount,
        servedBytes,
        servedFromDiskBytes,
        originBytes,
        alerts: alerts.map(({ sinceMs, ...alert }) => ({ ...alert, since: sinceMs })),
      },
      200,
    );
  });

  api.route(getHistory, 'viewer', async (context) => {
    const { range, slotMs, points } = await traffic.chart(context.req.valid('query').range);
    const named = points.map(({ atMs, hitCount, partialCount, missCount, ...flowed }) => ({
      at: atMs,
      ...flowed,
      hits: hitCount,
      partials: partialCount,
      misses: missCount,
    }));
    return context.json({ range, slotMs, points: named }, 200);
  });
}
