// A form that came when nobody was signed in any more goes along through the sign-in, so that nothing has to be typed
// again. Secrets are left out: they would stand in a page.
import type { CarriedForm } from '../../views/parts/carried-form.tsx';
import { isSecretField } from './forms.ts';
import { safeNext } from './next-page.ts';

type Fields = Readonly<Record<string, string | string[]>>;

const PREFIX = 'carried:';
const FIELDS_MAX = 200;

/** @param action below the base path */
export function carryForm(action: string, fields: Fields): CarriedForm {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((text) => [name, text] as readonly [string, string]),
  );
  return {
    action,
    fields: pairs.filter(([name]) => !isSecretField(name)).slice(0, FIELDS_MAX),
    left: [...new Set(pairs.filter(([name, text]) => isSecretField(name) && text !== '').map(([name]) => name))],
  };
}

/** What the sign-in page brings back of it; null when there was none. */
export function readCarriedForm(fields: Fields): CarriedForm | null {
  const action = fields['carried-action'];
  if (typeof action !== 'string') return null;
  const pairs = Object.entries(fields)
    .filter(([name]) => name.startsWith(PREFIX))
    .flatMap(([name, value]) => [value].flat().map((text) => [name.slice(PREFIX.length), text] as const));
  return {
    action: safeNext(action),
    fields: pairs.slice(0, FIELDS_MAX),
    left: [fields['carried-left'] ?? []].flat(),
  };
}
