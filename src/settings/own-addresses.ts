// The addresses under which players and browsers reach this Larder, the likeliest first.
import type { NetworkInterfaceInfo } from 'node:os';
import { addressRange, isLoopbackAddress } from '../sources/address-guard.ts';

export interface OwnAddressFacts {
  /** What the visitor typed, with the base path and no slash at the end: `http://nas:8420/larder`. */
  readonly visited: string;
  readonly scheme: 'http' | 'https';
  /** Address that is listened on: `0.0.0.0` for all of IPv4, `::` for all. */
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  readonly hostName: string;
  readonly interfaces: Readonly<
    Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[] | undefined>
  >;
}

export interface OwnAddress {
  /** No slash at the end. */
  readonly url: string;
  readonly kind: 'visited' | 'address' | 'name';
  /** Whether other machines can use it; the visitor may be on this one. */
  readonly isForOthers: boolean;
}

/** Interfaces that containers and virtual machines see, and players do not. */
const VIRTUAL = /^(?:docker|br-|veth|virbr|cni|flannel|podman|lxc|tailscale0?$|tun|wg)/;
const ADDRESSES_MAX = 8;

/** The first `isForOthers` one is what to show as a QR code. */
export function ownAddresses(facts: OwnAddressFacts): OwnAddress[] {
  const found: OwnAddress[] = [];
  const add = (url: string, kind: OwnAddress['kind'], isForOthers: boolean) => {
    if (!found.some((address) => address.url === url)) found.push({ url, kind, isForOthers });
  };
  const visitedIsLocal = isLocal(facts.visited);
  if (!visitedIsLocal) add(facts.visited, 'visited', true);
  for (const address of listened(facts)) add(urlOf(address, facts), 'address', true);
  if (!isBoundToOne(facts.host) && /^[a-z0-9][a-z0-9.-]*$/i.test(facts.hostName) && facts.hostName !== 'localhost') {
    add(urlOf(facts.hostName.toLowerCase(), facts), 'name', true);
  }
  if (visitedIsLocal) add(facts.visited, 'visited', false);
  return found.slice(0, ADDRESSES_MAX);
}

/** Whether it leads to this machine only where it is used. */
export function isLocal(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const name = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name);
}

function isBoundToOne(host: string): boolean {
  return host !== '0.0.0.0' && host !== '::';
}

/** Private IPv4 addresses first: that is what a home network is made of. */
function listened({ host, interfaces }: OwnAddressFacts): string[] {
  if (isBoundToOne(host)) return isLoopbackAddress(host) ? [] : [host];
  const addresses = Object.entries(interfaces)
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([, infos]) => infos ?? [])
    .filter(({ address, internal }) => !internal && (host === '::' || !address.includes(':')))
    .map(({ address }) => ({ address, range: addressRange(address) }))
    .filter(({ range }) => range !== 'linkLocal');
  const rank = ({ address, range }: { address: string; range: string }) =>
    (address.includes(':') ? 2 : 0) + (range === 'private' || range === 'uniqueLocal' ? 0 : 1);
  return addresses.sort((left, right) => rank(left) - rank(right)).map(({ address }) => address);
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

function urlOf(host: string, { scheme, port, basePath }: OwnAddressFacts): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}${port === DEFAULT_PORTS[scheme] ? '' : `:${port}`}${basePath}`;
}
