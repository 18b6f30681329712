// The available ranges of a generation, some at a time: a film in 100,000 pieces is not to be read in one statement, nor
// in one turn of the loop.
import { and, asc, eq, gt } from 'drizzle-orm';
import type { ByteRange } from '../bytes/byte-range.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { Tables } from './database.ts';
import { cacheChunks } from './schema.ts';

/** About a millisecond of the thread. */
export const RANGES_PER_PAGE = 500;

/** Those that start behind `afterStart`, in order. Most files have one page, which is read without a turn in between. */
export async function* rangePages(
  tables: Tables,
  generationId: number,
  afterStart: number = -1,
): AsyncGenerator<ByteRange[]> {
  for (let after = afterStart; ; ) {
    const page: ByteRange[] = await tables
      .select({ start: cacheChunks.start, end: cacheChunks.end })
      .from(cacheChunks)
      .where(and(eq(cacheChunks.generationId, generationId), gt(cacheChunks.start, after)))
      .orderBy(asc(cacheChunks.start))
      .limit(RANGES_PER_PAGE);
    yield page;
    if (page.length < RANGES_PER_PAGE) return;
    after = page.at(-1)!.start;
    await yieldTurn();
  }
}
