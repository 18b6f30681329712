import { formatRate } from '../format.ts';

export type PlaySecond = {
  /** Bytes per second to the player, and how many of them were on the disk. */
  servedRate: number;
  fromDiskRate: number;
  waited: boolean;
};

const secondsShown = 60;
const height = 24;

/**
 * The last minute of a reader, a column per second: how high says how fast, solid is from the disk, striped from the
 * source, and a mark at the foot a second in which it waited.
 */
export function PlayStrip({ seconds }: { seconds: readonly PlaySecond[] }) {
  const most = Math.max(1, ...seconds.map((second) => second.servedRate));
  const first = secondsShown - seconds.length;
  const waits = seconds.filter((second) => second.waited).length;
  const words =
    seconds.length === 0
      ? 'Its last minute: nothing yet'
      : `Its last ${seconds.length} s: at most ${formatRate(most)}, waiting in ${waits} of them`;
  return (
    <svg class="play-strip" role="img" viewBox={`0 0 ${secondsShown * 4} ${height}`} preserveAspectRatio="none">
      <title>{words}</title>
      {seconds.map((second, index) => {
        const x = (first + index) * 4;
        const served = Math.round((second.servedRate / most) * (height - 3));
        const disk = Math.min(served, Math.round((second.fromDiskRate / most) * (height - 3)));
        return (
          <>
            {served > disk ? (
              <rect x={x} y={height - 3 - served} width="3" height={served - disk} fill="url(#chunk-in-flight)" />
            ) : null}
            {disk > 0 ? <rect class="whole" x={x} y={height - 3 - disk} width="3" height={disk} /> : null}
            {second.waited ? <rect class="waited" x={x} y={height - 2} width="3" height="2" /> : null}
          </>
        );
      })}
    </svg>
  );
}
