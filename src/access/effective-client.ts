// Who asks, and under which address they see us, when proxies stand between. What a header says counts only when the
// peer who sent it is a trusted proxy, and then from the right: the last address that is not trusted is the client.
// A peer that is not trusted and forwards all the same may speak for anybody: it never counts as a private network.
import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { isPrivateAddress } from '../sources/address-guard.ts';
import { Remembered } from './remembered.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface RequestFacts {
  readonly headers: IncomingHttpHeaders;
  /** Of the socket. */
  readonly remoteAddress: string;
  readonly isEncrypted: boolean;
}

export interface EffectiveClient {
  /** Without an IPv6 wrapping around IPv4; empty when it cannot be known. */
  readonly address: string;
  /** On a private network, as far as can be told. */
  readonly isPrivate: boolean;
  readonly protocol: 'http' | 'https';
  /** Host and port as the client named us; null when it did not. */
  readonly host: string | null;
  /** Path that a trusted proxy took off, such as `/larder`; null when none said so. */
  readonly prefix: string | null;
  /** A trusted proxy said for whom it asks. */
  readonly isForwarded: boolean;
  /** A peer that is not trusted sent forwarding headers: they were ignored. */
  readonly isForwardedByStranger: boolean;
}

const REMEMBERED_PEERS_MAX = 1_000;

interface Hop {
  readonly address: string | null;
  readonly protocol?: string | undefined;
  readonly host?: string | undefined;
}

const FORWARDING_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-ingress-path',
  'x-real-ip',
  'via',
] as const;

export const PREFIX_PATTERN: RegExp = /^(\/[A-Za-z0-9._~-]+)+$/;

interface Peer {
  readonly address: string;
  readonly isPrivate: boolean;
}

/** What the addresses of sockets are: the same few come all day, and taking one apart costs as much as a small answer. */
export class Peers {
  readonly #known = new Remembered<Peer>(REMEMBERED_PEERS_MAX);

  look(remoteAddress: string): Peer {
    let peer = this.#known.get(remoteAddress);
    if (peer === undefined) {
      const address = plainAddress(remoteAddress);
      peer = { address, isPrivate: isPrivateAddress(address) };
      this.#known.set(remoteAddress, peer);
    }
    return peer;
  }
}

export function effectiveClient(
  request: RequestFacts,
  proxies: TrustedProxies,
  peers: Peers = new Peers(),
): EffectiveClient {
  const { headers } = request;
  const { address: peer, isPrivate } = peers.look(request.remoteAddress);
  const own = request.isEncrypted ? 'https' : 'http';
  const isForwarded = FORWARDING_HEADERS.some((name) => headers[name] !== undefined);
  if (!proxies.includes(peer)) {
    return {
      address: peer,
      isPrivate: !isForwarded && isPrivate,
      protocol: own,
      host: headers.host ?? null,
      prefix: null,
      isForwarded: false,
      isForwardedByStranger: isForwarded,
    };
  }
  const hops = readHops(headers);
  // From the right: each trusted hop vouches for the one before it. A proxy that forwards and does not say for whom
  // asks for somebody unknown, not for itself.
  let client: Hop = { address: isForwarded ? null : peer };
  for (const hop of hops.toReversed()) {
    client = hop;
    if (hop.address === null || !proxies.includes(hop.address)) break;
  }
  const { address } = client;
  return {
    address: address ?? '',
    isPrivate: address !== null && (address === peer ? isPrivate : isPrivateAddress(address)),
    protocol: readProtocol(client.protocol ?? lastOf(headers['x-forwarded-proto'])) ?? own,
    host: readHost(client.host ?? lastOf(headers['x-forwarded-host'])) ?? headers.host ?? null,
    prefix: readPrefix(lastOf(headers['x-forwarded-prefix']) ?? lastOf(headers['x-ingress-path'])),
    isForwarded,
    isForwardedByStranger: false,
  };
}

/**
 * One hop for each proxy that was passed, the client first. Proxies set X-Forwarded-For and pass on what else they do not
 * know as the client sent it: beside it RFC 7239 says nothing, and X-Real-IP says nothing at all.
 */
function readHops(headers: IncomingHttpHeaders): Hop[] {
  const { forwarded } = headers;
  if (headers['x-forwarded-for'] === undefined && forwarded !== undefined) {
    return splitOutsideQuotes(forwarded, ',').map(readForwarded);
  }
  const addresses = listOf(headers['x-forwarded-for']);
  const protocols = listOf(headers['x-forwarded-proto']);
  const hosts = listOf(headers['x-forwarded-host']);
  // Only lists of the same length speak of the same hops.
  const at = (list: readonly string[], index: number) => (list.length === addresses.length ? list[index] : undefined);
  return addresses.map((address, index) => ({
    address: readNode(address),
    protocol: at(protocols, index),
    host: at(hosts, index),
  }));
}

/** RFC 7239 §4: `for=192.0.2.60;proto=http;host="example.com:8420"`. */
function readForwarded(element: string): Hop {
  const parameters = new Map<string, string>();
  for (const pair of splitOutsideQuotes(element, ';')) {
    const equals = pair.indexOf('=');
    const value = pair.slice(equals + 1).trim();
    const text = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
    if (equals > 0) parameters.set(pair.slice(0, equals).trim().toLowerCase(), text);
  }
  const node = parameters.get('for');
  return {
    address: node === undefined ? null : readNode(node),
    protocol: parameters.get('proto'),
    host: parameters.get('host'),
  };
}

/** Address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; null for `unknown`, `_hidden` and nonsense. */
function readNode(text: string): string | null {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const address = bracketed ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  if (ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address)) return plainAddress(address);
  return null;
}

/** Without the wrapping of IPv4 in IPv6, and without a zone. */
export function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : '';
}

function readProtocol(text: string | undefined): 'http' | 'https' | null {
  const word = text?.trim().toLowerCase();
  return word === 'http' || word === 'https' ? word : null;
}

function readHost(text: string | undefined): string | null {
  const host = text?.trim() ?? '';
  return /^(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(host) ? host : null;
}

function readPrefix(text: string | undefined): string | null {
  const prefix = text?.trim().replace(/\/+$/, '') ?? '';
  // Dots alone would climb out of what the proxy serves.
  return PREFIX_PATTERN.test(prefix) && !/\/\.{1,2}(\/|$)/.test(prefix) ? prefix : null;
}

function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return listOf(header).at(-1);
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [''];
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (isQuoted && sign === '\\') {
      parts[parts.length - 1] += sign + (text[++at] ?? '');
      continue;
    }
    if (sign === '"') isQuoted = !isQuoted;
    if (sign === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
