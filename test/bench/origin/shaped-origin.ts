// Starts the shaped origin (shaped-origin-process.ts) and reads its counters over its control address.
import { join } from 'node:path';
import { Child } from '../system/child.ts';
import type { Origin, OriginCount } from './origin.ts';
import { CONTROL_PATH, type CountsByName, type ShapedOriginSettings } from './shape.ts';

export interface ShapedOriginOptions extends ShapedOriginSettings {
  readonly folder: string;
  readonly adopt: (child: Child) => void;
}

export async function startShapedOrigin(options: ShapedOriginOptions): Promise<Origin> {
  const settings: ShapedOriginSettings = { shape: options.shape, files: options.files };
  const program = join(import.meta.dirname, 'shaped-origin-process.ts');
  const child = new Child({ command: [process.execPath, program, JSON.stringify(settings)], folder: options.folder });
  options.adopt(child);
  const port = Number((await child.waitForLine(/^origin listening on (\d+)$/))[1]);
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    port,
    pid: child.pid,
    count: async (fileName) => {
      const answer = await fetch(new URL(CONTROL_PATH, url));
      const counts = (await answer.json()) as CountsByName;
      const wanted = fileName === undefined ? Object.values(counts) : [counts[fileName]];
      return wanted.reduce<OriginCount>(
        (sum, count) => ({
          requests: sum.requests + (count?.requests ?? 0),
          bodyBytes: sum.bodyBytes + (count?.bodyBytes ?? 0),
        }),
        { requests: 0, bodyBytes: 0 },
      );
    },
    stop: () => child.stop(),
  };
}
