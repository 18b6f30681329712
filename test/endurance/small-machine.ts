// npm run small-machine -- --percent 25 --mebibytes 256     exit code 1: a picture stood still, or wrong bytes
import type { Child } from '../bench/system/child.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readFlags } from './command-line.ts';
import { endOnSignal } from './end-on-signal.ts';
import { MIB } from './film.ts';
import { MachineLimit } from './machine-limit.ts';
import { type Evening, runSmallMachine } from './small-machine-run.ts';

const flags = readFlags(
  'small-machine',
  {
    percent: { fallback: 25, says: 'of one processor' },
    mebibytes: { fallback: 256, says: 'of memory, the page cache included' },
    seconds: { fallback: 15, says: 'that are watched at each of six places' },
    megabits: { fallback: 40, says: 'a second of the film' },
    line: { fallback: 100, says: 'Mbit/s of the line, 30 ms to the origin' },
  },
  {},
);
await using folder = await temporaryFolder();
endOnSignal(folder.path);
const children = new Set<Child>();
process.once('exit', () => {
  for (const child of children) child.kill();
});

using limit = new MachineLimit({ processorShare: flags.percent / 100, memoryBytes: flags.mebibytes * MIB });
const evenings = await runSmallMachine({
  limit,
  watchSeconds: flags.seconds,
  filmBytesPerSecond: (flags.megabits * 1e6) / 8,
  bufferSeconds: 2,
  mostBufferedSeconds: 5,
  line: { latencyMs: 30, lineBytesPerSecond: (flags.line * 1e6) / 8 },
  folder: folder.path,
  adopt: (child) => children.add(child),
  report: console.log,
});

const row = (label: string, cellOf: (evening: Evening) => string | number) =>
  console.log(`| ${[label, ...evenings.map(cellOf)].join(' | ')} |`);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
console.log('');
row(`${flags.percent} % of a processor, ${flags.mebibytes} MiB`, ({ name }) => name);
console.log(`| --- |${' --: |'.repeat(evenings.length)}`);
row('start, ms', ({ startMs }) => startMs.toFixed(0));
row('jumps, ms', ({ seekMs }) => seekMs.map((ms) => ms.toFixed(0)).join(', '));
row('back, ms', ({ backMs }) => backMs.toFixed(0));
row('picture stood still, ms', ({ stalledMs }) => stalledMs.toFixed(0));
row('downloads, MB/s meanwhile', ({ downloadedBytes, seconds }) => (downloadedBytes / 1e6 / seconds).toFixed(1));
row('downloads that got on', ({ downloadCount }) => downloadCount);
row('processor, % of one', ({ processorSeconds, seconds }) => ((processorSeconds / seconds) * 100).toFixed(1));
row('periods at the limit, % since the start', ({ throttledShare }) => (throttledShare * 100).toFixed(0));
row('memory (RSS) at most, MB', ({ peakResidentBytes }) => megabytes(peakResidentBytes));
row('anonymous at most, MB', ({ peakAnonymousBytes }) => megabytes(peakAnonymousBytes));

for (const { name, stalledMs } of evenings) {
  if (stalledMs === 0) continue;
  console.error(`STALL: ${name}: the picture stood still for ${stalledMs.toFixed(0)} ms`);
  process.exitCode = 1;
}
