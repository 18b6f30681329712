// Sources: list, add, change, remove, test.
import { createRoute, z } from '@hono/zod-openapi';
import type { SourceInput } from '../../library/source-registry.ts';
import type { SourceRemoval } from '../../library/source-remover.ts';
import type { SourceView } from '../../library/source-service.ts';
import { SOURCE_KINDS, type SourceKind } from '../../sources/media-source.ts';
import { type SourceTestReport, testStepNames } from '../../sources/source-test-report.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { taggedJson } from './entity-tag.ts';
import { jsonAnswer, jsonBody, listOf, pagingQuery } from './paging.ts';

const moment = z.number().int().nullable();

const stepSchema = z.object({
  step: z.enum(testStepNames),
  ok: z.boolean().nullable().openapi({ description: 'null: it was not tried' }),
  ms: z.number().nullable(),
  detail: z.string().openapi({ description: 'What was found' }),
  hint: z.string().nullable().openapi({ description: 'What to do about it' }),
});

const testSchema = z
  .object({
    at: z.number().int(),
    ok: z.boolean().openapi({ description: 'Whether files can be streamed from it; a limit makes one step fail only' }),
    file: z.string().nullable().openapi({ description: 'The file that it was tested with' }),
    steps: z.array(stepSchema),
    capabilities: z.object({
      ranges: z.boolean().nullable(),
      length: z.boolean().nullable(),
      validator: z.enum(['strong ETag', 'Last-Modified', 'none']).nullable(),
      firstByteMs: z.number().nullable(),
      bytesPerSecond: z.number().nullable(),
    }),
  })
  .openapi('SourceTest');

const sourceSchema = z
  .object({
    name: z.string(),
    kind: z.enum(SOURCE_KINDS),
    url: z.string(),
    credentials: z
      .string()
      .openapi({ description: 'Which kind it has, such as "password"; "none" without. What they are is never told' }),
    credentialsLost: z.boolean().openapi({ description: 'They were sealed with a key that is not there any more' }),
    options: z.looseObject({
      local: z.boolean().nullable().openapi({ description: 'Private networks; null: as its address is' }),
    }),
    lockedBy: z.string().nullable().openapi({ description: 'Where its address is set outside' }),
    state: z.enum(['well', 'failing', 'untried']),
    lastSuccessAt: moment,
    failingSince: moment,
    lastErrorAt: moment,
    lastError: z.string().nullable(),
    holdings: z.object({
      items: z.number().int(),
      entries: z.number().int(),
      pinned: z.number().int(),
      cachedBytes: z.number().int(),
    }),
    lastTest: testSchema.nullable(),
    createdAt: z.number().int(),
    updatedAt: z.number().int(),
  })
  .openapi('Source');

const removalSchema = z
  .object({ name: z.string(), entries: z.number().int(), cachedBytes: z.number().int() })
  .openapi('SourceRemoval');

/** What an add-on is told stands in its address, up to a JSON object (addon-address.ts). */
const URL_MAX = 16_384;
const FILE_MAX = 4_096;
/** Their values are checked where they are used; which of these it is says its keys. */
const credentialsSchema = z
  .union([
    z.strictObject({ username: z.string(), password: z.string() }),
    z.strictObject({ token: z.string() }),
    z.strictObject({ headers: z.record(z.string(), z.string()) }),
    z.strictObject({ certificate: z.string(), key: z.string(), ca: z.string().optional() }),
    z.strictObject({ apiKey: z.string() }),
    z.strictObject({ accessToken: z.string(), userId: z.string() }),
    z.strictObject({ manifestUrl: z.string() }),
    z.strictObject({}),
    z.null(),
  ])
  .openapi({
    description:
      'Write-only. http: user and password, token, headers or a client certificate; jellyfin: user and password or apiKey; plex: token. {} or null takes them away',
  });
const optionsSchema = z
  .looseObject({
    local: z.boolean().optional().openapi({ description: 'Whether it may reach private and loopback addresses' }),
  })
  .openapi({ description: 'Beside `local` what the kind can be told: `transcode`, `ladder`. What is left out stays' });
const urlSchema = z.string().min(1).max(URL_MAX);
const fileSchema = z
  .string()
  .max(FILE_MAX)
  .optional()
  .openapi({ description: 'A file below the source to test with; left out, one is looked for in its listing' });

const changes = {
  url: urlSchema.optional(),
  credentials: credentialsSchema.optional(),
  options: optionsSchema.optional(),
};
const newSource = z.strictObject({
  name: z.string().min(1).max(63),
  kind: z.enum(SOURCE_KINDS).default('http'),
  ...changes,
  url: urlSchema,
});
const nameParam = z.object({
  name: z
    .string()
    .max(63)
    .openapi({ param: { name: 'name', in: 'path' } }),
});

