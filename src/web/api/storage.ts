// What takes the disk, what would go for another cap or floor, and setting them.
import { createRoute, z } from '@hono/zod-openapi';
import type { EntryToGo, StorageChanges, StorageState } from '../../offline/storage.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { taggedJson } from './entity-tag.ts';
import { jsonAnswer, jsonBody, LIMIT_MAX } from './paging.ts';

const bytes = z.number().int();
const settingSchema = z.object({
  value: z.string().openapi({ example: '500GB' }),
  bytes: bytes.openapi({ description: 'What it comes to on this disk' }),
  automaticBytes: bytes,
  lockedBy: z.string().nullable().openapi({ description: 'What fixes it outside, such as LARDER_CACHE_SIZE' }),
});

const entrySchema = z
  .object({
    entryId: z.number().int(),
    mediaId: z.number().int(),
    source: z.string(),
    title: z.string(),
    year: z.number().int().nullable(),
    quality: z.string(),
    lastUsedAt: z.number().int(),
    bytes,
    reason: z.string(),
  })
  .openapi('EntryToGo');

const storageSchema = z
  .object({
    totalBytes: bytes,
    freeBytes: bytes,
    otherBytes: bytes.openapi({ description: 'Taken by anything but the cache' }),
    capBytes: bytes,
    floorBytes: bytes,
    usedBytes: bytes,
    pinnedBytes: bytes,
    inUseBytes: bytes,
    removableBytes: bytes,
    reservedBytes: bytes.openapi({ description: 'In flight' }),
    roomBytes: bytes.openapi({ description: 'May still be kept; below 0 the cache is above its bounds' }),
    effectiveCapBytes: bytes.openapi({ description: 'The cap, or what the disk has for it where that is less' }),
    trouble: z
      .object({ kind: z.enum(['refused', 'full']), why: z.string(), hint: z.string().nullable(), since: z.number() })
      .nullable(),
    cacheSize: settingSchema,
    keepFree: settingSchema,
    nextToGo: z.array(entrySchema).openapi({ description: 'In the order in which they go' }),
  })
  .openapi('Storage');

const changesSchema = z
  .strictObject({
    cacheSize: z.string().max(50).optional().openapi({ example: '60%' }),
    keepFree: z.string().max(50).optional().openapi({ example: '20GB' }),
  })
  .openapi('StorageChanges');

const previewSchema = z
  .object({
    changed: z.boolean(),
    before: z.object({ capBytes: bytes, floorBytes: bytes }),
    after: z.object({ capBytes: bytes, floorBytes: bytes }),
    goes: z.object({
      count: z.number().int(),
      bytes,
      items: z.array(entrySchema).openapi({ description: 'The first of them, in the order in which they go' }),
    }),
    shortBytes: bytes.openapi({ description: 'Above the new bounds all the same' }),
    shortOwnBytes: bytes.openapi({ description: 'Of these in the cache: pinned or in use' }),
    shortOtherBytes: bytes.openapi({ description: 'Of these outside the cache: other programs hold them' }),
    roomBytes: bytes,
    remarks: z.array(z.string()),
  })
  .openapi('StoragePreview');

const getStorage = createRoute({
  method: 'get',
  path: '/storage',
  summary: 'What takes the disk, and what goes next',
  request: { query: z.object({ limit: z.coerce.number().int().min(0).max(LIMIT_MAX).default(10) }) },
  responses: { 200: jsonAnswer('The disk', storageSchema) },
});

const previewStorage = createRoute({
  method: 'post',
  path: '/storage/preview',
  summary: 'What another cap or floor would remove; changes nothing',
  request: { body: jsonBody(changesSchema) },
  responses: { 200: jsonAnswer('The effect', previewSchema) },
});

const changeStorage = createRoute({
  method: 'patch',
  path: '/storage',
  summary: 'Set cap or floor; answers when what has to go has gone',
  request: { body: jsonBody(changesSchema) },
  responses: { 200: jsonAnswer('The disk afterwards', storageSchema) },
});

export function addStorageRoutes(api: ApiRoutes, { storage }: Pick<WebServices, 'storage'>): void {
  api.route(getStorage, 'owner', async (context) => {
    const { limit } = context.req.valid('query');
    const next = limit === 0 ? [] : await storage.nextToGo(limit);
    return taggedJson(context, describe(await storage.state(), next));
  });

  api.route(previewStorage, 'owner', async (context) => {
    const { isChanged, before, after, ...preview } = await storage.preview(changesOf(context.req.valid('json')));
    return context.json(
      {
        changed: isChanged,
        before,
        after,
        ...preview,
        goes: { ...preview.goes, items: [...preview.goes.items] },
        remarks: [...preview.remarks],
      },
      200,
    );
  });

  api.route(changeStorage, 'owner', async (context) => {
    const state = await storage.change(changesOf(context.req.valid('json')));
    return context.json(describe(state, await storage.nextToGo(10)), 200);
  });
}

function changesOf({ cacheSize, keepFree }: z.infer<typeof changesSchema>): StorageChanges {
  return { ...(cacheSize === undefined ? {} : { cacheSize }), ...(keepFree === undefined ? {} : { keepFree }) };
}

function describe(state: StorageState, nextToGo: readonly EntryToGo[]): z.infer<typeof storageSchema> {
  const { settings, trouble } = state;
  const setting = ({ text, ...rest }: StorageState['settings']['cacheSize']) => ({ value: text, ...rest });
  return {
    totalBytes: state.totalBytes,
    freeBytes: state.freeBytes,
    otherBytes: state.otherBytes,
    capBytes: state.capBytes,
    floorBytes: state.floorBytes,
    usedBytes: state.usedBytes,
    pinnedBytes: state.pinnedBytes,
    inUseBytes: state.inUseBytes,
    removableBytes: state.removableBytes,
    reservedBytes: state.reservedBytes,
    roomBytes: state.roomBytes,
    effectiveCapBytes: state.effectiveCapBytes,
    trouble:
      trouble === null ? null : { kind: trouble.kind, why: trouble.why, hint: trouble.hint, since: trouble.sinceMs },
    cacheSize: setting(settings.cacheSize),
    keepFree: setting(settings.keepFree),
    nextToGo: [...nextToGo],
  };
}
