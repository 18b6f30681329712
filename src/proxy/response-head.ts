// Status and headers of a stream response, made from the file alone: nothing of the origin's response is relayed but
// what CONTRACT.md names.
import type { ByteRange } from '../bytes/byte-range.ts';
import { coalesceRanges, formatContentRange, type RangeSpec, resolveRangeSpec } from '../bytes/range-header.ts';
import type { CachedFile } from '../chunks/cached-file.ts';
import { MULTIPART_RANGES_MAX } from '../limits.ts';
import { isStrongEtag } from '../sources/origin-response.ts';
import { contentTypeOf, isPassiveContent } from './content-type.ts';
import type { Validators } from './preconditions.ts';

export type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'single'; readonly range: ByteRange; readonly bounded: boolean }
  | { readonly kind: 'several'; readonly ranges: readonly ByteRange[] }
  | { readonly kind: 'unsatisfiable' };

export type HeaderRecord = Record<string, string>;

/** What answers about a file have in common, as long as nothing of what it is made of changes. */
interface Head {
  readonly generation: CachedFile['generation'];
  readonly headers: CachedFile['headers'];
  readonly hasRanges: boolean;
  readonly validators: Validators;
  readonly common: Readonly<HeaderRecord>;
  readonly representation: Readonly<HeaderRecord>;
}

const heads = new WeakMap<CachedFile, Head>();

function headOf(file: CachedFile): Head {
  const { generation, headers, totalBytes } = file;
  // Promised only when any offset can be had (CONTRACT.md, promise 8).
  const hasRanges = totalBytes !== null && (file.seekable || file.isComplete);
  const known = heads.get(file);
  if (known?.generation === generation && known.headers === headers && known.hasRanges === hasRanges) return known;
  const validators = makeValidators(file);
  const common = makeCommonHeaders(file, validators, hasRanges);
  const representation = makeRepresentationHeaders(file, common);
  const head = { generation, headers, hasRanges, validators, common, representation };
  heads.set(file, head);
  return head;
}

/** The origin's own strong tag, else one made of what names the version. */
export function validatorsOf(file: CachedFile): Validators {
  return headOf(file).validators;
}

/** Headers that every answer about this file carries, 304 included. */
export function commonHeaders(file: CachedFile): Readonly<HeaderRecord> {
  return headOf(file).common;
}

/** Headers of the representation, for 200 and 206. */
export function representationHeaders(file: CachedFile): Readonly<HeaderRecord> {
  return headOf(file).representation;
}

function makeValidators(file: CachedFile): Validators {
  const { etag, lastModified, fileName } = file.generation;
  const parsed = lastModified === null ? Number.NaN : Date.parse(lastModified);
  const lastModifiedMs = Number.isNaN(parsed) ? null : parsed;
  if (isStrongEtag(etag)) return { etag, lastModifiedMs };
  if (lastModifiedMs !== null && file.generation.totalBytes !== null) {
    return { etag: `"${lastModifiedMs.toString(36)}-${file.generation.totalBytes.toString(36)}"`, lastModifiedMs };
  }
  // No validator at the origin: the file's own random id names what we hold.
  const id = /-([0-9a-f]+)(?:\.[a-z0-9]+)?$/.exec(fileName)?.[1] ?? file.generation.id.toString(36);
  return { etag: `"g${id}"`, lastModifiedMs };
}

/** Which bytes a Range header selects (RFC 9110 §14.2); more ranges than the bound and the header is ignored. */
export function selectRanges(specs: readonly RangeSpec[] | null, totalBytes: number | null): Selection {
  if (specs === null || totalBytes === null || specs.length > MULTIPART_RANGES_MAX) return { kind: 'whole' };
  const [first] = specs;
  if (first !== undefined && specs.length === 1) {
    const range = resolveRangeSpec(first, totalBytes);
    if (range === null) return { kind: 'unsatisfiable' };
    return { kind: 'single', range, bounded: first.kind === 'from' && first.last !== null };
  }
  const ranges = specs.flatMap((spec) => resolveRangeSpec(spec, totalBytes) ?? []);
  if (ranges.length === 0) return { kind: 'unsatisfiable' };
  const joined = coalesceRanges(ranges);
  if (joined.length > 1) return { kind: 'several', ranges: joined };
  return { kind: 'single', range: joined[0]!, bounded: true };
}

function makeCommonHeaders(file: CachedFile, { etag }: Validators, hasRanges: boolean): HeaderRecord {
  const headers: HeaderRecord = { ETag: etag, 'X-Content-Type-Options': 'nosniff' };
  const { lastModified } = file.generation;
  if (lastModified !== null && /^[\x20-\x7e]+$/.test(lastModified)) headers['Last-Modified'] = lastModified;
  if (hasRanges) headers['Accept-Ranges'] = 'bytes';
  return headers;
}

function makeRepresentationHeaders(file: CachedFile, common: Readonly<HeaderRecord>): HeaderRecord {
  const { address } = file.identity;
  const type = contentTypeOf(file.headers.contentType, address.container);
  const headers: HeaderRecord = { ...common, 'Content-Type': type };
  const { contentLanguage } = file.headers;
  if (contentLanguage !== null && /^[\w, -]+$/.test(contentLanguage)) headers['Content-Language'] = contentLanguage;
  const active = !isPassiveContent(type);
  if (active) headers['Content-Security-Policy'] = 'sandbox';
  const attached = /^\s*attachment\b/i.test(file.headers.contentDisposition ?? '');
  if (active || attached) headers['Content-Disposition'] = `attachment; filename*=UTF-8''${encodeName(address.path)}`;
  return headers;
}

export function contentRangeHeader(range: ByteRange, file: CachedFile): string {
  return formatContentRange(range, file.totalBytes!);
}

/** RFC 8187 §3.2: what encodeURIComponent leaves as it is but a header may not hold. */
function encodeName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return encodeURIComponent(name).replace(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
