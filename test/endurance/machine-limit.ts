// A small machine within this one: a control group of Linux with a share of a processor and a bound on memory, what a
// process has in the page cache included, as on a board with that much. By cgroup v2, or v1 where its controllers are
// mounted so; needs root, or a cgroup v2 folder that was delegated.
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';

export interface MachineSize {
  /** Of one processor. */
  readonly processorShare: number;
  readonly memoryBytes: number;
}

export interface MachineUse {
  readonly processorSeconds: number;
  /** Of all periods of 100 ms in which it wanted to run: those in which it had to stop for the rest of one. */
  readonly throttledShare: number;
  /** Now; pages of files not counted. */
  readonly anonymousBytes: number;
  /** The most at any time, pages of files included, which are given up when there is need. */
  readonly peakBytes: number;
  readonly killCount: number;
}

const PERIOD_US = 100_000;

/** Of a file of lines such as `name 123`. */
export function figureIn(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

interface Version {
  readonly name: string;
  readonly folders: readonly string[];
  readonly settings: (size: MachineSize) => Readonly<Record<string, string>>;
  readonly use: (read: (file: string) => string) => MachineUse;
}

function unified(group: string): Version {
  const folder = `/sys/fs/cgroup/${group}`;
  return {
    name: 'cgroup v2',
    folders: [folder],
    settings: ({ processorShare, memoryBytes }) => ({
      [`${folder}/cpu.max`]: `${Math.round(processorShare * PERIOD_US)} ${PERIOD_US}`,
      [`${folder}/memory.max`]: String(memoryBytes),
    }),
    use: (read) => {
      const processor = read(`${folder}/cpu.stat`);
      return {
        processorSeconds: figureIn(processor, 'usage_usec') / 1e6,
        throttledShare: figureIn(processor, 'nr_throttled') / Math.max(1, figureIn(processor, 'nr_periods')),
        anonymousBytes: figureIn(read(`${folder}/memory.stat`), 'anon'),
        peakBytes: Number(read(`${folder}/memory.peak`)),
        killCount: figureIn(read(`${folder}/memory.events`), 'oom_kill'),
      };
    },
  };
}

function separate(group: string): Version {
  const folderOf = (controller: string) => `/sys/fs/cgroup/${controller}/${group}`;
  const [processor, account, memory] = [folderOf('cpu'), folderOf('cpuacct'), folderOf('memory')];
  return {
    name: 'cgroup v1',
    folders: [...new Set([processor, account, memory])],
    settings: ({ processorShare, memoryBytes }) => ({
      [`${processor}/cpu.cfs_period_us`]: String(PERIOD_US),
      [`${processor}/cpu.cfs_quota_us`]: String(Math.round(processorShare * PERIOD_US)),
      [`${memory}/memory.limit_in_bytes`]: String(memoryBytes),
    }),
    use: (read) => {
      const text = read(`${processor}/cpu.stat`);
      return {
        processorSeconds: Number(read(`${account}/cpuacct.usage`)) / 1e9,
        throttledShare: figureIn(text, 'nr_throttled') / Math.max(1, figureIn(text, 'nr_periods')),
        anonymousBytes: figureIn(read(`${memory}/memory.stat`), 'rss'),
        peakBytes: Number(read(`${memory}/memory.max_usage_in_bytes`)),
        killCount: figureIn(read(`${memory}/memory.oom_control`), 'oom_kill'),
      };
    },
  };
}

export class MachineLimit implements Disposable {
  readonly #version: Version;

  /** @throws Error when this machine does not let us */
  constructor(size: MachineSize) {
    const group = `larder-small-machine-${process.pid}`;
    const hasController = (name: string) => statSync(`/sys/fs/cgroup/${name}`, { throwIfNoEntry: false }) !== undefined;
    this.#version = hasController('cgroup.controllers') ? unified(group) : separate(group);
    try {
      for (const folder of this.#version.folders) mkdirSync(folder);
      for (const [file, value] of Object.entries(this.#version.settings(size))) writeFileSync(file, value);
    } catch (error) {
      this[Symbol.dispose]();
      throw new Error(
        `a control group cannot be made (run as root): ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  get description(): string {
    return this.#version.name;
  }

  /** Words before a command that has it run within the limit, from its first instruction on, under the same id. */
  get launcher(): readonly string[] {
    const enter = this.#version.folders.map((folder) => `echo $$ > ${folder}/cgroup.procs && `).join('');
    return ['/bin/sh', '-c', `${enter}exec "$@"`, 'sh'];
  }

  use(): MachineUse {
    return this.#version.use((file) => readFileSync(file, 'utf8'));
  }

  /** When every process in it has ended. */
  [Symbol.dispose](): void {
    for (const folder of this.#version.folders) {
      try {
        rmdirSync(folder);
      } catch {
        // It was never made.
      }
    }
  }
}
