// The port, and the kinds of addresses it can be reached on.
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describeError } from '../../errors.ts';
import { addressRange } from '../../sources/address-guard.ts';
import { type Check, failed, ok, warning } from './finding.ts';

/** Before a start: whether the port can be had. */
export function portIsFree(host: string, port: number): Check {
  return {
    name: 'port',
    title: 'Port',
    run: () =>
      new Promise((resolve) => {
        const where = `${host} port ${port}`;
        const probe = createServer();
        probe.once('error', (error) => {
          resolve(
            warning(
              `${where} cannot be listened on: ${describeError(error)}`,
              'this is right when Larder is running; else choose another with --port N',
            ),
          );
        });
        probe.listen(port, host, () => probe.close(() => resolve(ok(`${where} is free`))));
      }),
  };
}

const ANSWER_MAX_MS = 3_000;

/** While running: whether our own port answers. */
export function portAnswers(host: string, port: number): Check {
  return {
    name: 'port',
    title: 'Port',
    run: () =>
      new Promise((resolve) => {
        const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
        const socket = connect({ host: target, port, timeout: ANSWER_MAX_MS });
        const end = (result: ReturnType<typeof ok>) => {
          socket.destroy();
          resolve(result);
        };
        const hint = 'a firewall on this machine may drop connections: open the port in it';
        socket.once('connect', () => end(ok(`Larder answers on ${host} port ${port}`)));
        socket.once('timeout', () => end(failed(`port ${port} does not answer on ${target}`, hint)));
        socket.once('error', (error) =>
          end(failed(`port ${port} cannot be reached on ${target}: ${describeError(error)}`, hint)),
        );
      }),
  };
}

export interface InterfaceAddress {
  readonly address: string;
  readonly internal: boolean;
}

export function interfaceAddresses(): InterfaceAddress[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}

export function addressFamilies(host: string, addresses: () => readonly InterfaceAddress[]): Check {
  return {
    name: 'ipv6',
    title: 'IPv4 and IPv6',
    run: () => {
      const own = addresses().filter(({ internal }) => !internal);
      const hasV6 = own.some(({ address }) => address.includes(':') && addressRange(address) !== 'linkLocal');
      if (own.length === 0) {
        return Promise.resolve(
          warning(
            'this machine has no network address of its own',
            'connect it to your network: players reach it there',
          ),
        );
      }
      if (!host.includes(':') && hasV6) {
        return Promise.resolve(
          ok(
            'Larder listens for IPv4 only, and this machine has IPv6 too',
            'for players that use IPv6 start it with --host ::, which takes both',
          ),
        );
      }
      if (host.includes(':') && !hasV6)
        return Promise.resolve(ok('Larder listens for IPv6; this machine has no IPv6 address yet'));
      return Promise.resolve(
        ok(`Larder listens for ${host === '::' ? 'IPv4 and IPv6' : host.includes(':') ? 'IPv6' : 'IPv4'}`),
      );
    },
  };
}
