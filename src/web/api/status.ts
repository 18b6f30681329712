// How the appliance is.
import { createRoute, z } from '@hono/zod-openapi';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer } from './paging.ts';

const statusSchema = z.object({ version: z.string() }).openapi('Status');

const getStatus = createRoute({
  method: 'get',
  path: '/status',
  summary: 'How the appliance is',
  responses: { 200: jsonAnswer('The state', statusSchema) },
});

export function addStatusRoutes(api: ApiRoutes, { version }: Pick<WebServices, 'version'>): void {
  api.route(getStatus, 'viewer', (context) => context.json({ version }, 200));
}
