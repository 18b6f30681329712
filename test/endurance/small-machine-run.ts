// A household on a small machine: somebody watches a film and jumps about in it, while three others are downloaded over
// the same line. Once the film is new, once it is kept; the origin and the player are on a machine of their own.
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOnce } from '../bench/client/connection.ts';
import { type Film, watchFrom } from '../bench/client/player.ts';
import type { BenchFile } from '../bench/content.ts';
import type { Shape } from '../bench/origin/shape.ts';
import { startShapedOrigin } from '../bench/origin/shaped-origin.ts';
import type { RunningPeer } from '../bench/peers/peer.ts';
import type { Child } from '../bench/system/child.ts';
import { readMemory, resetPeak } from '../bench/system/process-tree.ts';
import { LarderProcess, larderBinary } from './larder-process.ts';
import type { MachineLimit } from './machine-limit.ts';

export interface SmallMachineOptions {
  readonly limit: MachineLimit;
  /** From the start, after each jump, and back. */
  readonly watchSeconds: number;
  readonly filmBytesPerSecond: number;
  readonly bufferSeconds: number;
  readonly mostBufferedSeconds: number;
  readonly line: Shape;
  /** Empty. */
  readonly folder: string;
  readonly adopt: (child: Child) => void;
  readonly report: (line: string) => void;
}

export interface Evening {
  readonly name: string;
  readonly startMs: number;
  readonly seekMs: readonly number[];
  readonly backMs: number;
  readonly stalledMs: number;
  readonly seconds: number;
  /** Of the three together, meanwhile. */
  readonly downloadedBytes: number;
  /** Downloads that got on. */
  readonly downloadCount: number;
  readonly processorSeconds: number;
  readonly throttledShare: number;
  readonly peakResidentBytes: number;
  readonly peakAnonymousBytes: number;
}

const MIB = 1024 * 1024;
const SEEK_SHARES = [0.2, 0.4, 0.6, 0.8];
const LOOK_EVERY_MS = 250;
/** The downloads have begun, and what follows a start is done. */
const BEGIN_MS = 5_000;

function file(name: string, mebibytes: number, seed: number): BenchFile {
  return { name, sizeBytes: mebibytes * MIB, seed };
}

const NEW_FILM = file('new.bin', 4096, 11);
const KEPT_FILM = file('kept.bin', 1024, 12);
const DOWNLOADS = [file('one.bin', 8192, 13), file('two.bin', 8192, 14), file('three.bin', 8192, 15)];

interface Entry {
  readonly id: number;
  readonly path: string;
  readonly cachedBytes: number;
}

class Household {
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: SmallMachineOptions;
  readonly #pid: number;

  constructor(larder: { pid: number; port: number; token: string }, options: SmallMachineOptions) {
    this.#pid = larder.pid;
    this.#port = larder.port;
    this.#headers = { authorization: `Bearer ${larder.token}` };
    this.#options = options;
  }

