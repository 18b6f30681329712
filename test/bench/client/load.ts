// Load for a fixed time over several connections, each asking for the next range as soon as the last one is complete.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchFile } from '../content.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { randomFrom } from '../statistics.ts';
import { readCpuSeconds } from '../system/process-tree.ts';
import { Connection } from './connection.ts';

export interface LoadOptions {
  readonly peer: RunningPeer;
  readonly file: BenchFile;
  readonly connections: number;
  /** Length of each random range; the whole file when absent. */
  readonly rangeBytes?: number;
  readonly runInMs: number;
  readonly measureMs: number;
  readonly seed: number;
}

export interface LoadResult {
  readonly seconds: number;
  readonly bodyBytes: number;
  readonly requests: number;
  /** Of requests completed while measuring. */
  readonly latenciesMs: readonly number[];
  readonly peerCpuSeconds: number;
}

/** Fails with the first wrong answer on any connection. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { peer, file } = options;
  const connections = await Promise.all(Array.from({ length: options.connections }, () => Connection.open(peer.port)));
  const random = randomFrom(options.seed);
  const path = peer.pathOf(file);
  const latenciesMs: number[] = [];
  let phase: 'run-in' | 'measure' | 'over' = 'run-in';
  const askOn = async (connection: Connection) => {
    while (phase !== 'over') {
      const start = Math.floor(random() * (file.sizeBytes - (options.rangeBytes ?? 0) + 1));
      const range = options.rangeBytes === undefined ? {} : { range: { start, end: start + options.rangeBytes } };
      const result = await connection.get({ path, file, ...range });
      if (phase === 'measure') latenciesMs.push(result.lastByteMs);
    }
  };
  const failure = Promise.withResolvers<never>();
  const asking = connections.map((connection) =>
    askOn(connection).catch((error: unknown) => {
      // Connections are dropped in the middle of an answer once the time is over.
      if (phase !== 'over') failure.reject(error);
    }),
  );
  const receivedBytes = () => connections.reduce((sum, connection) => sum + connection.bodyBytes, 0);
  try {
    await Promise.race([sleep(options.runInMs), failure.promise]);
    phase = 'measure';
    const before = { cpuSeconds: readCpuSeconds(peer.pid), atMs: performance.now(), bytes: receivedBytes() };
    await Promise.race([sleep(options.measureMs), failure.promise]);
    const seconds = (performance.now() - before.atMs) / 1000;
    const bodyBytes = receivedBytes() - before.bytes;
    const peerCpuSeconds = readCpuSeconds(peer.pid) - before.cpuSeconds;
    return { seconds, bodyBytes, requests: latenciesMs.length, latenciesMs, peerCpuSeconds };
  } finally {
    phase = 'over';
    for (const connection of connections) connection.drop();
    await Promise.all(asking);
  }
}
