import { formatByteRange, formatPercent } from '../format.ts';
import { type ChunkMapContent, type ChunkMapRun, chunkMapRuns, chunkMapWidth } from './chunk-map-runs.ts';

export type ChunkMapProps = ChunkMapContent & {
  /** Where the readers are, in bytes from the start. */
  readerPositions: readonly number[];
};

const heightUnits = 12;
const describedRangesMax = 6;

/** A strip from the first byte to the last. States differ by height and stripes, not by colour alone. */
export function ChunkMap(props: ChunkMapProps) {
  return (
    <svg class="chunk-map" role="img" viewBox={`0 0 ${chunkMapWidth} ${heightUnits}`} preserveAspectRatio="none">
      <title>{describeChunkMap(props)}</title>
      {chunkMapRuns(props).map((run) => (
        <ChunkMapBar {...run} />
      ))}
      {readerPaths(props).map((path) => (
        <path class="reader-mark" d={path} vector-effect="non-scaling-stroke" />
      ))}
    </svg>
  );
}

/** One run; also the swatch of the legend. */
export function ChunkMapBar({ state, start, width }: ChunkMapRun) {
  const height = state === 'partly' ? heightUnits / 2 : heightUnits;
  const fill = state === 'in-flight' ? { fill: 'url(#chunk-in-flight)' } : {};
  return <rect class={state} x={start} y={heightUnits - height} width={width} height={height} {...fill} />;
}

/** "63 % cached: 0–12 MB, 40–44 MB" */
export function describeChunkMap({ sizeBytes, ranges, inFlight }: ChunkMapContent): string {
  if (ranges.length === 0) return `Nothing cached${describeFlight(inFlight)}`;
  const cachedBytes = ranges.reduce((sum, [start, end]) => sum + (end - start), 0);
  const shown = ranges.slice(0, describedRangesMax).map(([start, end]) => formatByteRange(start, end));
  const more = ranges.length - shown.length;
  const list = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `${formatPercent(sizeBytes > 0 ? cachedBytes / sizeBytes : 1)} cached: ${list}${describeFlight(inFlight)}`;
}

function describeFlight(inFlight: ChunkMapContent['inFlight']): string {
  const shown = inFlight.slice(0, describedRangesMax).map(([start, end]) => formatByteRange(start, end));
  return shown.length === 0 ? '' : `; in flight: ${shown.join(', ')}`;
}

function readerPaths({ sizeBytes, readerPositions }: ChunkMapProps): string[] {
  if (!(sizeBytes > 0)) return [];
  const columns = readerPositions.map((position) => {
    const column = (Math.min(position, sizeBytes) / sizeBytes) * chunkMapWidth;
    return Math.min(chunkMapWidth - 1, Math.max(1, Math.round(column)));
  });
  return [...new Set(columns)].map((column) => `M${column} 0v${heightUnits}`);
}
