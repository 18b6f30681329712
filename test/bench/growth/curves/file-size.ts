// Larger and larger files at an origin that makes its content up: what a file costs does not depend on how long it is,
// only on what of it is asked for.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client/sqlite3';
import type { Exchange } from '../../client/connection.ts';
import type { BenchFile } from '../../content.ts';
import type { RunningPeer } from '../../peers/peer.ts';
import { randomFrom } from '../../statistics.ts';
import { readMemory } from '../../system/process-tree.ts';
import type { Curve } from '../curve.ts';
import { type GrowthRun, waitUntilAtRest } from '../growth-run.ts';
import { costOfEach } from '../probes.ts';

const READ_BYTES = 64 * 1024;
const FILES = 15;
/** Places that are all different, also in a file of 1 MB. */
const READS_OF_EACH = 12;
const WARM_ROUNDS = 20;
const CACHE_SIZE = '20TB';

function filesOf(sizeBytes: number): BenchFile[] {
  return Array.from({ length: FILES }, (_, index) => ({ name: `film-${index}.bin`, sizeBytes, seed: 41 + index }));
}

/** Different blocks of a file in random order. */
function readsOf(peer: RunningPeer, file: BenchFile, random: () => number): Exchange[] {
  const blocks = new Set<number>();
  while (blocks.size < READS_OF_EACH) blocks.add(Math.floor(random() * Math.floor(file.sizeBytes / READ_BYTES)));
  return [...blocks].map((block) => {
    const range = { start: block * READ_BYTES, end: (block + 1) * READ_BYTES };
    return { path: peer.pathOf(file), file, range };
  });
}

/** Of the database while nobody runs on it, with all that is still in its log. */
async function databaseBytes({ dataFolder }: GrowthRun): Promise<number> {
  const file = join(dataFolder, 'larder.db');
  const client = createClient({ url: pathToFileURL(file).href });
  await client.execute('PRAGMA wal_checkpoint(TRUNCATE)').finally(() => client.close());
  return (await stat(file)).size;
}

export const fileSize: Curve = {
  name: 'file-size',
  description: `${FILES} files that nobody has asked for yet, ${READS_OF_EACH} reads of 64 KiB at random places of each.`,
  sizeLabel: 'file',
  sizes: [1e6, 1e8, 1e9, 1e10, 1e11],
  showSize: (size) => (size < 1e9 ? `${size / 1e6} MB` : `${size / 1e9} GB`),
  columns: [
    {
      cost: 'firstMs',
      label: 'time of the first read',
      unit: 'ms',
      decimals: 1,
      may: { kind: 'constant', noise: 20 },
    },
    {
      cost: 'firstMicroseconds',
      label: 'CPU of the first read',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 500 },
    },
    {
      cost: 'coldMicroseconds',
      label: 'CPU of a further one',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 500 },
    },
    {
      cost: 'warmMicroseconds',
      label: 'CPU of one again',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 20 },
    },
    {
      cost: 'databaseBytes',
      label: 'database for each file',
      unit: 'bytes',
      decimals: 0,
      may: { kind: 'constant', noise: 4096 },
    },
    { cost: 'memoryMB', label: 'peak memory', unit: 'MB', decimals: 0, may: { kind: 'constant', noise: 50 } },
  ],
  limitSeconds: 120,
  async measure(run, sizeBytes) {
    const files = filesOf(sizeBytes);
    const origin = await run.startOrigin(files);
    // A file that is larger than the cache would be passed on.
    const settings = ['--cache-size', CACHE_SIZE];
    await (await run.startLarder(origin, settings)).peer.stop();
    const emptyBytes = await databaseBytes(run);
    const { peer } = await run.startLarder(origin, settings);
    const [warmUp, ...others] = files;
    const random = randomFrom(run.seed);
    await costOfEach(peer, readsOf(peer, warmUp!, random));
    const reads = others.map((file) => readsOf(peer, file, random));
    await waitUntilAtRest(peer);
    const firsts = reads.map(([first]) => first!);
    const first = await costOfEach(peer, firsts);
    const cold = await costOfEach(
      peer,
      reads.flatMap(([, ...further]) => further),
    );
    await waitUntilAtRest(peer);
    const all = reads.flat();
    await costOfEach(peer, all);
    const warm = await costOfEach(peer, Array.from({ length: WARM_ROUNDS }, () => all).flat());
    const memoryMB = readMemory(peer.pid).peakResidentBytes / 1e6;
    await peer.stop();
    return {
      firstMs: first.wallMs,
      firstMicroseconds: first.processorMs * 1e3,
      coldMicroseconds: cold.processorMs * 1e3,
      warmMicroseconds: warm.processorMs * 1e3,
      databaseBytes: ((await databaseBytes(run)) - emptyBytes) / files.length,
      memoryMB,
    };
  },
};
