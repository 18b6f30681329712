// What one size of a curve is measured with: an origin that makes its content up, the binary on a folder of its own,
// and everything that is started for it, ended with it.
import { spawnSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchFile } from '../content.ts';
import type { Origin } from '../origin/origin.ts';
import { startShapedOrigin } from '../origin/shaped-origin.ts';
import { larderBinary, startLarder } from '../peers/larder.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Child } from '../system/child.ts';
import { readThreadTime } from '../system/process-tree.ts';

/** A program is at rest when it takes less than so much of a processor for so long. */
const REST_MS = 250;
const REST_SHARE = 0.04;
const REST_LIMIT_MS = 30_000;
const TOKEN_LIMIT_MS = 10_000;

export interface GrowthRunOptions {
  readonly folder: string;
  readonly seed: number;
  readonly adopt: (child: Child) => void;
}

/** A start of the binary, from the call to the line with its port. */
export interface Started {
  readonly peer: RunningPeer;
  readonly startMs: number;
}

export class GrowthRun {
  readonly seed: number;
  /** Data folder of the binary. */
  readonly dataFolder: string;
  readonly #folder: string;
  readonly #children: Child[] = [];
  readonly #adopt: (child: Child) => void;

  constructor({ folder, seed, adopt }: GrowthRunOptions) {
    this.#folder = folder;
    this.seed = seed;
    this.dataFolder = join(folder, 'data');
    this.#adopt = (child) => {
      this.#children.push(child);
      adopt(child);
    };
  }

  async startOrigin(files: readonly BenchFile[]): Promise<Origin> {
    const folder = join(this.#folder, 'origin');
    await mkdir(folder, { recursive: true });
    return startShapedOrigin({ folder, adopt: this.#adopt, shape: { latencyMs: 0 }, files });
  }

  /** On the same folder each time. `settings` are further arguments of its command line. */
  async startLarder(origin: Origin, settings: readonly string[] = []): Promise<Started> {
    const startedAtMs = performance.now();
    const peer = await startLarder({ origin, folder: this.#folder, adopt: this.#adopt, settings });
    return { peer, startMs: performance.now() - startedAtMs };
  }

  /** For the API; of a folder that was in use. */
  createToken(): string {
    const command = ['token', 'create', '--data', this.dataFolder, '--scope', 'admin'];
    const { stdout, stderr } = spawnSync(larderBinary(), command, { encoding: 'utf8', timeout: TOKEN_LIMIT_MS });
    if (stdout.trim() === '') throw new Error(`no token was made: ${stderr}`);
    return stdout.trim();
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a start leaves for later, and what requests left behind, is over then. */
export async function waitUntilAtRest({ pid }: RunningPeer): Promise<void> {
  const deadlineMs = performance.now() + REST_LIMIT_MS;
  for (let lastMs = readThreadTime(pid).allMs; performance.now() < deadlineMs; ) {
    await sleep(REST_MS);
    const nowMs = readThreadTime(pid).allMs;
    if (nowMs - lastMs < REST_MS * REST_SHARE) return;
    lastMs = nowMs;
  }
}
