// Errors of the API as problem details (RFC 9457).
import { z } from '@hono/zod-openapi';
import type { ApiContext } from './api-environment.ts';

const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'Always about:blank: `code` says which problem it is' }),
    title: z.string(),
    status: z.number().int(),
    code: z.string().openapi({ description: 'Stable, for programs', example: 'missing' }),
    detail: z.string().openapi({ description: 'What is wrong, for people' }),
    hint: z.string().optional().openapi({ description: 'What to do about it' }),
    fields: z
      .array(z.object({ field: z.string(), in: z.string(), detail: z.string() }))
      .optional()
      .openapi({ description: 'What is wrong with which part of the request' }),
  })
  .openapi('Problem');

/** What every route may answer besides what it says itself. */
export const problemResponses = {
  default: {
    description: 'A problem',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};

export interface FieldProblem {
  readonly field: string;
  readonly in: string;
  readonly detail: string;
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly fields?: readonly FieldProblem[];
  readonly retryAfterMs?: number;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  412: 'Changed meanwhile',
  413: 'Too long',
  415: 'Unsupported type',
  422: 'Invalid input',
  429: 'Too often',
  500: 'Failed',
  502: 'The origin failed',
  503: 'Not now',
  504: 'The origin is silent',
};

export function problem(context: ApiContext, { retryAfterMs, ...known }: Problem): never {
  const { status } = known;
  const body = { type: 'about:blank', title: TITLES[status] ?? 'Problem', ...known };
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  if (retryAfterMs !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfterMs / 1_000));
  // Typed as nothing, because each route lists its own answers and this is a possible answer of all.
  return context.body(JSON.stringify(body), status as 400, headers) as never;
}
