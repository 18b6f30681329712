// After a start: files and rows are brought to agree (DESIGN.md §5, invariant 8). Runs while requests are served
// already; a file that a row is made for meanwhile is found by its row.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { ChunkStore } from '../chunks/chunk-store.ts';
import type { GenerationTable } from '../db/generations.ts';
import type { Log } from '../log.ts';
import { yieldTurn } from '../yield-turn.ts';

export interface ReconcileServices {
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly log: Log;
  /** Gives up bytes that turned out not to be there. @returns how many there were */
  readonly loseBytes: (generationId: number, range: ByteRange, reason: string) => Promise<number>;
  /** Called off: the next start compares again. */
  readonly signal: AbortSignal;
}

export interface ReconcileResult {
  readonly orphanFiles: number;
  readonly correctedRows: number;
}

/** Rows looked at in one step, so that requests are served in between. */
const PAGE_ROWS = 200;

/** To be called before the first file is opened: generations that nobody can be reading any more. */
export async function removeSuperseded(services: Pick<ReconcileServices, 'generations' | 'store'>): Promise<void> {
  const { generations, store } = services;
  const superseded = await generations.listSuperseded();
  await generations.remove(superseded.map((generation) => generation.id));
  for (const generation of superseded) await store.remove(generation.fileName);
}

/** Rows whose file is missing or shorter than they say are corrected; files that no row names are removed. */
export async function reconcile(services: ReconcileServices): Promise<ReconcileResult> {
  return { correctedRows: await correctRows(services), orphanFiles: await removeOrphans(services) };
}

async function correctRows({ generations, store, loseBytes, signal }: ReconcileServices): Promise<number> {
  let corrected = 0;
  let afterId = 0;
  for (;;) {
    const page = await generations.listFiles(PAGE_ROWS, afterId);
    const last = page.at(-1);
    if (last === undefined) return corrected;
    afterId = last.generationId;
    for (const file of page) {
      if (signal.aborted) return corrected;
      if (file.lengthAtLeast === 0) continue;
      const length = (await store.findLength(file.fileName)) ?? 0;
      if (length >= file.lengthAtLeast) continue;
      const tail = { start: length, end: Number.MAX_SAFE_INTEGER };
      await loseBytes(file.generationId, tail, 'the file ended before them when Larder started');
      corrected += 1;
    }
  }
}

async function removeOrphans({ generations, store, log, signal }: ReconcileServices): Promise<number> {
  let removed = 0;
  const removeUnknown = async (fileNames: readonly string[]) => {
    for (const fileName of await generations.listUnknownFiles(fileNames)) {
      if (signal.aborted) return;
      await store.remove(fileName);
      log.info('removed a chunk file that no row names', { file: fileName });
      removed += 1;
    }
  };
  let page: string[] = [];
  for await (const fileName of store.list()) {
    if (signal.aborted) return removed;
    page.push(fileName);
    if (page.length < PAGE_ROWS) continue;
    await removeUnknown(page);
    page = [];
    await yieldTurn();
  }
  await removeUnknown(page);
  return removed;
}
