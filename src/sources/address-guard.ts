// Where a source may reach. The owner's own address may be local; what an origin redirects to may be local only when
// the owner's address is, and is never link-local (cloud metadata), multicast, unspecified or Larder itself.
import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { LarderError } from '../errors.ts';

export interface ReachRule {
  /** The owner's base URL of the source. */
  readonly baseUrl: string;
  /** Our own listening port: a loopback address with it is Larder itself. */
  readonly ownPort: number;
}

export type AddressLookup = (host: string) => Promise<readonly string[]>;

const LOCAL_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);
const FORBIDDEN_RANGES = new Set(['linkLocal', 'multicast', 'broadcast', 'unspecified', 'reserved', 'teredo']);

export const systemLookup: AddressLookup = async (host) => {
  const addresses = await lookup(host, { all: true, verbatim: true });
  return addresses.map((address) => address.address);
};

/** Kind of network an address is of. Sees through IPv6 forms that carry an IPv4 address. */
export function addressRange(address: string): string {
  const parsed = ipaddr.process(address); // IPv4-mapped
  const range = parsed.range();
  const bytes = parsed.toByteArray();
  if (range === 'rfc6052') return ipaddr.fromByteArray(bytes.slice(12)).range(); // NAT64, RFC 6052 §2.2
  if (range === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6)).range(); // RFC 3056 §2
  return range;
}

/** Loopback, private, link-local and unique local addresses: a network of one's own. */
export function isPrivateAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = addressRange(address);
  return LOCAL_RANGES.has(range) || range === 'linkLocal';
}

export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && addressRange(address) === 'loopback';
}

function literalHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

async function addressesOf(url: URL, find: AddressLookup): Promise<readonly string[]> {
  const host = literalHost(url);
  return ipaddr.isValid(host) ? [host] : find(host);
}

/**
 * Checks one hop. The addresses are looked up again by the connection itself; pinning it to the checked ones is not
 * possible with fetch (facts/runtime.md §2).
 * @throws LarderError `forbidden-address`
 */
export async function checkHop(url: URL, rule: ReachRule, find: AddressLookup): Promise<void> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw forbidden(url, 'only http and https are followed');
  const base = new URL(rule.baseUrl);
  const isBase = url.host === base.host;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  for (const address of await addressesOf(url, find)) {
    const range = addressRange(address);
    if (FORBIDDEN_RANGES.has(range)) throw forbidden(url, `${address} is a ${range} address`);
    if (range === 'loopback' && port === rule.ownPort) throw forbidden(url, 'it is Larder itself');
    if (!isBase && LOCAL_RANGES.has(range) && !(await isLocal(base, find))) {
      throw forbidden(url, `${address} is a ${range} address and the source is not a local one`);
    }
  }
}

async function isLocal(base: URL, find: AddressLookup): Promise<boolean> {
  const addresses = await addressesOf(base, find);
  return addresses.some((address) => LOCAL_RANGES.has(addressRange(address)));
}

function forbidden(url: URL, reason: string): LarderError {
  return new LarderError(
    'forbidden-address',
    `the origin points to ${url.protocol}//${url.host}, which is refused: ${reason}`,
    {
      hint: 'if this host is meant, add it as a source of its own',
    },
  );
}
