// What an owner chooses for an add-on: which of its catalogues are gone through, and how far.
import { LarderError } from '../../errors.ts';
import type { SourceOptions } from '../media-source.ts';

export interface StremioOptions {
  /** Ids (`top`) or names of folders (`movie:top`); null for all that can be listed. */
  readonly catalogues: readonly string[] | null;
  readonly itemsPerCatalogue: number;
}

const CATALOGUES_MAX = 200;
const NAME_MAX = 1_024;
const ITEMS_DEFAULT = 1_000;
const ITEMS_MAX = 100_000;
/** `local` is kept with the source itself (`SourceTarget.local`): it may stand here and is not looked at. */
const KNOWN = new Set(['catalogues', 'itemsPerCatalogue', 'local']);

function invalid(problem: string, hint: string): LarderError {
  return new LarderError('invalid', problem, { hint });
}

/** @throws LarderError `invalid` */
export function parseStremioOptions(value: unknown, before: SourceOptions | null): SourceOptions {
  if (value !== null && value !== undefined && (typeof value !== 'object' || Array.isArray(value))) {
    throw invalid('the options are not an object', 'give {"catalogues": […], "itemsPerCatalogue": 1000}');
  }
  const given = { ...before, ...value } as Record<string, unknown>;
  const unknown = Object.keys(given).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    const hint = 'a Stremio add-on has catalogues and itemsPerCatalogue';
    throw invalid(`there is no option ${JSON.stringify(unknown.slice(0, 40))}`, hint);
  }
  return {
    catalogues: parseCatalogues(given.catalogues),
    itemsPerCatalogue: parseItems(given.itemsPerCatalogue),
  } satisfies StremioOptions;
}

function parseCatalogues(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null;
  const isName = (entry: unknown) => typeof entry === 'string' && entry !== '' && entry.length <= NAME_MAX;
  if (!Array.isArray(value) || value.length > CATALOGUES_MAX || !value.every(isName)) {
    throw invalid('the catalogues are not a list of ids', 'give ids of catalogues, such as ["top"], or null for all');
  }
  return [...new Set(value as string[])];
}

function parseItems(value: unknown): number {
  if (value === undefined || value === null) return ITEMS_DEFAULT;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= ITEMS_MAX) return value;
  throw invalid(
    `itemsPerCatalogue is no whole number from 1 to ${ITEMS_MAX}`,
    `leave it out for ${ITEMS_DEFAULT}, which is ten pages of a catalogue`,
  );
}

/** Options as they were kept, whatever became of them. */
export function stremioOptions(options: SourceOptions): StremioOptions {
  try {
    return parseStremioOptions(options, null) as unknown as StremioOptions;
  } catch {
    return { catalogues: null, itemsPerCatalogue: ITEMS_DEFAULT };
  }
}
