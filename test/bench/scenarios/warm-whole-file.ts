// Copying a cached file to somewhere else.
import type { Scenario } from '../scenario.ts';
import { runWarmLoad, WARM_METRICS } from './warm-load.ts';

export const warmWholeFile: Scenario = {
  name: 'warm-whole-file',
  description: '8 connections, each reading a cached 512 MiB file from end to end, 2 s a round.',
  metrics: WARM_METRICS.filter(({ samples }) => ['throughputMBps', 'cpuSecondsPerGB', 'peakMB'].includes(samples)),
  goals: [
    {
      text: 'issue 6: at least 0.95 of the throughput of nginx',
      holds: (figureOf) => figureOf('larder', 'throughput') >= 0.95 * figureOf('nginx', 'throughput'),
    },
  ],
  limitSeconds: 240,
  run: (run) => runWarmLoad(run),
};
