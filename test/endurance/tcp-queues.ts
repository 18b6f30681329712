// The kernel's table of TCP sockets (Linux, proc(5)): who is connected to whom, and what lies in between, handed over
// by one side and not yet read by the other.
import { readFileSync } from 'node:fs';

export interface TcpRow {
  readonly localPort: number;
  readonly remotePort: number;
  readonly isListening: boolean;
  readonly unacknowledgedBytes: number;
  readonly unreadBytes: number;
  readonly inode: number;
}

const LISTEN = '0A';

export function parseTcpTable(text: string): TcpRow[] {
  const portOf = (address: string) => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state, queues, , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || queues === undefined) return [];
      const [unacknowledged, unread] = queues.split(':').map((hex) => Number.parseInt(hex, 16));
      return [
        {
          localPort: portOf(local),
          remotePort: portOf(remote),
          isListening: state === LISTEN,
          unacknowledgedBytes: unacknowledged ?? 0,
          unreadBytes: unread ?? 0,
          inode: Number(inode),
        },
      ];
    });
}

/** Bytes that `originPort` sent and its client has not read, by the client's port. */
export function undeliveredBytes(originPort: number): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const row of parseTcpTable(readFileSync('/proc/net/tcp', 'utf8'))) {
    if (row.isListening) continue; // there it is the length of the accept queue
    const add = (clientPort: number, more: number) => bytes.set(clientPort, (bytes.get(clientPort) ?? 0) + more);
    if (row.localPort === originPort) add(row.remotePort, row.unacknowledgedBytes);
    if (row.remotePort === originPort) add(row.localPort, row.unreadBytes);
  }
  return bytes;
}
