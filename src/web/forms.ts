// Reads forms into exact values. What was typed is kept for the page that says what was wrong with it.
import type { z } from 'zod';
import type { FormState } from '../../views/parts/field.tsx';
import { describeError, LarderError } from '../errors.ts';
import type { WebContext } from './web-environment.ts';

export type FormResult<Value> =
  | { readonly ok: true; readonly value: Value; readonly state: FormState }
  | { readonly ok: false; readonly state: FormState };

/** Fields by name. Of a field that came several times all values are kept; files are refused. */
export async function readForm(context: WebContext): Promise<Record<string, string | string[]>> {
  let body: Record<string, unknown>;
  try {
    body = await context.req.parseBody({ all: true });
  } catch (error) {
    throw new LarderError('invalid', `the form cannot be read: ${describeError(error)}`, {
      hint: 'load the page again and send it from there',
    });
  }
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(body)) {
    const values = (Array.isArray(value) ? value : [value]).filter((part): part is string => typeof part === 'string');
    fields[name] = Array.isArray(value) ? values : (values[0] ?? '');
  }
  return fields;
}

/** Values that are never given back to the browser. */
const SECRET = /password|secret|token|credential/i;

export function isSecretField(name: string): boolean {
  return SECRET.test(name);
}

/**
 * Checks a form. Messages of the schema stand below their fields: write them for people.
 * A field that was wrong keeps what was typed, except secrets.
 */
export async function parseForm<Schema extends z.ZodType>(
  context: WebContext,
  schema: Schema,
): Promise<FormResult<z.infer<Schema>>> {
  const fields = await readForm(context);
  const typed = Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !isSecretField(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : value]),
  );
  const result = schema.safeParse(fields);
  if (result.success) return { ok: true, value: result.data, state: { typed, errors: {} } };
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues) errors[issue.path.join('.')] ??= issue.message;
  return { ok: false, state: { typed, errors } };
}
