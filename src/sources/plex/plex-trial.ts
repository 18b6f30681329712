// Tries the settings of a Plex server out, and says in words what is wrong with them.
import { LarderError } from '../../errors.ts';
import type { SignInTrial, SourceServices, SourceTarget } from '../media-source.ts';
import { type Finding, findingOf } from '../source-test-findings.ts';
import { otherServer, PlexApi } from './plex-api.ts';
import { readText } from './plex-fields.ts';
import { filesOf } from './plex-page.ts';
import { readLocator } from './plex-qualities.ts';
import { folderTypesOf, type PlexSection, readSections } from './plex-sections.ts';
import { readTitle } from './plex-title.ts';

/** Libraries that are looked into for a film to test with, and titles of each. */
const LIBRARIES_MAX = 6;
const TITLES = 5;

/** @throws LarderError when it cannot be reached at all */
export async function tryPlexSignIn(
  target: SourceTarget,
  services: SourceServices,
  signal: AbortSignal,
): Promise<SignInTrial> {
  const api = new PlexApi(target, services);
  let version: string;
  try {
    const identity = await api.readIdentity(signal);
    version = identity.version;
    const chosen = readText(target.options.machineIdentifier, 128);
    if (chosen !== null && chosen !== identity.machineIdentifier)
      return { finding: findingOf(otherServer()), sample: null };
  } catch (error) {
    return { finding: judgeIdentity(error), sample: null };
  }
  let sections: readonly PlexSection[];
  try {
    ({ sections } = await readSections(api, signal));
  } catch (error) {
    return { finding: judgeSections(error, target), sample: null };
  }
  const how = target.credentials === null ? 'without a token' : 'with the token';
  const name = `it is Plex Media Server${version === '' ? '' : ` ${version}`}, and lets us in ${how}`;
  const libraries = `${sections.length} ${sections.length === 1 ? 'library' : 'libraries'}`;
  const sample = await findSample(api, sections, signal);
  const hint =
    sections.length === 0
      ? 'it shows no libraries: look at what the account of the token may see'
      : sample === null
        ? 'no film or music was found in its libraries'
        : null;
  return { finding: { ok: true, detail: `${name}: ${libraries}`, hint }, sample };
}

/** What kept it from saying who it is, which it tells anybody. */
function judgeIdentity(error: unknown): Finding {
  if (!(error instanceof LarderError)) throw error;
  if (error.originStatus === 503) return STARTING;
  if (error.originStatus === 401 || error.originStatus === 403) {
    return {
      ok: false,
      detail: `what answers there asks who we are (${error.originStatus}), where a Plex server says who it is`,
      hint: 'check the address, mostly http://HOST:32400 without a path; a proxy before the server has to let Larder pass',
    };
  }
  const isOther =
    error.code === 'origin-lied' ||
    error.code === 'not-found' ||
    (error.code === 'origin-refused' && error.originStatus === undefined);
  if (!isOther) throw error;
  return {
    ok: false,
    detail: `something answers there, and it is no Plex server: ${error.message}`,
    hint: 'check the address and its port, which is 32400 unless it was changed',
  };
}

function judgeSections(error: unknown, target: SourceTarget): Finding {
  if (!(error instanceof LarderError)) throw error;
  if (error.originStatus === 503) return STARTING;
  if (error.originStatus === 401 && target.credentials === null) {
    return { ok: false, detail: 'the Plex server wants a token (401)', hint: 'sign in to Plex, or paste a token' };
  }
  if (error.originStatus === 401 || error.originStatus === 403) {
    return {
      ok: false,
      detail: `the Plex server does not take the token (${error.originStatus})`,
      hint: 'sign in to Plex again: a token ends with its sign-in, and that of one server opens no other',
    };
  }
  throw error;
}

const STARTING: Finding = {
  ok: false,
  detail: 'the Plex server is being started, or is at work on its database (503)',
  hint: 'try again in a minute',
};

async function findSample(
  api: PlexApi,
  sections: readonly PlexSection[],
  signal: AbortSignal,
): Promise<SignInTrial['sample']> {
  const folders = sections.flatMap((section) =>
    folderTypesOf(section).flatMap((type) => (type.hasFiles ? { section, plexType: type.plexType } : [])),
  );
  for (const { section, plexType } of folders.slice(0, LIBRARIES_MAX)) {
    const query: Record<string, number> = plexType === null ? {} : { type: plexType };
    const { rows, container } = await api.list(`/library/sections/${section.key}/all`, query, 0, signal, TITLES);
    for (const row of rows) {
      const title = row === null ? null : readTitle(row, container);
      const item = title === null ? undefined : filesOf(title)[0];
      const locator = readLocator(item?.locator);
      if (title === null || locator === null) continue;
      const { url: baseUrl, local } = api.target;
      return { name: title.title, request: { url: api.url(locator.part), headers: api.headers, baseUrl, local } };
    }
  }
  return null;
}
