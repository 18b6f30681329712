import { formatBytes } from '../format.ts';
import { ChunkMapBar } from './chunk-map.tsx';
import { Swatch } from './chunk-map-legend.tsx';
import { Fact } from './fact.tsx';
import { describeSpaceBar, roomBytes, spaceBarRuns, spaceBarWidth } from './space-bar.ts';

export type SpaceProps = {
  /** Kept on the disk. */
  usedBytes: number;
  /** Room that is taken for what is being fetched, and not yet filled. */
  reservedBytes: number;
  /** Both together stay below it. */
  capBytes: number;
  /** Bytes of the disk that stay free. */
  floorBytes: number;
  /** Bytes of the disk that are free. */
  freeBytes: number;
  /** Why nothing is kept now, with what to do about it; null when all is well. */
  trouble: TroubleProps | null;
};

export type TroubleProps = {
  /** One sentence, as it also stands in the headline. */
  sentence: string;
  hint: string | null;
};

/** How much is kept, how much may be. The words have a reserved place, so that trouble moves nothing. */
export function Space(space: SpaceProps) {
  return (
    <>
      <h2>Space</h2>
      <svg class="chunk-map" role="img" viewBox={`0 0 ${spaceBarWidth} 12`} preserveAspectRatio="none">
        <title>{describeSpaceBar(space)}</title>
        {spaceBarRuns(space).map((run) => (
          <ChunkMapBar {...run} />
        ))}
      </svg>
      <p class="room">{space.trouble === null ? describeRoom(space) : <Trouble {...space.trouble} />}</p>
      <dl class="facts narrow">
        <Fact
          name="Kept here"
          mark={
            <Swatch>
              <ChunkMapBar state="whole" start={0} width={24} />
            </Swatch>
          }
        >
          {formatBytes(space.usedBytes)}
        </Fact>
        <Fact
          name="In flight"
          title="Room that is taken for what is being fetched"
          mark={
            <Swatch>
              <ChunkMapBar state="in-flight" start={0} width={24} />
            </Swatch>
          }
        >
          {formatBytes(space.reservedBytes)}
        </Fact>
        <Fact name="At most" title="Kept and in flight together: --cache-size">
          {formatBytes(space.capBytes)}
        </Fact>
        <Fact
          name="Disk lacks"
          title="Could be kept, but is taken on the disk by something else, or is to stay free"
          mark={
            <Swatch>
              <ChunkMapBar state="partly" start={0} width={24} />
            </Swatch>
          }
        >
          {formatBytes(Math.max(0, space.capBytes - space.usedBytes - space.reservedBytes - roomBytes(space)))}
        </Fact>
        <Fact name="Free on the disk">{formatBytes(space.freeBytes)}</Fact>
        <Fact name="Stays free" title="Bytes of the disk that are left to others: --keep-free">
          {formatBytes(space.floorBytes)}
        </Fact>
      </dl>
    </>
  );
}

function Trouble({ sentence, hint }: TroubleProps) {
  return (
    <>
      <strong class="waiting">{sentence}</strong>
      {hint === null ? null : ` ${hint}`}
    </>
  );
}

function describeRoom(space: SpaceProps): string {
  const bytes = roomBytes(space);
  const room = bytes > 0 ? `Room for ${formatBytes(bytes)} more.` : 'Full.';
  return `${room} What was not used for longest goes first; what is pinned or being read stays.`;
}
