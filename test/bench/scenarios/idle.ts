// What the appliance costs while nobody watches, after one small file. All peers idle at the same time, once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { readContextSwitches, readCpuSeconds, readMemory } from '../system/process-tree.ts';
import { WARM_UP_FILE } from './files.ts';

// rclone lets go of its downloaders after 5 s.
const SETTLE_MS = 8_000;
const WATCH_MS = 10_000;

export const idle: Scenario = {
  name: 'idle',
  description: 'Ten seconds of nothing, 8 s after a file of 1 MiB was read. The rounds do not apply.',
  metrics: [
    { samples: 'residentMB', label: 'memory', unit: 'MB', decimals: 1 },
    { samples: 'proportionalMB', label: 'memory, shared pages once', unit: 'MB', decimals: 1 },
    { samples: 'cpuMs', label: 'CPU in 10 s', unit: 'ms', decimals: 0 },
    { samples: 'contextSwitches', label: 'context switches in 10 s', unit: '', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 2: memory below 80 MB and no CPU (20 ms allowed)',
      holds: (figureOf) => figureOf('larder', 'memory') < 80 && figureOf('larder', 'CPU in 10 s') <= 20,
    },
    {
      text: 'issue 6: memory at most 65 MB, at most 20 wake-ups',
      holds: (figureOf) => figureOf('larder', 'memory') <= 65 && figureOf('larder', 'context switches in 10 s') <= 20,
    },
  ],
  limitSeconds: 90,
  async run(run) {
    const subjects = await run.startSubjects({ files: [] }, WARM_UP_FILE);
    await sleep(SETTLE_MS);
    const before = subjects.map(({ peer }) => ({
      cpuSeconds: readCpuSeconds(peer.pid),
      switches: readContextSwitches(peer.pid),
    }));
    await sleep(WATCH_MS);
    await run.interleave(
      subjects,
      ({ peer }) => {
        const { cpuSeconds, switches } = before[subjects.findIndex((subject) => subject.peer === peer)]!;
        const memory = readMemory(peer.pid);
        return Promise.resolve({
          residentMB: memory.residentBytes / 1e6,
          proportionalMB: memory.proportionalBytes / 1e6,
          cpuMs: (readCpuSeconds(peer.pid) - cpuSeconds) * 1000,
          contextSwitches: readContextSwitches(peer.pid) - switches,
        });
      },
      1,
    );
  },
};