const listSources = createRoute({
  method: 'get',
  path: '/sources',
  summary: 'Sources, by name',
  request: { query: pagingQuery },
  responses: { 200: jsonAnswer('A page of them', listOf(sourceSchema)) },
});
const addSource = createRoute({
  method: 'post',
  path: '/sources',
  summary: 'Add a source',
  request: { body: jsonBody(newSource) },
  responses: { 201: jsonAnswer('It was added', sourceSchema) },
});
const getSource = createRoute({
  method: 'get',
  path: '/sources/{name}',
  summary: 'A source',
  request: { params: nameParam },
  responses: { 200: jsonAnswer('The source', sourceSchema) },
});
const changeSource = createRoute({
  method: 'patch',
  path: '/sources/{name}',
  summary: 'Change a source; what is kept of it stays',
  request: { params: nameParam, body: jsonBody(z.strictObject(changes)) },
  responses: { 200: jsonAnswer('As it is now', sourceSchema) },
});
const removeSource = createRoute({
  method: 'delete',
  path: '/sources/{name}',
  summary: 'Remove a source with all that is kept of it',
  request: { params: nameParam },
  responses: { 202: jsonAnswer('It is gone; its bytes go in the background', removalSchema) },
});
const testNewSource = createRoute({
  method: 'post',
  path: '/sources/test',
  summary: 'Try settings without saving them',
  request: {
    body: jsonBody(
      z.strictObject({ ...changes, url: urlSchema, kind: z.enum(SOURCE_KINDS).optional(), file: fileSchema }),
    ),
  },
  responses: { 200: jsonAnswer('What was found', testSchema) },
});
const testKnownSource = createRoute({
  method: 'post',
  path: '/sources/{name}/test',
  summary: 'Try a source as it is, or with changes that are not saved',
  request: {
    params: nameParam,
    body: { ...jsonBody(z.strictObject({ ...changes, file: fileSchema })), required: false },
  },
  responses: { 200: jsonAnswer('What was found', testSchema) },
});

function sourceOf(view: SourceView): z.infer<typeof sourceSchema> {
  const { standing, holdings } = view;
  const { lastSuccessAt, failingSince, lastErrorAt, lastErrorText } = standing;
  return {
    name: view.name,
    kind: view.kind,
    url: view.url,
    credentials: view.credentials,
    credentialsLost: view.credentialsLost,
    options: { ...view.options, local: view.local },
    lockedBy: view.lockedBy,
    state: failingSince !== null ? 'failing' : lastSuccessAt !== null ? 'well' : 'untried',
    lastSuccessAt,
    failingSince,
    lastErrorAt,
    lastError: lastErrorText,
    holdings: {
      items: holdings.itemCount,
      entries: holdings.entryCount,
      pinned: holdings.pinnedCount,
      cachedBytes: holdings.cachedBytes,
    },
    lastTest: view.lastTest === null ? null : testOf(view.lastTest),
    createdAt: view.createdAt,
    updatedAt: view.updatedAt,
  };
}

function testOf({ atMs, ok, file, steps, capabilities }: SourceTestReport): z.infer<typeof testSchema> {
  return { at: atMs, ok, file, steps: [...steps], capabilities };
}

function inputOf(body: {
  url?: string | undefined;
  credentials?: unknown;
  options?: ({ local?: boolean | undefined } & Record<string, unknown>) | undefined;
  kind?: SourceKind | undefined;
}): SourceInput {
  const { url, credentials, kind } = body;
  const { local, ...options } = body.options ?? {};
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(url === undefined ? {} : { url }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(local === undefined ? {} : { local }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}

function removalOf(name: string, holdings: Pick<SourceRemoval, 'entryCount' | 'cachedBytes'>) {
  return { name, entries: holdings.entryCount, cachedBytes: holdings.cachedBytes };
}

export function addSourceRoutes(
  api: ApiRoutes,
  { sources, basePath }: Pick<WebServices, 'sources' | 'basePath'>,
): void {
  api.route(listSources, 'owner', async (context) => {
    const { limit, cursor } = context.req.valid('query');
    const views = (await sources.list()).filter(({ name }) => cursor === undefined || name > cursor);
    const page = views.slice(0, limit);
    const next = views.length > limit ? (page.at(-1)?.name ?? null) : null;
    return taggedJson(context, { items: page.map(sourceOf), next });
  });
  api.route(addSource, 'owner', async (context) => {
    const { name, ...body } = context.req.valid('json');
    const view = await sources.add(name, inputOf(body));
    context.header('Location', `${basePath}/api/v1/sources/${encodeURIComponent(name)}`);
    return context.json(sourceOf(view), 201);
  });
  api.route(testNewSource, 'owner', async (context) => {
    const { file, ...body } = context.req.valid('json');
    const report = await sources.test({ name: null, input: inputOf(body), file }, context.req.raw.signal);
    return context.json(testOf(report), 200);
  });
  api.route(getSource, 'owner', async (context) => {
    return taggedJson(context, sourceOf(await sources.get(context.req.valid('param').name)));
  });
  api.route(changeSource, 'owner', async (context) => {
    const view = await sources.update(context.req.valid('param').name, inputOf(context.req.valid('json')));
    return context.json(sourceOf(view), 200);
  });
  api.route(removeSource, 'owner', async (context) => {
    const { name } = context.req.valid('param');
    return context.json(removalOf(name, await sources.remove(name)), 202);
  });
  api.route(testKnownSource, 'owner', async (context) => {
    const { name } = context.req.valid('param');
    const { file, ...body } = context.req.valid('json') ?? {};
    const report = await sources.test({ name, input: inputOf(body), file }, context.req.raw.signal);
    return context.json(testOf(report), 200);
  });
}
