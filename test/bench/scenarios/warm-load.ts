// What the three warm scenarios share: a 512 MiB file that every peer holds completely, 8 connections, a fixed time.
import { runLoad } from '../client/load.ts';
import type { BenchFile } from '../content.ts';
import type { Metric } from '../scenario.ts';
import { fillCache, type ScenarioRun } from '../scenario-run.ts';
import { quantile } from '../statistics.ts';
import { readMemory, resetPeak } from '../system/process-tree.ts';
import { settleDisk } from '../system/settle-disk.ts';
import { MiB, WARM_UP_FILE } from './files.ts';

const FILE: BenchFile = { name: 'warm.bin', sizeBytes: 512 * MiB, seed: 23 };
const CONNECTION_COUNT = 8;
const RUN_IN_MS = 400;
const MEASURE_MS = 2_000;

export const WARM_METRICS: readonly Metric[] = [
  { samples: 'throughputMBps', label: 'throughput', unit: 'MB/s', decimals: 0 },
  { samples: 'requestsPerSecond', label: 'requests', unit: '1/s', decimals: 0 },
  { samples: 'cpuSecondsPerGB', label: 'CPU', unit: 's/GB', decimals: 3 },
  { samples: 'cpuMicrosecondsPerRequest', label: 'CPU per request', unit: 'µs', decimals: 1 },
  { samples: 'medianMs', label: 'request p50', unit: 'ms', decimals: 2 },
  { samples: 'p99Ms', label: 'request p99', unit: 'ms', decimals: 2 },
  { samples: 'peakMB', label: 'peak memory', unit: 'MB', decimals: 0 },
];

/** The whole file in each request when `rangeBytes` is absent. */
export async function runWarmLoad(run: ScenarioRun, rangeBytes?: number): Promise<void> {
  const subjects = await run.startSubjects({ files: [FILE] }, WARM_UP_FILE);
  await run.interleave(subjects, (subject) => fillCache(subject, FILE).then(() => undefined), 1);
  await settleDisk(run.folder);
  await run.interleave(subjects, async ({ peer }, round) => {
    resetPeak(peer.pid);
    const load = await runLoad({
      peer,
      file: FILE,
      connections: CONNECTION_COUNT,
      ...(rangeBytes === undefined ? {} : { rangeBytes }),
      runInMs: RUN_IN_MS,
      measureMs: MEASURE_MS,
      seed: run.seed * 1000 + round,
    });
    const requests = load.bodyBytes / (rangeBytes ?? FILE.sizeBytes);
    return {
      throughputMBps: load.bodyBytes / 1e6 / load.seconds,
      requestsPerSecond: requests / load.seconds,
      cpuSecondsPerGB: load.peerCpuSeconds / (load.bodyBytes / 1e9),
      cpuMicrosecondsPerRequest: (load.peerCpuSeconds * 1e6) / requests,
      medianMs: quantile(load.latenciesMs, 0.5),
      p99Ms: quantile(load.latenciesMs, 0.99),
      peakMB: readMemory(peer.pid).peakResidentBytes / 1e6,
    };
  });
}
