// What a running program holds, read from /proc (Linux): open descriptors by kind, threads, memory, children.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { listProcessTree, readMemory } from '../bench/system/process-tree.ts';
import { parseTcpTable } from './tcp-queues.ts';

export interface Footprint {
  readonly descriptors: ReadonlyMap<string, number>;
  readonly threads: ReadonlyMap<string, number>;
  readonly children: number;
  readonly residentBytes: number;
  /** Shared pages counted once. */
  readonly proportionalBytes: number;
}

export interface Ports {
  readonly own: number;
  readonly origin: number;
}

function count(names: readonly string[]): Map<string, number> {
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

function socketKinds(ports: Ports): Map<number, string> {
  const kinds = new Map<number, string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const row of parseTcpTable(readFileSync(file, 'utf8'))) {
      const isClient = row.localPort === ports.own;
      const kind = row.remotePort === ports.origin ? 'origin sockets' : 'other sockets';
      kinds.set(row.inode, isClient ? (row.isListening ? 'listening sockets' : 'client sockets') : kind);
    }
  }
  return kinds;
}

/** A kind whose number means something: chunk files, the database, sockets by their other side, event descriptors. */
function kindOf(target: string, sockets: ReadonlyMap<number, string>): string {
  const socket = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  if (socket !== undefined) return sockets.get(Number(socket)) ?? 'other sockets';
  if (target.includes('/chunks/')) return target.endsWith(' (deleted)') ? 'deleted chunk files' : 'chunk files';
  const database = /\/(larder\.(?:db|lock)[\w-]*)/.exec(target)?.[1];
  if (database !== undefined) return database;
  // anon_inode:[eventpoll], pipe:[4711], /dev/urandom
  return target.replace(/^anon_inode:/, '').replace(/:\[\d+\]$/, '');
}

function linksIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      return []; // closed between listing and reading
    }
  });
}

function threadNames(folder: string): string[] {
  return readdirSync(folder).flatMap((thread) => {
    try {
      return [readFileSync(`${folder}/${thread}/comm`, 'utf8').trim()];
    } catch {
      return []; // ended in between
    }
  });
}

export function readFootprint(pid: number, ports: Ports): Footprint {
  const sockets = socketKinds(ports);
  const memory = readMemory(pid);
  return {
    descriptors: count(linksIn(`/proc/${pid}/fd`).map((target) => kindOf(target, sockets))),
    threads: count(threadNames(`/proc/${pid}/task`)),
    children: listProcessTree(pid).length - 1,
    residentBytes: memory.residentBytes,
    proportionalBytes: memory.proportionalBytes,
  };
}
