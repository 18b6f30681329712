// What the form of a source says, as the input that sources are made and changed by; and the field that an error belongs
// to, so that it stands where it can be put right.
import { z } from 'zod';
import { ladderField } from '../../views/parts/source-conversion.tsx';
import { ladderSteps, sourceKinds } from '../../views/parts/source-kinds.ts';
import { type ErrorCode, LarderError } from '../errors.ts';
import type { SourceInput } from '../library/source-registry.ts';
import { parseHttpCredentials } from '../sources/http-credentials.ts';
import { parseSourceName, parseSourceUrl } from '../sources/http-source.ts';
import type { SourceOptions } from '../sources/media-source.ts';

const text = z.string().default('');
const trimmed = text.transform((value) => value.trim());

export const sourceFormSchema = z.object({
  kind: z.enum(['http', 'jellyfin', 'plex', 'stremio']).default('http'),
  name: trimmed,
  url: trimmed,
  signIn: z.enum(['none', 'keep', 'password', 'token', 'headers', 'certificate', 'apiKey', 'code']).default('none'),
  username: text,
  password: text,
  token: trimmed,
  credentialHeaders: text,
  credentialCertificate: trimmed,
  credentialKey: trimmed,
  credentialAuthority: trimmed,
  credentialApiKey: trimmed,
  signInId: text,
  transcode: z.enum(['growing', 'hls', 'off']).optional(),
  ...(Object.fromEntries(ladderSteps.map(([quality]) => [ladderField(quality), trimmed])) as Record<
    string,
    typeof trimmed
  >),
  itemsPerCatalogue: trimmed,
  local: z.enum(['auto', 'yes', 'no']).default('auto'),
  file: text,
  act: text,
});

export type SourceFormValue = z.infer<typeof sourceFormSchema>;

export interface FormShape {
  /** It has a field for a name. */
  readonly isNew: boolean;
  /** A source that is declared outside has no field for its address, and perhaps none for its credentials. */
  readonly hasUrl: boolean;
  readonly hasSignIn: boolean;
}

