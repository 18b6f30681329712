// What the appliance costs while nobody watches, after one small file. All peers idle at the same time, once: soon after
// the file, while a runtime still tidies up, and a minute later, as it is for the rest of the day.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import type { ScenarioRun, Subject } from '../scenario-run.ts';
import { countSwitchesBetween, readContextSwitches, readCpuSeconds, readMemory } from '../system/process-tree.ts';
import { WARM_UP_FILE } from './files.ts';

// rclone lets go of its downloaders after 5 s.
const SETTLE_MS = 8_000;
const WATCH_MS = 10_000;
const LATER_MS = 50_000;

/** @param when - part of the names of the samples */
async function watch(run: ScenarioRun, subjects: readonly Subject[], when: 'soon' | 'later'): Promise<void> {
  const before = subjects.map(({ peer }) => ({
    cpuSeconds: readCpuSeconds(peer.pid),
    switches: readContextSwitches(peer.pid),
  }));
  await sleep(WATCH_MS);
  for (const [index, { peer }] of subjects.entries()) {
    const { cpuSeconds, switches } = before[index]!;
    const memory = readMemory(peer.pid);
    run.record(peer.name, {
      [`${when}ResidentMB`]: memory.residentBytes / 1e6,
      [`${when}ProportionalMB`]: memory.proportionalBytes / 1e6,
      [`${when}CpuMs`]: (readCpuSeconds(peer.pid) - cpuSeconds) * 1000,
      [`${when}ContextSwitches`]: countSwitchesBetween(switches, readContextSwitches(peer.pid)),
    });
  }
}

export const idle: Scenario = {
  name: 'idle',
  description:
    'Ten seconds of nothing, 8 s after a file of 1 MiB was read, and once more a minute later. The rounds do not apply.',
  metrics: [
    { samples: 'soonResidentMB', label: 'memory', unit: 'MB', decimals: 1 },
    { samples: 'soonProportionalMB', label: 'memory, shared pages once', unit: 'MB', decimals: 1 },
    { samples: 'soonCpuMs', label: 'CPU in 10 s', unit: 'ms', decimals: 0 },
    { samples: 'soonContextSwitches', label: 'context switches in 10 s', unit: '', decimals: 0 },
    { samples: 'laterResidentMB', label: 'a minute later: memory', unit: 'MB', decimals: 1 },
    { samples: 'laterCpuMs', label: 'a minute later: CPU in 10 s', unit: 'ms', decimals: 0 },
    { samples: 'laterContextSwitches', label: 'a minute later: context switches in 10 s', unit: '', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 2: memory below 80 MB and no CPU (20 ms allowed)',
      holds: (figureOf) => figureOf('larder', 'memory') < 80 && figureOf('larder', 'CPU in 10 s') <= 20,
    },
    {
      text: 'issue 6: memory at most 65 MB',
      holds: (figureOf) => figureOf('larder', 'a minute later: memory') <= 65,
    },
    {
      text: 'issue 6: at most 20 wake-ups and no CPU (20 ms allowed), a minute later',
      holds: (figureOf) =>
        figureOf('larder', 'a minute later: context switches in 10 s') <= 20 &&
        figureOf('larder', 'a minute later: CPU in 10 s') <= 20,
    },
  ],
  limitSeconds: 180,
  async run(run) {
    const subjects = await run.startSubjects({ files: [] }, WARM_UP_FILE);
    await sleep(SETTLE_MS);
    await watch(run, subjects, 'soon');
    await sleep(LATER_MS);
    await watch(run, subjects, 'later');
  },
};
