// Which stream is which quality. The first that can be fetched is `original`, since add-ons order theirs from the best
// down; the others are called by their height. A name stays with its file for as long as the file is offered: add-ons
// order by what is popular or ready at the moment, and bytes that are kept under a name are those of one file.
import { nameVersions, qualityOfSize } from '../ladder.ts';
import { recordOf, textOf, wholeOf } from './json-values.ts';
import type { PlayableStream } from './streams.ts';

/** By what a stream is found again when its address has changed. */
export interface StreamIdentity {
  readonly file: string | null;
  readonly size: number | null;
  readonly binge: string | null;
  readonly height: number | null;
}

/** What of an item is noted to find its bytes again: no address, and no header. */
export interface StreamLocator {
  /** What streams are asked for by; null where that is the id in the key. */
  readonly video: string | null;
  /** Id of the item that the video is part of. */
  readonly parent: string | null;
  /** Null as long as no stream was chosen. */
  readonly stream: StreamIdentity | null;
}

export interface NamedStream {
  readonly quality: string;
  readonly stream: PlayableStream;
}

const TEXT_MAX = 1_024;

export function identityOf({ filename, sizeBytes, bingeGroup, height }: PlayableStream): StreamIdentity | null {
  const isKnown = (filename ?? sizeBytes ?? bingeGroup ?? height) !== null;
  return isKnown ? { file: filename, size: sizeBytes, binge: bingeGroup, height } : null;
}

export function writeLocator({ video, parent, stream }: StreamLocator): string | null {
  const told = { video, parent, ...stream };
  const known = Object.entries(told).filter(([, value]) => value !== null);
  return known.length === 0 ? null : JSON.stringify(Object.fromEntries(known));
}

export function readLocator(text: string | null | undefined): StreamLocator {
  const record = recordOf(parse(text ?? 'null')) ?? {};
  const stream = {
    file: textOf(record.file, TEXT_MAX),
    size: wholeOf(record.size),
    binge: textOf(record.binge, TEXT_MAX),
    height: wholeOf(record.height),
  };
  const isKnown = Object.values(stream).some((value) => value !== null);
  return {
    video: textOf(record.video, TEXT_MAX),
    parent: textOf(record.parent, TEXT_MAX),
    stream: isKnown ? stream : null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not ours
  }
}

/** From the surest sign to the weakest. */
const SIGNS: readonly ((stream: PlayableStream, known: StreamIdentity) => boolean)[] = [
  (stream, known) => isSame(stream.filename, known.file) && isSame(stream.sizeBytes, known.size),
  (stream, known) => isSame(stream.filename, known.file) && !differ(stream.sizeBytes, known.size),
  (stream, known) => isSame(stream.sizeBytes, known.size) && !differ(stream.filename, known.file),
  (stream, known) => isSame(stream.bingeGroup, known.binge) && stream.height === known.height,
  (stream, known) => isSame(stream.bingeGroup, known.binge),
  (stream, known) => isSame(stream.height, known.height),
];
/** Signs of the file itself; past them it is one of the same kind. */
const SURE_SIGNS = 3;

function isSame<Value>(value: Value | null, known: Value | null): boolean {
  return value !== null && value === known;
}

function differ<Value>(value: Value | null, known: Value | null): boolean {
  return value !== null && known !== null && value !== known;
}

/** The stream that is most likely the one that was known; null when none is like it. */
export function findStream(
  streams: readonly PlayableStream[],
  known: StreamIdentity,
  signs: readonly (typeof SIGNS)[number][] = SIGNS,
): PlayableStream | null {
  for (const isIt of signs) {
    const found = streams.find((stream) => isIt(stream, known));
    if (found !== undefined) return found;
  }
  return null;
}

/** Names that these streams may come to have: what is known of them is to be looked up before they are given. */
export function possibleNames(streams: readonly PlayableStream[]): string[] {
  return nameVersions(streams.map(({ height }) => ({ width: null, height })));
}

/**
 * @param known - by name: which file had it before, or what the same name was in the episode before
 */
export function nameStreams(
  streams: readonly PlayableStream[],
  known: ReadonlyMap<string, StreamIdentity>,
): NamedStream[] {
  const names = new Map<PlayableStream, string>();
  const taken = new Set<string>();
  const give = (stream: PlayableStream | null | undefined, name: string) => {
    if (stream === null || stream === undefined) return;
    names.set(stream, name);
    taken.add(name);
  };
  const left = () => streams.filter((stream) => !names.has(stream));
  for (const signs of [SIGNS.slice(0, SURE_SIGNS), SIGNS.slice(SURE_SIGNS, -1)]) {
    for (const [name, identity] of known) if (!taken.has(name)) give(findStream(left(), identity, signs), name);
  }
  if (!taken.has('original')) give(left()[0], 'original');
  for (const stream of left()) give(stream, freeName(stream, taken));
  return streams
    .flatMap((stream) => ({ stream, quality: names.get(stream) ?? '' }))
    .sort((one, other) => Number(other.quality === 'original') - Number(one.quality === 'original'));
}

function freeName({ height }: PlayableStream, taken: ReadonlySet<string>): string {
  const name = qualityOfSize(null, height) ?? 'version';
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
  return free;
}
