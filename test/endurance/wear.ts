// npm run wear -- --megabytes 1024 --seconds 100     exit code 1: the disk took more than 1.02 bytes for one that is kept
import { statfsSync } from 'node:fs';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readFlags } from './command-line.ts';
import { endOnSignal } from './end-on-signal.ts';
import { MIB } from './film.ts';
import {
  fastFilms,
  pieces,
  playedFilm,
  runWear,
  seeks,
  thinFilm,
  type WearResult,
  type WearWay,
  wearOf,
} from './wear-run.ts';

/** Issue 6: with checksums and rows included. */
const WEAR_MAX = 1.02;
/** statfs(2): what is written there reaches no disk. */
const TMPFS_MAGIC = 0x01021994;

const flags = readFlags(
  'wear',
  {
    megabytes: { fallback: 1024, says: 'MiB of whole films from a fast origin' },
    seconds: { fallback: 100, says: 'of a film that is played, and of one from a thin line' },
    seeks: { fallback: 200, says: 'jumps of a player, and as many pieces' },
    idle: { fallback: 75, says: 'seconds of rest before the last look: a checkpoint, labels, counters' },
    seed: { fallback: 1, says: 'everything random comes from it' },
  },
  { trace: 'also tells which files were written, by strace (slower)' },
);
await using folder = await temporaryFolder();
endOnSignal(folder.path);
if (statfsSync(folder.path).type === TMPFS_MAGIC) {
  console.error(`${folder.path} is in memory: set TMPDIR to a folder on a real disk`);
  process.exit(2);
}

const bounded: readonly WearWay[] = [
  fastFilms(flags.megabytes * MIB),
  playedFilm(5e6, flags.seconds),
  thinFilm(1e6, flags.seconds),
];
const unbounded: readonly WearWay[] = [seeks(flags.seeks, flags.seed), pieces(flags.seeks, flags.seed)];
const results: WearResult[] = [];
for (const [index, way] of [...bounded, ...unbounded].entries()) {
  const options = { seed: flags.seed, idleMs: flags.idle * 1_000, isTraced: flags.trace };
  const result = await runWear(way, { ...options, folder: folder.file(String(index)) });
  console.log(`${way.name}: ${wearOf(result).toFixed(4)}`); // the table comes minutes later
  results.push(result);
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1);
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
console.log(`
| written to disk, MB | cached | while read | idle | stop | cancelled | **per byte cached** | start before |
| --- | --: | --: | --: | --: | --: | --: | --: |`);
for (const result of results) {
  const { name, cachedBytes, fillBytes, idleBytes, stopBytes, cancelledBytes, startBytes } = result;
  const parts = [cachedBytes, fillBytes, idleBytes, stopBytes, cancelledBytes].map(megabytes);
  console.log(row([name, ...parts, wearOf(result).toFixed(4), megabytes(startBytes)]));
}
if (flags.trace) {
  const kinds = [...new Set(results.flatMap((result) => [...(result.bytesByKind?.keys() ?? [])]))].sort();
  console.log(
    `\n| write calls, MB | ${kinds.join(' | ')} | per byte cached |\n| --- |${' --: |'.repeat(kinds.length + 1)}`,
  );
  for (const { name, bytesByKind, cachedBytes } of results) {
    const bytes = kinds.map((kind) => bytesByKind?.get(kind) ?? 0);
    const sum = bytes.reduce((left, right) => left + right, 0);
    console.log(row([name, ...bytes.map(megabytes), (sum / cachedBytes).toFixed(4)]));
  }
}

for (const [index] of bounded.entries()) {
  const result = results[index]!;
  if (wearOf(result) <= WEAR_MAX) continue;
  console.error(`WEAR: ${result.name}: ${wearOf(result).toFixed(4)} bytes for each that is kept, not ${WEAR_MAX}`);
  process.exitCode = 1;
}
