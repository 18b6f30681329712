import { formatBytes } from '../format.ts';

export type DiskProps = {
  totalBytes: number;
  freeBytes: number;
  /** Of what is kept: never goes · in use now · may go. */
  pinnedBytes: number;
  inUseBytes: number;
  removableBytes: number;
  /** Room that is taken for what is being fetched, and not yet filled. */
  reservedBytes: number;
  /** Taken by anything but the cache. */
  otherBytes: number;
  /** What may still be kept; below 0 the cache is above its bounds by so much. */
  roomBytes: number;
  capBytes: number;
  floorBytes: number;
};

type Part = { key: string; name: string; bytes: number; meaning: string };

const barWidth = 400;
const barHeight = 12;

/** From left to right; together they are the disk. */
export function diskParts(disk: DiskProps): Part[] {
  const flight = Math.min(disk.reservedBytes, disk.freeBytes);
  const room = Math.max(0, Math.min(disk.roomBytes, disk.freeBytes - flight));
  return [
    { key: 'other', name: 'Other programs', bytes: disk.otherBytes, meaning: 'everything on this disk but the cache' },
    { key: 'pinned', name: 'Pinned', bytes: disk.pinnedBytes, meaning: 'never goes' },
    { key: 'used', name: 'In use', bytes: disk.inUseBytes, meaning: 'being read or fetched now: stays' },
    {
      key: 'removable',
      name: 'Kept',
      bytes: disk.removableBytes,
      meaning: 'goes when room is needed, oldest use first',
    },
    { key: 'flight', name: 'In flight', bytes: flight, meaning: 'taken for what is being fetched' },
    { key: 'room', name: 'Room', bytes: room, meaning: 'may still be kept' },
    {
      key: 'free',
      name: 'Stays free',
      bytes: Math.max(0, disk.freeBytes - flight - room),
      meaning: 'above the size of the cache, or to stay free',
    },
  ];
}

/** The whole disk. Parts differ by height and pattern as well as by colour; the table below it says the same. */
export function DiskBar(disk: DiskProps) {
  const parts = diskParts(disk);
  const total = Math.max(
    1,
    parts.reduce((sum, part) => sum + part.bytes, 0),
  );
  const words = parts.map((part) => `${part.name} ${formatBytes(part.bytes)}`).join(', ');
  let before = 0;
  return (
    <svg class="disk-bar" role="img" viewBox={`0 0 ${barWidth} ${barHeight}`} preserveAspectRatio="none">
      <title>{`The disk: ${words}`}</title>
      {parts.map((part) => {
        const x = Math.round((before / total) * barWidth);
        before += part.bytes;
        const end = Math.round((before / total) * barWidth);
        const width = part.bytes > 0 ? Math.max(1, end - x) : 0;
        return width === 0 ? null : <PartBar part={part.key} x={Math.min(x, barWidth - width)} width={width} />;
      })}
    </svg>
  );
}

function PartBar({ part, x, width }: { part: string; x: number; width: number }) {
  const height = part === 'other' ? barHeight / 3 : part === 'removable' ? (barHeight * 2) / 3 : barHeight;
  const fill = part === 'flight' ? { fill: 'url(#chunk-in-flight)' } : {};
  return <rect class={`part-${part}`} x={x} y={barHeight - height} width={width} height={height} {...fill} />;
}

/** All parts, also of no bytes: a key that changes would move the page. */
export function DiskKey({ disk }: { disk: DiskProps }) {
  return (
    <ul class="legend" aria-label="Parts of the disk">
      {diskParts(disk).map((part) => (
        <li>
          <svg class="disk-bar swatch" viewBox="0 0 24 12" aria-hidden="true">
            <PartBar part={part.key} x={0} width={24} />
          </svg>
          {part.name}
        </li>
      ))}
    </ul>
  );
}

export function DiskTable(disk: DiskProps) {
  return (
    <table class="disk-table">
      <caption class="visually-hidden">What takes how much of the disk</caption>
      <thead>
        <tr>
          <th scope="col">Part of the disk</th>
          <th scope="col" class="number">
            Bytes
          </th>
        </tr>
      </thead>
      <tbody>
        {diskParts(disk).map((part) => (
          <tr>
            <th scope="row">
              <span>
                <svg class="disk-bar swatch" viewBox="0 0 24 12" aria-hidden="true">
                  <PartBar part={part.key} x={0} width={24} />
                </svg>
                <span>
                  {part.name} <small class="quiet">{part.meaning}</small>
                </span>
              </span>
            </th>
            <td class="number">{formatBytes(part.bytes)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">The disk</th>
          <td class="number">{formatBytes(disk.totalBytes)}</td>
        </tr>
      </tfoot>
    </table>
  );
}
