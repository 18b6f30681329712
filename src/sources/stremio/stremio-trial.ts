// Tries an add-on out: whether its manifest is there, what it gives, and a film of its first catalogues to test with.
import { LarderError } from '../../errors.ts';
import type { SignInTrial, SourceServices, SourceTarget } from '../media-source.ts';
import type { Finding } from '../source-test-findings.ts';
import { AddonReader } from './addon-reader.ts';
import { isSeries, playableOf, SeriesItems } from './item-pages.ts';
import { ItemReader } from './item-reader.ts';
import { type AddonManifest, hasResource } from './manifest.ts';
import { parseMediaKey } from './media-keys.ts';
import type { AddonMeta } from './metas.ts';
import { nameStreams } from './stream-choice.ts';
import { chosenCatalogs } from './stremio-catalogue.ts';
import { stremioOptions } from './stremio-options.ts';
import { streamRequest } from './stremio-source.ts';

/** Add-ons look their streams up elsewhere: a few are tried, of a few catalogues. */
const CATALOGS_TRIED = 2;
const ITEMS_TRIED = 3;
const RESOURCE_WORDS: Readonly<Record<string, string>> = {
  catalog: 'catalogues',
  meta: 'descriptions',
  stream: 'streams',
  subtitles: 'subtitles',
};

/** @throws LarderError what keeps the manifest from being read */
export async function tryAddon(
  target: SourceTarget,
  services: SourceServices,
  signal: AbortSignal,
): Promise<SignInTrial> {
  const reader = new AddonReader(() => target, services);
  const manifest = await readManifest(reader, signal);
  const problem = judgeManifest(manifest);
  if (problem !== null) return { finding: problem, sample: null };
  const detail = `it is ${describe(manifest)}`;
  const catalogs = chosenCatalogs(manifest, stremioOptions(target.options).catalogues);
  if (catalogs.length === 0) {
    return {
      finding: { ok: true, detail, hint: 'none of its catalogues is listed: films come by searching only' },
      sample: null,
    };
  }
  const items = new ItemReader(reader, async (_key, _parent, streams) => nameStreams(streams, new Map()));
  let why: string | null = null;
  for (const catalog of catalogs.slice(0, CATALOGS_TRIED)) {
    const { metas } = await reader.catalogPage(catalog, {}, signal);
    if (metas.length === 0) why ??= 'its first catalogue is empty';
    for (const meta of metas.slice(0, ITEMS_TRIED)) {
      const { sample, refusal } = await trySample(items, reader, meta, target, signal);
      if (sample !== null) return { finding: { ok: true, detail }, sample };
      why ??= refusal;
    }
  }
  const hint = `no film to test with was found: ${why ?? 'the first ones of its catalogues have no streams'}`;
  return { finding: { ok: true, detail, hint }, sample: null };
}

async function readManifest(reader: AddonReader, signal: AbortSignal): Promise<AddonManifest> {
  try {
    return await reader.manifest({ signal });
  } catch (error) {
    if (!(error instanceof LarderError)) throw error;
    const { code, message, originStatus } = error;
    const details = originStatus === undefined ? { cause: error } : { cause: error, originStatus };
    if (code === 'not-found') {
      const hint =
        'copy the whole address again, with what stands before /manifest.json: it may have been configured anew';
      throw new LarderError(code, `there is no manifest at the address (${originStatus})`, { ...details, hint });
    }
    if (originStatus === 401 || originStatus === 403) {
      const hint = 'the configuration in the address may not be good any more: configure the add-on again';
      throw new LarderError(code, `the add-on does not let us in (${originStatus})`, { ...details, hint });
    }
    if (originStatus === 503) {
      const hint = 'it is being started, or has too much to do: try again in a minute';
      throw new LarderError(code, message, { ...details, retry: error.retry, hint });
    }
    throw error;
  }
}

function judgeManifest(manifest: AddonManifest): Finding | null {
  if (manifest.needsConfiguration) {
    const detail = `${JSON.stringify(manifest.name)} wants to be configured first`;
    const hint =
      'open /configure at its address in a browser, and give the address that its button to install leads to';
    return { ok: false, detail, hint };
  }
  // Streams may come with the descriptions of videos.
  if (!hasResource(manifest, 'stream') && !hasResource(manifest, 'meta')) {
    return {
      ok: false,
      detail: `it is ${describe(manifest)}, and has no streams`,
      hint: 'choose an add-on that gives streams',
    };
  }
  if (manifest.catalogs.some(({ isListed, isSearchable }) => isListed || isSearchable)) return null;
  return {
    ok: false,
    detail: `it is ${describe(manifest)}, and has no catalogue: nothing of it can be listed`,
    hint: 'choose an add-on with a catalogue of its own; one for the films of other add-ons cannot be used alone',
  };
}

function describe({ name, version, resources }: AddonManifest): string {
  const given = Object.keys(RESOURCE_WORDS).filter((word) => resources.some((resource) => resource.name === word));
  const what = given.map((word) => RESOURCE_WORDS[word]).join(', ');
  return `${JSON.stringify(name.slice(0, 80))}${version === null ? '' : ` ${version}`}, which gives ${what === '' ? 'nothing' : what}`;
}

async function trySample(
  items: ItemReader,
  reader: AddonReader,
  preview: AddonMeta,
  target: SourceTarget,
  signal: AbortSignal,
): Promise<{ readonly sample: SignInTrial['sample']; readonly refusal: string | null }> {
  const nothing = { sample: null, refusal: null };
  try {
    const meta = isSeries(preview.type) ? await reader.meta(preview.type, preview.id, { signal }) : preview;
    const video = meta?.videos[0];
    const series = meta === null || video === undefined ? null : new SeriesItems(meta, reader.address.baseUrl);
    const playable =
      (meta === null ? null : playableOf(meta)) ?? (video === undefined ? null : series?.playable(video));
    const name = playable === null || playable === undefined ? null : parseMediaKey(playable.mediaKey);
    if (playable === null || playable === undefined || name === null || playable.refusal !== null) return nothing;
    const { playable: streams, refused } = await items.streams(name, playable.locator, { signal });
    const [stream] = streams;
    if (stream === undefined) return { sample: null, refusal: refused[0]?.refusal ?? null };
    return { sample: { name: playable.label, request: streamRequest(stream, target) }, refusal: null };
  } catch (error) {
    if (signal.aborted || !(error instanceof LarderError)) throw error;
    return { sample: null, refusal: error.message };
  }
}
