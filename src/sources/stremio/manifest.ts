// What an add-on says of itself (Stremio/stremio-addon-sdk docs/api/responses/manifest.md): which resources it answers,
// for which types and ids, and its catalogues.
import { type JsonRecord, listOf, recordOf, textOf } from './json-values.ts';

interface Resource {
  readonly name: string;
  /** Null for all. */
  readonly types: readonly string[] | null;
  readonly idPrefixes: readonly string[] | null;
}

export interface AddonCatalog {
  readonly type: string;
  readonly id: string;
  readonly name: string;
  /** It comes without a word to search for or a genre. */
  readonly isListed: boolean;
  /** It has pages: without that it is asked for its first one only. */
  readonly hasPages: boolean;
  /** It can be searched, and asks for nothing besides. */
  readonly isSearchable: boolean;
}

export interface AddonManifest {
  readonly id: string;
  readonly name: string;
  readonly version: string | null;
  readonly resources: readonly Resource[];
  readonly catalogs: readonly AddonCatalog[];
  /** Nothing comes of it before somebody filled in its page. */
  readonly needsConfiguration: boolean;
}

export const NAME_MAX = 1_024;
const RESOURCES_MAX = 100;
const TYPES_MAX = 100;
const CATALOGS_MAX = 1_000;
const EXTRAS_MAX = 50;

/** Null for what is no manifest. */
export function readManifest(value: unknown): AddonManifest | null {
  const manifest = recordOf(value);
  const id = textOf(manifest?.id, NAME_MAX);
  const name = textOf(manifest?.name, NAME_MAX);
  if (manifest === null || id === null || !Array.isArray(manifest.resources)) return null;
  const hints = recordOf(manifest.behaviorHints);
  return {
    id,
    name: name ?? id,
    version: textOf(manifest.version, 40),
    resources: readResources(manifest),
    catalogs: readCatalogs(manifest.catalogs),
    needsConfiguration: hints?.configurationRequired === true,
  };
}

/** A resource that is a string is of the manifest's own types and ids. */
function readResources(manifest: JsonRecord): Resource[] {
  const types = readTexts(manifest.types);
  const idPrefixes = readTexts(manifest.idPrefixes);
  return listOf(manifest.resources, RESOURCES_MAX).flatMap((entry) => {
    const own = recordOf(entry);
    const name = textOf(own?.name ?? entry, NAME_MAX);
    if (name === null) return [];
    if (own === null) return [{ name, types, idPrefixes }];
    return [{ name, types: readTexts(own.types) ?? types, idPrefixes: readTexts(own.idPrefixes) }];
  });
}

/** Null where there is no list, and an empty one means the same to add-ons that filter nothing. */
function readTexts(value: unknown): readonly string[] | null {
  const texts = listOf(value, TYPES_MAX).flatMap((entry) => textOf(entry, NAME_MAX) ?? []);
  return texts.length === 0 ? null : texts;
}

function readCatalogs(value: unknown): AddonCatalog[] {
  const catalogs = new Map<string, AddonCatalog>();
  for (const entry of listOf(value, CATALOGS_MAX)) {
    const catalog = readCatalog(recordOf(entry));
    if (catalog === null) continue;
    const folder = catalogFolder(catalog);
    if (!catalogs.has(folder) && folder.length <= NAME_MAX) catalogs.set(folder, catalog);
  }
  return [...catalogs.values()];
}

function readCatalog(catalog: JsonRecord | null): AddonCatalog | null {
  const type = textOf(catalog?.type, NAME_MAX);
  const id = textOf(catalog?.id, NAME_MAX);
  if (catalog === null || type === null || id === null) return null;
  const { names, required } = readExtras(catalog);
  // One that wants to be told how much to skip has a beginning all the same (`community.stremiojellyfin` is such an add-on).
  const wanted = required.filter((name) => name !== 'skip');
  return {
    type,
    id,
    name: textOf(catalog.name, NAME_MAX) ?? id,
    isListed: wanted.length === 0,
    hasPages: names.has('skip'),
    isSearchable: names.has('search') && wanted.every((name) => name === 'search'),
  };
}

/** `extra`, or what it was before: `extraSupported` and `extraRequired`, lists of names. Cinemeta still has both. */
function readExtras(catalog: JsonRecord): { readonly names: Set<string>; readonly required: readonly string[] } {
  const required = listOf(catalog.extraRequired, EXTRAS_MAX).flatMap((name) => textOf(name, NAME_MAX) ?? []);
  const names = [
    ...required,
    ...listOf(catalog.extraSupported, EXTRAS_MAX).flatMap((name) => textOf(name, NAME_MAX) ?? []),
  ];
  for (const entry of listOf(catalog.extra, EXTRAS_MAX)) {
    const extra = recordOf(entry);
    const name = textOf(extra?.name, NAME_MAX);
    if (name === null) continue;
    names.push(name);
    if (extra?.isRequired === true) required.push(name);
  }
  return { names: new Set(names), required };
}

/** Name of the folder that stands for a catalogue; ids are unique within a type only. */
export function catalogFolder({ type, id }: Pick<AddonCatalog, 'type' | 'id'>): string {
  return `${encodeURIComponent(type)}:${encodeURIComponent(id)}`;
}

export function offers(manifest: AddonManifest, resource: string, type: string, id: string): boolean {
  return manifest.resources.some(
    ({ name, types, idPrefixes }) =>
      name === resource &&
      (types === null || types.includes(type)) &&
      (idPrefixes === null || idPrefixes.some((prefix) => id.startsWith(prefix))),
  );
}

export function hasResource(manifest: AddonManifest, resource: string): boolean {
  return manifest.resources.some(({ name }) => name === resource);
}
