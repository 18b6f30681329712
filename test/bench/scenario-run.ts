// One run of one scenario: owns its folder and every program started for it, and collects the samples. A peer that
// fails is left out of the remaining rounds; the others go on.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchOnce } from './client/connection.ts';
import type { BenchFile } from './content.ts';
import { startFileOrigin } from './origin/file-origin.ts';
import { type Origin, waitUntilQuiet } from './origin/origin.ts';
import type { Shape } from './origin/shape.ts';
import { startShapedOrigin } from './origin/shaped-origin.ts';
import { startDirect } from './peers/direct.ts';
import { startLarder } from './peers/larder.ts';
import { startNginx } from './peers/nginx.ts';
import type { PeerName, RunningPeer, StartPeer } from './peers/peer.ts';
import { startRclone } from './peers/rclone.ts';
import type { Child } from './system/child.ts';

const START_PEER: Readonly<Record<PeerName, StartPeer>> = {
  larder: startLarder,
  nginx: startNginx,
  rclone: startRclone,
  direct: startDirect,
};

/** A peer with an origin of its own, so that what one fetches in the background is never charged to another. */
export interface Subject {
  readonly peer: RunningPeer;
  readonly origin: Origin;
}

/** May return no samples, for a round that does not count. */
export type Measure = (subject: Subject, round: number) => Promise<Readonly<Record<string, number>> | undefined>;

/** `files` are all that will ever be asked for: rclone reads the listing once. */
export interface OriginWish {
  readonly files: readonly BenchFile[];
  /** Absent: as fast as it goes. */
  readonly shape?: Shape;
}

export interface ScenarioRunOptions {
  readonly folder: string;
  readonly contentFolder: string;
  readonly peerNames: readonly PeerName[];
  readonly rounds: number;
  readonly seed: number;
  readonly adopt: (child: Child) => void;
  readonly log: (line: string) => void;
}

export class ScenarioRun {
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  readonly peerNames: readonly PeerName[];
  readonly samples = new Map<PeerName, Map<string, number[]>>();
  readonly failures = new Map<PeerName, string>();
  readonly #options: ScenarioRunOptions;
  readonly #children: Child[] = [];
  readonly #adopt = (child: Child) => {
    this.#children.push(child);
    this.#options.adopt(child);
  };

  constructor(options: ScenarioRunOptions) {
    this.#options = options;
    this.rounds = options.rounds;
    this.seed = options.seed;
    this.folder = options.folder;
    this.peerNames = options.peerNames;
  }

  record(peerName: PeerName, samples: Readonly<Record<string, number>>): void {
    const ofPeer = this.samples.get(peerName) ?? new Map<string, number[]>();
    this.samples.set(peerName, ofPeer);
    for (const [key, value] of Object.entries(samples)) ofPeer.set(key, [...(ofPeer.get(key) ?? []), value]);
  }

  async startOrigin(name: string, wish: OriginWish): Promise<Origin> {
    const folder = join(this.folder, `${name}-origin`);
    await mkdir(folder, { recursive: true });
    const { contentFolder } = this.#options;
    if (wish.shape) return startShapedOrigin({ folder, adopt: this.#adopt, shape: wish.shape, files: wish.files });
    return startFileOrigin({ folder, contentFolder, adopt: this.#adopt, files: wish.files });
  }

  async startPeer(name: PeerName, origin: Origin, folderName: string = name): Promise<RunningPeer> {
    const folder = join(this.folder, folderName);
    await mkdir(folder, { recursive: true });
    return START_PEER[name]({ origin, folder, adopt: this.#adopt });
  }

  /** Every chosen peer with its own origin, warmed up by `warmUp` (a small file that every scenario offers). */
  async startSubjects(wish: OriginWish, warmUp: BenchFile): Promise<Subject[]> {
    const subjects: Subject[] = [];
    for (const name of this.peerNames) {
      await this.#orFail(name, async () => {
        const origin = await this.startOrigin(name, { ...wish, files: [warmUp, ...wish.files] });
        const subject = { origin, peer: await this.startPeer(name, origin) };
        await fetchWhole(subject, warmUp);
        subjects.push(subject);
      });
    }
    return subjects;
  }

  /** Each round asks every subject once, starting with another one each time. */
  async interleave(subjects: readonly Subject[], measure: Measure, rounds = this.rounds): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const first = round % Math.max(1, subjects.length);
      for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
        await this.#measureOnce(subject, { round, rounds, measure });
      }
    }
  }

  /** As `interleave`, but all subjects at the same time: only where lines are slow and the machine is not. */
  async together(subjects: readonly Subject[], measure: Measure, rounds = this.rounds): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await Promise.all(subjects.map((subject) => this.#measureOnce(subject, { round, rounds, measure })));
    }
  }

  async #measureOnce(subject: Subject, step: { round: number; rounds: number; measure: Measure }): Promise<void> {
    const { name } = subject.peer;
    if (this.failures.has(name)) return;
    await this.#orFail(name, async () => {
      const samples = await step.measure(subject, step.round);
      if (!samples) return;
      this.record(name, samples);
      const shown = Object.entries(samples).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`);
      this.#options.log(`  round ${step.round + 1}/${step.rounds} ${name}: ${shown.join(', ')}`);
    });
  }

  async #orFail(name: PeerName, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.failures.set(name, reason);
      this.#options.log(`  ${name} FAILED: ${reason}`);
    }
  }

  /** Ends every program of the run and removes its folder. */
  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The whole file, once, on a connection of its own. */
export function fetchWhole({ peer }: Subject, file: BenchFile) {
  return fetchOnce(peer.port, { path: peer.pathOf(file), file });
}

/** Fetches the file and makes sure that the origin is not asked for it a second time. */
export async function fillCache(subject: Subject, file: BenchFile): Promise<void> {
  if (subject.peer.name === 'direct') return;
  await fetchWhole(subject, file);
  await waitUntilQuiet(subject.origin);
  const { bodyBytes: cold } = await subject.origin.count(file.name);
  await fetchWhole(subject, file);
  await waitUntilQuiet(subject.origin);
  const { bodyBytes: warm } = await subject.origin.count(file.name);
  if (warm !== cold) throw new Error(`${file.name} is not kept: the origin gave ${warm - cold} bytes the second time`);
}
