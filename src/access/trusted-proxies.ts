// Which peers may say for whom they ask: `LARDER_TRUSTED_PROXIES`.
import ipaddr from 'ipaddr.js';
import { readNetwork } from '../option-values.ts';

type Address = ReturnType<typeof ipaddr.process>;

export interface TrustedProxies {
  /** @param address as the socket has it */
  includes(address: string): boolean;
}

/** @param texts what `readNetwork` takes */
export function trustedProxies(texts: readonly string[]): TrustedProxies {
  const networks = texts.map(readNetwork).filter((network) => network !== null);
  return {
    includes(address) {
      if (networks.length === 0 || !ipaddr.isValid(address)) return false;
      // `::ffff:10.0.0.1` is 10.0.0.1, and networks may be written in either way.
      const plain = ipaddr.process(address);
      const spellings: Address[] = [plain];
      if (plain.kind() === 'ipv4') spellings.push((plain as ipaddr.IPv4).toIPv4MappedAddress());
      return networks.some(([network, bits]) =>
        spellings.some((spelling) => spelling.kind() === network.kind() && spelling.match(network, bits)),
      );
    },
  };
}
