// Where a source may reach: addresses of private networks where the owner allowed it, and never link-local (cloud
// metadata), multicast, unspecified or Larder itself. A source of a time before that was asked, or declared at the
// start, may be local itself, and be redirected to local addresses then.
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { LarderError } from '../errors.ts';

export interface ReachRule {
  /** The owner's base URL of the source. */
  readonly baseUrl: string;
  /** Our own listening port: an address of this machine with it is Larder itself. */
  readonly ownPort: number;
  /** Whether private and loopback addresses are allowed; null where that is as the base URL is. */
  readonly local: boolean | null;
}

export type AddressLookup = (host: string) => Promise<readonly string[]>;

const LOCAL_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);
const OWN_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'linkLocal']);
const FORBIDDEN_RANGES = new Set(['linkLocal', 'multicast', 'broadcast', 'unspecified', 'reserved', 'teredo']);

const RANGE_WORDS: Readonly<Record<string, string>> = {
  linkLocal: 'link-local',
  uniqueLocal: 'unique local',
  carrierGradeNat: "carrier's",
};
const ELSEWHERE = 'the origin leads there: open the address of the source in a browser, and see where it ends';

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

/**
 * Loopback, private, link-local and unique local addresses: a network of one's own, whose clients are let in. A carrier's
 * network is shared with strangers (RFC 6598), and an address inside of a translated one says nothing of who is near.
 */
export function isPrivateAddress(address: string): boolean {
  return ipaddr.isValid(address) && OWN_RANGES.has(ipaddr.process(address).range());
}

export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && addressRange(address) === 'loopback';
}

function literalHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Addresses of this machine, as they are now. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
}

function isThisMachine(address: string): boolean {
  if (addressRange(address) === 'loopback') return true;
  const plain = ipaddr.process(address).toNormalizedString();
  return ownAddresses().some((own) => ipaddr.isValid(own) && ipaddr.process(own).toNormalizedString() === plain);
}

/** Whether the host of `url` is at an address of a private network. @throws what looking its name up throws */
export async function isLocalHost(url: URL, find: AddressLookup): Promise<boolean> {
  const addresses = await addressesOf(url, find);
  return addresses.some((address) => LOCAL_RANGES.has(addressRange(address)));
}

async function addressesOf(url: URL, find: AddressLookup): Promise<readonly string[]> {
  const host = literalHost(url);
  return ipaddr.isValid(host) ? [host] : find(host);
}

/**
 * Checks one hop. Whoever must not be led elsewhere connects to what comes back (pinned-connection.ts): fetch would look
 * the name up again, and cannot be told an address (facts/runtime.md §2).
 * @returns the addresses that were found and checked
 * @throws LarderError `forbidden-address`
 */
export async function checkHop(url: URL, rule: ReachRule, find: AddressLookup): Promise<readonly string[]> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw forbidden(url, 'only http and https are followed');
  const base = new URL(rule.baseUrl);
  const isBase = url.host === base.host;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const addresses = await addressesOf(url, find);
  for (const address of addresses) {
    const range = addressRange(address);
    if (FORBIDDEN_RANGES.has(range)) {
      const hint = isBase ? 'give the address that the origin has in your network' : ELSEWHERE;
      throw forbidden(url, `${address} is a ${RANGE_WORDS[range] ?? range} address`, hint);
    }
    if (port === rule.ownPort && isThisMachine(address)) {
      const hint = isBase ? 'give the address of the machine that has the films, with its own port' : ELSEWHERE;
      throw forbidden(url, 'it is Larder itself', hint);
    }
    if (!LOCAL_RANGES.has(range) || rule.local === true) continue;
    if (rule.local === false) {
      throw forbidden(
        url,
        `${address} is a ${RANGE_WORDS[range] ?? range} address and the source may not reach private networks`,
        'allow private addresses in the settings of the source, if this one is meant',
      );
    }
    if (!isBase && !(await isLocalHost(base, find))) {
      throw forbidden(url, `${address} is a ${RANGE_WORDS[range] ?? range} address and the source is not a local one`);
    }
  }
  return addresses;
}

function forbidden(
  url: URL,
  reason: string,
  hint = 'if this host is meant, add it as a source of its own',
): LarderError {
  return new LarderError(
    'forbidden-address',
    `the source leads to ${url.protocol}//${url.host}, which is refused: ${reason}`,
    { hint },
  );
}