  async startDownloads(): Promise<void> {
    for (const wanted of DOWNLOADS) {
      await fetchOnce(this.#port, { path: `/s/far/${wanted.name}`, file: wanted, range: { start: 0, end: 4096 } });
    }
    for (const { id } of await this.#downloads()) {
      const response = await fetch(this.#address(`/entries/${id}/fetch`), { method: 'POST', headers: this.#headers });
      if (!response.ok) throw new Error(`a download could not be asked for: ${await response.text()}`);
    }
  }

  async #downloads(): Promise<Entry[]> {
    const response = await fetch(this.#address('/entries?limit=100'), { headers: this.#headers });
    const { items } = (await response.json()) as { items: Entry[] };
    return items.filter(({ path }) => DOWNLOADS.some(({ name }) => path === name));
  }

  #address(path: string): string {
    return `http://127.0.0.1:${this.#port}/api/v1${path}`;
  }

  /** @throws Error when a byte was wrong */
  async spendEvening(name: string, source: string, wanted: BenchFile): Promise<Evening> {
    const { limit, watchSeconds, filmBytesPerSecond, bufferSeconds, mostBufferedSeconds } = this.#options;
    const peer: RunningPeer = {
      name: 'larder',
      port: this.#port,
      pid: this.#pid,
      pathOf: ({ name: path }) => `/s/${source}/${path}`,
      stop: () => Promise.resolve(),
    };
    const buffers = { startBufferSeconds: bufferSeconds, mostBufferedSeconds };
    const film: Film = { file: wanted, bytesPerSecond: filmBytesPerSecond, ...buffers };
    const before = { downloads: await this.#downloads(), use: limit.use(), atMs: performance.now() };
    resetPeak(this.#pid);
    let peakAnonymousBytes = 0;
    const look = setInterval(() => {
      peakAnonymousBytes = Math.max(peakAnonymousBytes, limit.use().anonymousBytes);
    }, LOOK_EVERY_MS);
    try {
      const start = await watchFrom(peer, film, 0, watchSeconds);
      const seeks = [];
      for (const share of SEEK_SHARES) {
        seeks.push(await watchFrom(peer, film, Math.floor(wanted.sizeBytes * share), watchSeconds));
      }
      const back = await watchFrom(peer, film, Math.floor(wanted.sizeBytes * SEEK_SHARES[0]!), watchSeconds);
      const use = limit.use();
      const got = (await this.#downloads()).map(({ id, cachedBytes }) => {
        return cachedBytes - (before.downloads.find((download) => download.id === id)?.cachedBytes ?? 0);
      });
      return {
        name,
        startMs: start.startMs,
        seekMs: seeks.map((seek) => seek.startMs),
        backMs: back.startMs,
        stalledMs: [start, ...seeks, back].reduce((sum, viewing) => sum + viewing.stalledMs, 0),
        seconds: (performance.now() - before.atMs) / 1_000,
        downloadedBytes: got.reduce((sum, bytes) => sum + bytes, 0),
        downloadCount: got.filter((bytes) => bytes > 0).length,
        processorSeconds: use.processorSeconds - before.use.processorSeconds,
        throttledShare: use.throttledShare,
        peakResidentBytes: readMemory(this.#pid).peakResidentBytes,
        peakAnonymousBytes,
      };
    } finally {
      clearInterval(look);
    }
  }
}

/** Without limits: what is there when the evening begins, and who may ask for downloads. */
async function prepare(dataFolder: string, nearUrl: string): Promise<string> {
  await using larder = new LarderProcess(dataFolder, ['--source', `near=${nearUrl}`]);
  const port = await larder.listening();
  await fetchOnce(port, { path: `/s/near/${KEPT_FILM.name}`, file: KEPT_FILM });
  const words = ['token', 'create', '--scope', 'admin', '--name', 'small-machine', '--data', dataFolder];
  const made = spawnSync(larderBinary(), words, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`no token: ${made.stderr}`);
  await larder.terminate();
  return made.stdout.trim();
}

/** @throws Error when a byte was wrong, or the program ended */
export async function runSmallMachine(options: SmallMachineOptions): Promise<Evening[]> {
  const { limit, folder, adopt, line, report } = options;
  const near = await startShapedOrigin({ shape: { latencyMs: 5 }, files: [KEPT_FILM], folder, adopt });
  const far = await startShapedOrigin({ shape: line, files: [NEW_FILM, ...DOWNLOADS], folder, adopt });
  const dataFolder = `${folder}/data`;
  const token = await prepare(dataFolder, near.url);
  const sources = ['--source', `near=${near.url}`, '--source', `far=${far.url}`];
  await using larder = new LarderProcess(dataFolder, sources, limit.launcher);
  const port = await larder.listening();
  report(`started within ${limit.description} in ${(larder.startMs ?? 0).toFixed(0)} ms`);
  const household = new Household({ pid: larder.pid, port, token }, options);
  await household.startDownloads();
  await sleep(BEGIN_MS);
  const evenings = [
    await household.spendEvening('a film that is kept', 'near', KEPT_FILM),
    await household.spendEvening('a new film', 'far', NEW_FILM),
  ];
  const { killCount, peakBytes } = limit.use();
  report(`memory with the page cache: at most ${(peakBytes / MIB).toFixed(0)} MiB; killed for it: ${killCount}`);
  await larder.terminate();
  await Promise.all([near.stop(), far.stop()]);
  return evenings;
}
