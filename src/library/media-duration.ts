// How long a film is, as its container says it: MP4 (`mvhd` in `moov`, ISO/IEC 14496-12 §8.2.2) and Matroska (Duration in
// Info, RFC 9559 §5.1.2). Looks at a handful of bytes, and at none that are not there.

/** Bytes [offset, offset + length) of the file; null when one of them is not there. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array | null>;

/** Boxes and elements that are looked at on one level; what is in more pieces is not understood. */
const STEPS_MAX = 64;
const HEADER_BYTES = 16;
const DURATION_MAX_MS = 7 * 86_400_000;

/** Null when the container does not say it, or not in the bytes that are there. */
export async function findDurationMs(read: ReadBytes): Promise<number | null> {
  const start = await read(0, 8);
  if (start === null) return null;
  const durationMs = viewOf(start).getUint32(0) === EBML ? await findInMatroska(read) : await findInMp4(read);
  return durationMs !== null && durationMs > 0 && durationMs < DURATION_MAX_MS ? Math.round(durationMs) : null;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Piece {
  readonly type: string;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

async function findInMp4(read: ReadBytes): Promise<number | null> {
  const moov = await findBox(read, 'moov', 0, Number.MAX_SAFE_INTEGER);
  const mvhd = moov === null ? null : await findBox(read, 'mvhd', moov.start, moov.end);
  const bytes = mvhd === null ? null : await read(mvhd.start, 32);
  if (bytes === null) return null;
  const view = viewOf(bytes);
  const isLong = view.getUint8(0) === 1;
  const timescale = view.getUint32(isLong ? 20 : 12);
  const duration = isLong ? Number(view.getBigUint64(24)) : view.getUint32(16);
  const isUnknown = !isLong && duration === 0xffff_ffff;
  return timescale === 0 || isUnknown ? null : (duration * 1_000) / timescale;
}

async function findBox(read: ReadBytes, type: string, from: number, to: number): Promise<Piece | null> {
  let offset = from;
  for (let step = 0; step < STEPS_MAX && offset < to; step += 1) {
    const box = await readBox(read, offset);
    if (box === null) return null;
    if (box.type === type) return box;
    offset = box.end;
  }
  return null;
}

async function readBox(read: ReadBytes, offset: number): Promise<Piece | null> {
  const head = await read(offset, 8);
  if (head === null) return null;
  const view = viewOf(head);
  const type = String.fromCharCode(...head.subarray(4, 8));
  let length = view.getUint32(0);
  let headBytes = 8;
  if (length === 1) {
    const long = await read(offset + 8, 8);
    if (long === null) return null;
    length = Number(viewOf(long).getBigUint64(0));
    headBytes = 16;
  }
  // A length of 0 reaches to the end of the file: nothing follows it.
  if (length === 0) length = Number.MAX_SAFE_INTEGER - offset;
  if (length < headBytes) return null;
  return { type, start: offset + headBytes, end: offset + length };
}

const EBML = 0x1a45dfa3;
const SEGMENT = '18538067';
const INFO = '1549a966';
const TIMESTAMP_SCALE = '2ad7b1';
const DURATION = '4489';
const SCALE_DEFAULT_NS = 1_000_000;

async function findInMatroska(read: ReadBytes): Promise<number | null> {
  const segment = await findElement(read, SEGMENT, 0, Number.MAX_SAFE_INTEGER);
  const info = segment === null ? null : await findElement(read, INFO, segment.start, segment.end);
  if (info === null) return null;
  const duration = await findElement(read, DURATION, info.start, info.end);
  const bytes = duration === null ? null : await read(duration.start, duration.end - duration.start);
  if (bytes === null || (bytes.length !== 4 && bytes.length !== 8)) return null;
  const ticks = bytes.length === 4 ? viewOf(bytes).getFloat32(0) : viewOf(bytes).getFloat64(0);
  const scale = await findElement(read, TIMESTAMP_SCALE, info.start, info.end);
  const scaleBytes = scale === null ? null : await read(scale.start, Math.min(8, scale.end - scale.start));
  const scaleNs = scaleBytes === null ? SCALE_DEFAULT_NS : scaleBytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return (ticks * scaleNs) / 1e6;
}

async function findElement(read: ReadBytes, id: string, from: number, to: number): Promise<Piece | null> {
  let offset = from;
  for (let step = 0; step < STEPS_MAX && offset < to; step += 1) {
    const element = await readElement(read, offset);
    if (element === null) return null;
    if (element.type === id) return element;
    offset = element.end;
  }
  return null;
}

async function readElement(read: ReadBytes, offset: number): Promise<Piece | null> {
  // Near the end of what is there a shorter piece may be all there is.
  const head = (await read(offset, HEADER_BYTES)) ?? (await read(offset, 6));
  if (head === null) return null;
  const idBytes = Math.clz32(head[0]!) - 23;
  if (idBytes > 4) return null;
  const sizeBytes = Math.clz32(head[idBytes] ?? 0) - 23;
  if (sizeBytes > 8 || idBytes + sizeBytes > head.length) return null;
  const type = Buffer.from(head.subarray(0, idBytes)).toString('hex');
  const digits = head.subarray(idBytes, idBytes + sizeBytes);
  // All bits set: a length that was not known when it was written; its content follows.
  const isUnknown = digits.every((byte, index) => byte === (index === 0 ? 0xff >> (sizeBytes - 1) : 0xff));
  const size = digits.reduce((sum, byte, index) => sum * 256 + (index === 0 ? byte & (0xff >> sizeBytes) : byte), 0);
  const start = offset + idBytes + sizeBytes;
  return { type, start, end: isUnknown ? Number.MAX_SAFE_INTEGER : start + size };
}
