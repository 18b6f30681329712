// Players reading on: large ranges from a file that is completely cached.
import type { Scenario } from '../scenario.ts';
import { MiB } from './files.ts';
import { runWarmLoad, WARM_METRICS } from './warm-load.ts';

export const warmRanges2MiB: Scenario = {
  name: 'warm-ranges-2mib',
  description: '8 connections, random 2 MiB ranges of a cached 512 MiB file, 2 s a round.',
  metrics: WARM_METRICS,
  goals: [
    {
      text: 'issue 2: at least 0.8 of the throughput of nginx',
      holds: (figureOf) => figureOf('larder', 'throughput') >= 0.8 * figureOf('nginx', 'throughput'),
    },
    {
      text: 'issue 6: at least 0.95 of the throughput of nginx, at most 1.5 of its CPU',
      holds: (figureOf) =>
        figureOf('larder', 'throughput') >= 0.95 * figureOf('nginx', 'throughput') &&
        figureOf('larder', 'CPU') <= 1.5 * figureOf('nginx', 'CPU'),
    },
  ],
  limitSeconds: 240,
  run: (run) => runWarmLoad(run, 2 * MiB),
};
