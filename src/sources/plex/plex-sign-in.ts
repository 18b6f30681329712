// Signing in at plex.tv without a password: a code is asked for, the owner confirms it on a page of Plex, and the token
// is fetched with it. The servers of the account then say under which addresses they can be reached.
// (plex-api-spec.yaml, "Authenticating with Plex"; pushingkarmaorg/python-plexapi myplex.py, `MyPlexPinLogin`)
import { LarderError } from '../../errors.ts';
import { askJson } from '../json-api.ts';
import type { SourceTarget } from '../media-source.ts';
import { PlexApi, type PlexServices, plexHeaders } from './plex-api.ts';
import { asFields, readFlag, readList, readText } from './plex-fields.ts';

export interface PlexPin {
  readonly id: string;
  readonly code: string;
  /** The page on which the owner confirms it. */
  readonly link: string;
}

export interface PlexConnection {
  readonly url: string;
  /** In the network of the server. */
  readonly isLocal: boolean;
  /** By way of Plex, at about 2 Mbit/s. */
  readonly isRelay: boolean;
}

export interface PlexServer {
  readonly name: string;
  readonly machineIdentifier: string;
  /** Good for this server alone. */
  readonly token: string;
  readonly isOwned: boolean;
  /** The one to try first is the first. */
  readonly connections: readonly PlexConnection[];
}

export interface AccountServices {
  readonly services: PlexServices;
  readonly clientId: string;
  readonly accountToken: string;
  readonly plexTv?: string | undefined;
}

export const PLEX_TV = 'https://plex.tv/';
const CONFIRM_PAGE = 'https://app.plex.tv/auth';
const SERVERS_MAX = 200;
const CONNECTIONS_MAX = 50;

/** @param plexTv - ends in a slash; another one in tests */
export async function startPin(
  services: PlexServices,
  clientId: string,
  signal: AbortSignal,
  plexTv: string = PLEX_TV,
): Promise<PlexPin> {
  const headers = plexHeaders(clientId, services.version);
  const fields = asFields(await askPlexTv(services, `${plexTv}api/v2/pins?strong=true`, headers, signal, 'POST'));
  const id = readText(fields?.id, 40);
  const code = readText(fields?.code, 200);
  if (id === null || code === null || !/^\w+$/.test(id)) throw unexpected();
  const query = new URLSearchParams({ clientID: clientId, code, 'context[device][product]': 'Larder' });
  return { id, code, link: `${CONFIRM_PAGE}#?${query}` };
}

/**
 * The token, or null while nobody has confirmed the code. To be asked every second or two.
 * @throws LarderError `missing` when the code is too old
 */
export async function pollPin(
  services: PlexServices,
  clientId: string,
  pin: Pick<PlexPin, 'id'>,
  signal: AbortSignal,
  plexTv: string = PLEX_TV,
): Promise<string | null> {
  const headers = plexHeaders(clientId, services.version);
  try {
    const answer = await askPlexTv(services, `${plexTv}api/v2/pins/${encodeURIComponent(pin.id)}`, headers, signal);
    const fields = asFields(answer);
    if (fields === null) throw unexpected();
    return readText(fields.authToken, 4_096);
  } catch (error) {
    if (!(error instanceof LarderError) || error.code !== 'not-found') throw error;
    throw new LarderError('missing', 'the code was not confirmed in time', { hint: 'start signing in to Plex again' });
  }
}

/** Servers that the account may use. */
export async function listServers(
  services: PlexServices,
  token: string,
  clientId: string,
  signal: AbortSignal,
  plexTv: string = PLEX_TV,
): Promise<PlexServer[]> {
  const headers = { ...plexHeaders(clientId, services.version), 'x-plex-token': token };
  const answer = await askPlexTv(
    services,
    `${plexTv}api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1`,
    headers,
    signal,
  );
  if (!Array.isArray(answer)) throw unexpected();
  return readList(answer, SERVERS_MAX).flatMap((fields) => {
    const name = readText(fields.name, 200);
    const machineIdentifier = readText(fields.clientIdentifier, 128);
    const accessToken = readText(fields.accessToken, 4_096);
    const isServer = (readText(fields.provides, 200) ?? '').split(',').includes('server');
    if (!isServer || name === null || machineIdentifier === null || accessToken === null) return [];
    const isOwned = readFlag(fields.owned);
    const connections = readList(fields.connections, CONNECTIONS_MAX).flatMap((connection) => {
      const isLocal = readFlag(connection.local);
      // The network of somebody else's server is not ours, unless both are seen under one address.
      if (isLocal && !isOwned && !readFlag(fields.publicAddressMatches)) return [];
      const isRelay = readFlag(connection.relay);
      const plain = isRelay || readFlag(fields.httpsRequired) ? null : plainUrl(connection.address, connection.port);
      const urls = new Set([readText(connection.uri, 2_048), plain]);
      return [...urls].flatMap((url) =>
        url !== null && URL.canParse(url) ? { url: `${new URL(url).origin}/`, isLocal, isRelay } : [],
      );
    });
    return { name, machineIdentifier, token: accessToken, isOwned, connections: connections.sort(byRank) };
  });
}

/**
 * What the server at the address of `target` is to be shown in place of the token of the account, which opens every
 * server of it and the account itself: a server may be somebody else's, or stand at a mistyped address.
 * @throws LarderError `origin-refused` when the account has no such server
 */
export async function tokenOfServer(
  target: SourceTarget,
  { services, clientId, accountToken, plexTv = PLEX_TV }: AccountServices,
  signal: AbortSignal,
): Promise<string> {
  const { machineIdentifier } = await new PlexApi({ ...target, credentials: null }, services).readIdentity(signal);
  const servers = await listServers(services, accountToken, clientId, signal, plexTv);
  const server = servers.find((candidate) => candidate.machineIdentifier === machineIdentifier);
  if (server !== undefined) return server.token;
  throw new LarderError('origin-refused', 'the server at the address is none that this Plex account may use', {
    hint: 'check the address, sign in with the account that the server is shared with, or paste a token',
  });
}

function plainUrl(address: unknown, port: unknown): string | null {
  const host = readText(address, 200);
  const number = readText(port, 5);
  if (host === null || number === null) return null;
  return `http://${host.includes(':') ? `[${host}]` : host}:${number}/`;
}

/** Local https, local http, remote ones likewise, relays. */
function byRank(one: PlexConnection, other: PlexConnection): number {
  const rank = ({ url, isLocal, isRelay }: PlexConnection) =>
    (isRelay ? 4 : isLocal ? 0 : 2) + (url.startsWith('https:') ? 0 : 1);
  return rank(one) - rank(other);
}

async function askPlexTv(
  { client, ownPort, clock }: PlexServices,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  method: 'GET' | 'POST' = 'GET',
): Promise<unknown> {
  const services = { client, ownPort, clock };
  return (await askJson({ url, method, headers, baseUrl: url, local: null }, services, signal)).body;
}

function unexpected(): LarderError {
  return new LarderError('origin-lied', 'plex.tv answers with something else than was asked for', {
    hint: 'try again in a while, or enter the address of the server and a token by hand',
  });
}