/** Headers as they are typed, one in each line. A line without a colon is a name that no header has. */
function readHeaderLines(lines: string): Record<string, string> {
  const entries = lines.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    entries.map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** Undefined keeps what there is; what a code ends with is put in by whoever holds it. */
function credentialsOf(value: SourceFormValue): unknown {
  switch (value.signIn) {
    case 'keep':
    case 'code':
      return undefined;
    case 'password':
      return { username: value.username, password: value.password };
    case 'token':
      // That of a Plex server may stand in the address that was pasted.
      return value.kind === 'plex' && value.token === '' ? undefined : { token: value.token };
    case 'headers':
      return { headers: readHeaderLines(value.credentialHeaders) };
    case 'certificate': {
      const { credentialCertificate: certificate, credentialKey: key, credentialAuthority: ca } = value;
      return { certificate, key, ...(ca === '' ? {} : { ca }) };
    }
    case 'apiKey':
      return { apiKey: value.credentialApiKey };
    case 'none':
      return null;
  }
}

/** @throws LarderError `invalid` in words for people */
function readMegabits(typed: string): number {
  const megabits = /^\d{1,5}([.,]\d{1,6})?$/.test(typed) ? Number(typed.replace(',', '.')) : Number.NaN;
  if (Number.isFinite(megabits)) return Math.round(megabits * 1_000_000);
  throw new LarderError('invalid', 'this is no bit rate', { hint: 'write Mbit/s, such as 4 or 2.5' });
}

function ladderOf(value: SourceFormValue): Record<string, number> {
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(
    ladderSteps.flatMap(([quality]) => {
      const typed = String(fields[ladderField(quality)] ?? '');
      return typed === '' ? [] : [[quality, readMegabits(typed)]];
    }),
  );
}

/** Options of the kind, as far as the form has fields for them; undefined where it has none. */
function optionsOf(value: SourceFormValue): SourceOptions | undefined {
  if (value.kind === 'stremio') {
    const { itemsPerCatalogue: typed } = value;
    return { itemsPerCatalogue: typed === '' ? null : Number(typed) };
  }
  if (!sourceKinds[value.kind].converts || value.transcode === undefined) return undefined;
  return { transcode: value.transcode, ladder: ladderOf(value) };
}

/** @throws LarderError for a bit rate that is none: `findFieldErrors` says it first */
export function sourceInputOf(value: SourceFormValue, { isNew, hasUrl, hasSignIn }: FormShape): SourceInput {
  const { kind, url, local } = value;
  // The whole address of an add-on is a secret: an empty field leaves it as it is.
  const givesUrl = hasUrl && (isNew || kind !== 'stremio' || url !== '');
  const replacesAll = kind === 'stremio' && givesUrl && !isNew;
  const credentials = hasSignIn ? credentialsOf(value) : replacesAll ? null : undefined;
  const options = optionsOf(value);
  return {
    ...(isNew ? { kind } : {}),
    ...(givesUrl ? { url } : {}),
    ...(credentials === undefined || (credentials === null && isNew) ? {} : { credentials }),
    ...(options === undefined ? {} : { options }),
    ...(local === 'auto' ? {} : { local: local === 'yes' }),
  };
}

/** The field that each kind of credentials stands in, or begins with. */
const CREDENTIAL_FIELDS: Readonly<Record<SourceFormValue['signIn'], string>> = {
  none: 'signIn',
  keep: 'signIn',
  password: 'username',
  token: 'token',
  headers: 'credentialHeaders',
  certificate: 'credentialCertificate',
  apiKey: 'credentialApiKey',
  code: 'signInId',
};

/** What is wrong, each below its field, as far as that can be said before the source itself is asked to be saved. */
export function findFieldErrors(
  value: SourceFormValue,
  { isNew, hasUrl }: FormShape,
  wordsOf: (error: unknown) => string,
): Record<string, string> {
  const errors: Record<string, string> = {};
  const check = (field: string, parse: () => unknown) => {
    try {
      parse();
    } catch (error) {
      errors[field] = wordsOf(error);
    }
  };
  if (isNew) check('name', () => parseSourceName(value.name));
  if (value.kind === 'http') {
    if (hasUrl) check('url', () => parseSourceUrl(value.url));
    check(CREDENTIAL_FIELDS[value.signIn], () => parseHttpCredentials(credentialsOf(value)));
  }
  if (sourceKinds[value.kind].converts) {
    for (const [quality] of ladderSteps) {
      const field = ladderField(quality);
      const typed = String((value as Record<string, unknown>)[field] ?? '');
      if (typed !== '') check(field, () => readMegabits(typed));
    }
  }
  return errors;
}

const FIELD_BY_CODE: Partial<Record<ErrorCode, string>> = { conflict: 'name', missing: 'signInId' };

/** The field that the service's words are about. */
export function fieldOfError({ code, message }: LarderError, { kind, signIn }: SourceFormValue): string {
  const known = FIELD_BY_CODE[code];
  if (known !== undefined) return known;
  if (signIn === 'code' && /\bcode\b|sign-in was for/i.test(message)) return 'signInId';
  if (kind === 'http' || /^the address|in the address/i.test(message)) return 'url';
  const rung = ladderSteps.find(([quality]) => message.includes(quality));
  if (rung !== undefined) return ladderField(rung[0]);
  if (/convert|ladder/i.test(message)) return 'transcode';
  if (/itemsPerCatalogue/.test(message)) return 'itemsPerCatalogue';
  const isAboutSecret = /user name|password|token|\bkey\b|credential|sign/i.test(message);
  return isAboutSecret && sourceKinds[kind].signIns.length > 0 ? CREDENTIAL_FIELDS[signIn] : 'url';
}
