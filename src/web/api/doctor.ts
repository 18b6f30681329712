// How the appliance and what it stands on fare, and what it is.
import { createRoute, z } from '@hono/zod-openapi';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer } from './paging.ts';

const findingSchema = z
  .object({
    name: z.string().openapi({ description: 'Stable, for programs', example: 'disk-space' }),
    title: z.string(),
    state: z.enum(['ok', 'warning', 'failed', 'unknown']),
    detail: z.string(),
    hint: z.string().nullable().openapi({ description: 'What to do about it' }),
  })
  .openapi('Finding');

const diagnosisSchema = z
  .object({
    state: z.enum(['ok', 'warning', 'failed']).openapi({ description: 'The worst of the findings' }),
    checkedAt: z.string().datetime(),
    findings: z.array(findingSchema),
  })
  .openapi('Diagnosis');

const getDoctor = createRoute({
  method: 'get',
  path: '/doctor',
  summary: 'Check what Larder needs',
  request: {
    query: z.object({
      again: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: 'Checks anew what was checked a moment ago' }),
    }),
  },
  responses: { 200: jsonAnswer('What was found', diagnosisSchema) },
});

const aboutSchema = z
  .object({
    version: z.string(),
    commit: z.string().nullable(),
    target: z.string(),
    runtime: z.string(),
    system: z.string(),
    schema: z.number().int(),
    dataFolder: z.string(),
    databaseFile: z.string(),
    chunkFolder: z.string(),
    startedAt: z.string().datetime(),
    uptimeSeconds: z.number().int(),
    memoryBytes: z.number().int(),
    installation: z.enum(['container', 'binary', 'source']),
    licences: z.array(z.object({ name: z.string(), version: z.string(), licence: z.string() })),
  })
  .openapi('About');

const getAbout = createRoute({
  method: 'get',
  path: '/about',
  summary: 'What this Larder is, where its files are, and what is inside',
  responses: { 200: jsonAnswer('What it is', aboutSchema) },
});

type Services = Pick<WebServices, 'doctor' | 'about' | 'licences'>;

export function addDoctorRoutes(api: ApiRoutes, { doctor, about, licences }: Services): void {
  api.route(getDoctor, 'owner', async (context) => {
    const { state, checkedAtMs, findings } = await doctor.diagnose(context.req.valid('query').again === 'true');
    const plain = findings.map(({ name, title, state: found, detail, hint }) => ({
      name,
      title,
      state: found,
      detail,
      hint,
    }));
    return context.json({ state, checkedAt: new Date(checkedAtMs).toISOString(), findings: plain }, 200);
  });

  api.route(getAbout, 'owner', (context) => {
    const { startedAtMs, uptimeMs, updating: _words, ...facts } = about.about();
    const inside = licences().map(({ name, version, licence }) => ({ name, version, licence }));
    const startedAt = new Date(startedAtMs).toISOString();
    return context.json({ ...facts, startedAt, uptimeSeconds: Math.floor(uptimeMs / 1_000), licences: inside }, 200);
  });
}
