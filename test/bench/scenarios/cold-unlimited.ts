// A whole file that nobody has asked for yet, from an origin faster than any cache.
import { waitUntilQuiet } from '../origin/origin.ts';
import type { Scenario } from '../scenario.ts';
import { fetchWhole } from '../scenario-run.ts';
import { readCpuSeconds, readMemory, resetPeak } from '../system/process-tree.ts';
import { settleDisk } from '../system/settle-disk.ts';
import { freshFiles, MiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = 256 * MiB;

export const coldUnlimited: Scenario = {
  name: 'cold-unlimited',
  description: 'One client reads a fresh 256 MiB file from an unlimited origin (one uncounted round before).',
  metrics: [
    { samples: 'throughputMBps', label: 'throughput', unit: 'MB/s', decimals: 0 },
    { samples: 'originShare', label: 'origin bytes / file bytes', unit: '', decimals: 3 },
    { samples: 'cpuSecondsPerGB', label: 'CPU', unit: 's/GB', decimals: 2 },
    { samples: 'peakMB', label: 'peak memory', unit: 'MB', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 2: throughput at least that of nginx',
      holds: (figureOf) => figureOf('larder', 'throughput') >= figureOf('nginx', 'throughput'),
    },
    {
      text: 'issue 2: origin bytes = file bytes',
      holds: (figureOf) => Math.abs(figureOf('larder', 'origin bytes / file bytes') - 1) < 0.001,
    },
    {
      text: 'issue 6: throughput at least that of the better peer',
      holds: (figureOf) =>
        figureOf('larder', 'throughput') >= Math.max(figureOf('nginx', 'throughput'), figureOf('rclone', 'throughput')),
    },
  ],
  limitSeconds: 240,
  async run(run) {
    const files = freshFiles('cold', run.rounds + 1, SIZE_BYTES);
    const subjects = await run.startSubjects({ files }, WARM_UP_FILE);
    await run.interleave(
      subjects,
      async (subject, round) => {
        const file = files[round]!;
        await settleDisk(run.folder);
        resetPeak(subject.peer.pid);
        const cpuBefore = readCpuSeconds(subject.peer.pid);
        const { lastByteMs } = await fetchWhole(subject, file);
        await waitUntilQuiet(subject.origin);
        const cpuSeconds = readCpuSeconds(subject.peer.pid) - cpuBefore;
        if (round === 0) return undefined;
        return {
          throughputMBps: SIZE_BYTES / 1e3 / lastByteMs,
          originShare: (await subject.origin.count(file.name)).bodyBytes / SIZE_BYTES,
          cpuSecondsPerGB: cpuSeconds / (SIZE_BYTES / 1e9),
          peakMB: readMemory(subject.peer.pid).peakResidentBytes / 1e6,
        };
      },
      run.rounds + 1,
    );
  },
};
