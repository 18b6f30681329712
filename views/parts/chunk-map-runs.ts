// The geometry of the chunk map: a file is cut into at most 240 buckets of (nearly) equal size, and neighbouring
// buckets in the same state become one run. So the map of a 60 GB film is as small as that of a trailer.

/** Half-open, in bytes. */
export type ByteRange = readonly [start: number, end: number];

/** `missing` is not a run: it is where nothing is drawn. */
export type ChunkMapRun = { state: 'whole' | 'partly' | 'in-flight'; start: number; width: number };

export type ChunkMapContent = {
  sizeBytes: number;
  /** What is on disk; sorted and disjoint. */
  ranges: readonly ByteRange[];
  /** What is being fetched and is not yet recorded. */
  inFlight: readonly ByteRange[];
};

/** The most buckets: at a width of 320 CSS px one is still wider than a pixel. */
export const chunkMapWidth = 240;

/** Runs in units of one bucket, of `chunkMapWidth` in all, from left to right. */
export function chunkMapRuns({ sizeBytes, ranges, inFlight }: ChunkMapContent): ChunkMapRun[] {
  if (!(sizeBytes > 0)) return [];
  const available = coveredBytes(sizeBytes, ranges);
  const flying = coveredBytes(sizeBytes, inFlight);
  const runs: ChunkMapRun[] = [];
  for (let bucket = 0; bucket < chunkMapWidth; bucket += 1) {
    const share = (available[bucket] ?? 0) / (sizeBytes / chunkMapWidth);
    const state = bucketState(share, (flying[bucket] ?? 0) > 0);
    if (state === null) continue;
    const last = runs.at(-1);
    if (last?.state === state && last.start + last.width === bucket) last.width += 1;
    else runs.push({ state, start: bucket, width: 1 });
  }
  return runs;
}

function bucketState(share: number, flying: boolean): ChunkMapRun['state'] | null {
  // Bucket edges are fractions of a byte, hence the tolerance; it is far below one byte of any real bucket.
  if (share > 1 - 1e-9) return 'whole';
  if (flying) return 'in-flight';
  return share > 0 ? 'partly' : null;
}

/** How many bytes of each bucket lie in the ranges. */
function coveredBytes(sizeBytes: number, ranges: readonly ByteRange[]): number[] {
  const bucketBytes = sizeBytes / chunkMapWidth;
  const covered = new Array<number>(chunkMapWidth).fill(0);
  for (const [rangeStart, rangeEnd] of ranges) {
    const start = Math.max(0, rangeStart);
    const end = Math.min(sizeBytes, rangeEnd);
    for (let bucket = Math.floor(start / bucketBytes); bucket < chunkMapWidth; bucket += 1) {
      const overlap = Math.min(end, (bucket + 1) * bucketBytes) - Math.max(start, bucket * bucketBytes);
      if (overlap > 0) covered[bucket] = (covered[bucket] ?? 0) + overlap;
      if ((bucket + 1) * bucketBytes >= end) break;
    }
  }
  return covered;
}
