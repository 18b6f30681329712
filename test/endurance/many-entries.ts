// npm run many-entries     How long the binary takes to start: with nothing, with one entry, with 20,000.
import { temporaryFolder } from '../support/temporary-folder.ts';
import { checkedGet } from './checked-get.ts';
import { readFlags } from './command-line.ts';
import { endOnSignal } from './end-on-signal.ts';
import { median } from './kill-summary.ts';
import { LarderProcess } from './larder-process.ts';
import { addCopies, FILM, makeFolder, SEED, SOURCE, someCopy } from './many-entries-folder.ts';

const READ_BYTES = 64 * 1024;

interface Sample {
  readonly listeningMs: number;
  /** Of a cached film; null where nothing is cached. */
  readonly firstByteMs: number | null;
  readonly stopMs: number;
}

async function measure(dataFolder: string, isCached: boolean): Promise<Sample> {
  const startedAtMs = performance.now();
  await using larder = new LarderProcess(dataFolder, []);
  const port = await larder.listening();
  let firstByteMs: number | null = null;
  if (isCached) {
    // No origin is there: it comes from the disk or not at all.
    const range = { start: 0, end: READ_BYTES };
    const result = await checkedGet({ port, source: SOURCE, film: FILM, seed: SEED, range, leaveAfter: 1 });
    firstByteMs = performance.now() - startedAtMs;
    if (result.cache !== 'HIT') throw new Error(`the film is not there: ${JSON.stringify(result)}`);
  }
  // At once: what the start still had to compare is waited for, or given up.
  const stopMs = await larder.terminate();
  return { listeningMs: larder.startMs ?? Number.NaN, firstByteMs, stopMs };
}

/** A copy is an entry as good as any, or the measurement is of something else. */
async function checkCopy(dataFolder: string, path: string): Promise<void> {
  await using larder = new LarderProcess(dataFolder, []);
  const port = await larder.listening();
  const response = await fetch(`http://127.0.0.1:${port}/s/${SOURCE}/${path}`);
  const body = new Uint8Array(await response.arrayBuffer());
  const isRight = body.length === FILM.firstBytes && body.every((byte) => byte === 0);
  if (!isRight || response.headers.get('x-cache') !== 'HIT') {
    throw new Error(`${path} is not served from its rows: ${response.status}, ${body.length} bytes`);
  }
  await larder.terminate();
}

const flags = readFlags(
  'many-entries',
  {
    entries: { fallback: 20_000, says: 'entries' },
    rounds: { fallback: 9, says: 'starts of each, one after the other' },
  },
  {},
);
await using folder = await temporaryFolder();
endOnSignal(folder.path);
await makeFolder(folder.file('one'));
await makeFolder(folder.file('many'));
await addCopies(folder.file('many'), flags.entries);
await checkCopy(folder.file('many'), someCopy(flags.entries));

const samples = { empty: [] as Sample[], one: [] as Sample[], many: [] as Sample[] };
for (let round = 1; round <= flags.rounds; round++) {
  samples.empty.push(await measure(folder.file(`empty-${round}`), false));
  samples.one.push(await measure(folder.file('one'), true));
  samples.many.push(await measure(folder.file('many'), true));
}

const columns = [samples.empty, samples.one, samples.many];
const figures = (msOf: (sample: Sample) => number | null) =>
  columns.map((column) => median(column.map((sample) => msOf(sample) ?? Number.NaN)));
const row = (label: string, values: readonly number[]) => {
  const cells = values.map((value) => (Number.isNaN(value) ? '–' : value.toFixed(0)));
  const ratioTo = (other: number) => (Number.isNaN(other) ? '–' : `${(values[2]! / other).toFixed(2)}×`);
  return `| ${[label, ...cells, ratioTo(values[0]!), ratioTo(values[1]!)].join(' | ')} |`;
};
console.log(`Medians of ${flags.rounds} interleaved rounds. A new folder also has its database and add-on written.

| ms | new folder | one entry | ${flags.entries} entries | against new | against one |
| --- | --: | --: | --: | --: | --: |
${row(
  'process start to listening',
  figures((sample) => sample.listeningMs),
)}
${row(
  'process start to the first byte of a cached film',
  figures((sample) => sample.firstByteMs),
)}
${row(
  'SIGTERM right after that, to exit',
  figures((sample) => sample.stopMs),
)}`);
