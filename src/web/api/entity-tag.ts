// Conditional reads of the API: an answer that has not changed is not sent again (RFC 9110 §13.1.2).
import { createHash } from 'node:crypto';
import type { ApiContext } from './api-environment.ts';

/** Answers `value` with its entity tag, or 304 where the caller has it already. */
export function taggedJson<Value>(context: ApiContext, value: Value) {
  const text = JSON.stringify(value);
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  context.header('ETag', tag);
  context.header('Cache-Control', 'no-cache, private');
  const known = context.req.header('If-None-Match')?.split(/\s*,\s*/) ?? [];
  if (known.includes(tag) || known.includes(`W/${tag}`)) return context.body(null, 304) as never;
  return context.json(value, 200);
}
