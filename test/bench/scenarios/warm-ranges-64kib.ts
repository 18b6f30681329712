// Players that read in small steps: here the cost of a request counts, not that of a byte.
import type { Scenario } from '../scenario.ts';
import { runWarmLoad, WARM_METRICS } from './warm-load.ts';

export const warmRanges64KiB: Scenario = {
  name: 'warm-ranges-64kib',
  description: '8 connections, random 64 KiB ranges of a cached 512 MiB file, 2 s a round.',
  metrics: WARM_METRICS,
  goals: [
    {
      text: 'issue 6: at least 0.7 of the requests of nginx',
      holds: (figureOf) => figureOf('larder', 'requests') >= 0.7 * figureOf('nginx', 'requests'),
    },
  ],
  limitSeconds: 240,
  run: (run) => runWarmLoad(run, 64 * 1024),
};
