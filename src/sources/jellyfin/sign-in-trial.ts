// Tries a server out: whether it is Jellyfin, new enough and awake, whether it lets us in, and a film to test with. As
// a device of its own, or the sign-in would take the token from the source while it is used.
import { LarderError } from '../../errors.ts';
import type { SignInTrial, SourceServices, SourceTarget } from '../media-source.ts';
import { authorizationHeader } from './authorization-header.ts';
import { fieldsOf, textOf } from './dto-fields.ts';
import { ITEM_FIELDS, itemFilter } from './item-listing.ts';
import { filesOf } from './item-page.ts';
import { jellyfinCredentialKind, parseJellyfinCredentials } from './jellyfin-credentials.ts';
import { itemsOf, readItem } from './jellyfin-item.ts';
import { decodeLocator } from './jellyfin-locator.ts';
import { readJellyfinOptions } from './jellyfin-options.ts';
import { askJellyfin } from './jellyfin-questions.ts';
import { JellyfinSession } from './jellyfin-session.ts';
import { fileAddress } from './stream-request.ts';

/** The first release that has the addresses used here. */
const OLDEST = { major: 10, minor: 9 };
const SAMPLES = 20;
const KIND_WORDS = {
  none: '',
  password: 'user name and password',
  'api key': 'API key',
  'quick connect': 'sign-in by Quick Connect',
} as const;

/** @throws LarderError that says what is wrong and what to do */
export async function tryJellyfinSignIn(
  target: SourceTarget,
  services: SourceServices,
  signal: AbortSignal,
): Promise<SignInTrial> {
  const server = await identify(target, services, signal);
  const deviceId = `${readJellyfinOptions(target.options).deviceId}-test`;
  const session = new JellyfinSession(target, services, deviceId);
  const sample = await findSample(target, session, { services, deviceId }, signal);
  const kind = jellyfinCredentialKind(parseJellyfinCredentials(target.credentials));
  const detail = `${server} lets us in with the ${KIND_WORDS[kind]}`;
  if (sample !== null) return { finding: { ok: true, detail }, sample };
  const hint =
    kind === 'api key'
      ? 'add a library in the Jellyfin dashboard, or wait until it is scanned'
      : 'look at which libraries the user may see in the Jellyfin dashboard, or wait until they are scanned';
  return { finding: { ok: true, detail: `${detail}, and shows no films or music`, hint }, sample: null };
}

/** `Jellyfin 10.11.2 "Attic"`, once it is known that it is one. */
async function identify(target: SourceTarget, services: SourceServices, signal: AbortSignal): Promise<string> {
  const info = await askPublicInfo(target, services, signal);
  const version = /^(\d{1,4})\.(\d{1,4})[\w.+-]{0,40}$/.exec(textOf(info?.Version, 60) ?? '');
  // Emby answers the same question without a name of its product (PublicSystemInfo.cs has one).
  const product = textOf(info?.ProductName, 100) ?? '';
  if (version === null || !/jellyfin/i.test(product)) throw isNoJellyfin();
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new LarderError('origin-refused', `the server is Jellyfin ${version[0]}, which is too old`, {
      hint: `update it to ${OLDEST.major}.${OLDEST.minor} or later`,
    });
  }
  const name = textOf(info?.ServerName, 1_000);
  return `Jellyfin ${version[0]}${name === null ? '' : ` ${JSON.stringify(name.slice(0, 60))}`}`;
}

async function askPublicInfo(
  target: SourceTarget,
  services: SourceServices,
  signal: AbortSignal,
): Promise<ReturnType<typeof fieldsOf>> {
  try {
    const { body } = await askJellyfin(target, { path: 'System/Info/Public', token: null }, services, signal);
    return fieldsOf(body);
  } catch (error) {
    if (!(error instanceof LarderError)) throw error;
    // The question needs no sign-in: who wants one is another program, or stands before the server.
    const isOther = error.code === 'not-found' || error.code === 'origin-lied' || error.code === 'origin-refused';
    throw isOther ? isNoJellyfin(error) : error;
  }
}

function isNoJellyfin(cause?: unknown): LarderError {
  return new LarderError('origin-refused', 'something answers at the address, and it is not Jellyfin', {
    cause,
    hint: 'give the address that opens Jellyfin in a browser, with its port and path, for example http://nas:8096/',
  });
}

async function findSample(
  target: SourceTarget,
  session: JellyfinSession,
  { services, deviceId }: { readonly services: SourceServices; readonly deviceId: string },
  signal: AbortSignal,
): Promise<SignInTrial['sample']> {
  const { token, userId } = await session.accessUntil(signal);
  const query = { ...itemFilter('Movie,Episode,Video,MusicVideo,Audio'), ...ITEM_FIELDS, userId };
  const { body } = await session.ask(
    { path: 'Items', query: { ...query, limit: SAMPLES, enableTotalRecordCount: false } },
    signal,
  );
  const files = itemsOf(body, SAMPLES).flatMap((fields) => {
    const item = readItem(fields);
    return item === null ? [] : filesOf(item);
  });
  // One that lies at the server says more of it than one that it passes on.
  const file = files.find((one) => one.refusal === null && one.sizeBytes !== null) ?? files.find((one) => !one.refusal);
  const locator = file?.locator ? decodeLocator(file.locator) : null;
  if (file === undefined || locator === null) return null;
  const headers = { authorization: authorizationHeader(token, { deviceId, version: services.version }) };
  const { url } = fileAddress(target.url, file.mediaKey, locator);
  return { name: file.title, request: { url, headers, baseUrl: target.url, local: target.local } };
}
