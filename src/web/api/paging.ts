// Lists of the API: `{"items": [...], "next": cursor or null}`, asked for with `?limit=&cursor=`.
import { z } from '@hono/zod-openapi';

export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 200;

export const pagingQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z.string().max(500).optional().openapi({ description: '`next` of the page before' }),
});

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** One answer with a JSON body, as `createRoute` wants it. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true as const, content: { 'application/json': { schema } } };
}
