// How far a source was gone through for films and music; starting and ending that.
import { createRoute, z } from '@hono/zod-openapi';
import type { SyncState } from '../../library/catalogue-syncs.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer } from './paging.ts';

const count = z.number().int();

const reason = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() });

const syncSchema = z
  .object({
    state: z.enum(['idle', 'running', 'failed']),
    seen: count.openapi({ description: 'Files seen in this round, or the last one' }),
    total: count.nullable().openapi({ description: 'Files of the last whole round; null before the first' }),
    added: count,
    changed: count,
    missing: count.openapi({ description: 'Files that are marked as gone now; nothing is deleted for it' }),
    skipped: count.openapi({ description: 'Folders and names that could not be read' }),
    startedAt: count.nullable(),
    finishedAt: count.nullable().openapi({ description: 'When it was last gone through to the end' }),
    error: reason.nullable().openapi({ description: 'With `failed`: what keeps it from being gone through' }),
    passedOver: reason.nullable().openapi({ description: 'With `idle`: why something, `skipped`, was passed over' }),
  })
  .openapi('Sync');

const params = z.object({
  name: z
    .string()
    .max(63)
    .openapi({ param: { name: 'name', in: 'path' } }),
});
const path = '/sources/{name}/sync';

const getSync = createRoute({
  method: 'get',
  path,
  summary: 'How far a source was gone through for films and music',
  request: { params },
  responses: { 200: jsonAnswer('The state', syncSchema) },
});
const startSync = createRoute({
  method: 'post',
  path,
  summary: 'Go through a source now',
  request: { params },
  responses: { 202: jsonAnswer('It is under way', syncSchema) },
});
const cancelSync = createRoute({
  method: 'delete',
  path,
  summary: 'End the round that is under way; what was found stays',
  request: { params },
  responses: { 200: jsonAnswer('It has ended', syncSchema) },
});

function syncOf({ state, startedAtMs, finishedAtMs, error, ...counts }: SyncState): z.infer<typeof syncSchema> {
  const { seen, total, added, changed, missing, skipped } = counts;
  return {
    state: state === 'waiting' ? 'running' : state,
    seen,
    total,
    added,
    changed,
    missing,
    skipped,
    startedAt: startedAtMs,
    finishedAt: finishedAtMs,
    error: state === 'failed' ? error : null,
    passedOver: state === 'failed' ? null : error,
  };
}

export function addSyncRoutes(api: ApiRoutes, { sources, syncs }: Pick<WebServices, 'sources' | 'syncs'>): void {
  const idOf = async (name: string) => (await sources.get(name)).id;
  api.route(getSync, 'owner', async (context) =>
    context.json(syncOf(syncs.stateOf(await idOf(context.req.valid('param').name))), 200),
  );
  api.route(startSync, 'owner', async (context) =>
    context.json(syncOf(syncs.request(await idOf(context.req.valid('param').name))), 202),
  );
  api.route(cancelSync, 'owner', async (context) =>
    context.json(syncOf(await syncs.cancel(await idOf(context.req.valid('param').name))), 200),
  );
}
