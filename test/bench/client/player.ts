// A model of a video player at one position: it opens an open range, shows a picture once it holds the start buffer,
// then plays at the film's rate, reads ahead up to a bound, and stands still when it has nothing left.
import type { BenchFile } from '../content.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { Connection } from './connection.ts';

export interface Film {
  readonly file: BenchFile;
  readonly bytesPerSecond: number;
  readonly startBufferSeconds: number;
  readonly mostBufferedSeconds: number;
}

export interface Viewing {
  /** From the wish to the first picture. */
  readonly startMs: number;
  /** Time without a picture after the start. */
  readonly stalledMs: number;
}

const REST_MS = 50;

/** Plays from byte `start` until the picture has run (or stood still) for `watchSeconds`, then drops the connection. */
export async function watchFrom(peer: RunningPeer, film: Film, start: number, watchSeconds: number): Promise<Viewing> {
  const wishedAtMs = performance.now();
  const bytesPerMs = film.bytesPerSecond / 1000;
  const startBytes = film.startBufferSeconds * film.bytesPerSecond;
  let startedAtMs = Number.NaN;
  let stalledMs = 0;
  let heldBytes = 0;
  const started = Promise.withResolvers<void>();
  const dueBytes = () => (performance.now() - startedAtMs - stalledMs) * bytesPerMs;
  const pace = (receivedBytes: number) => {
    if (Number.isNaN(startedAtMs)) {
      if (receivedBytes >= startBytes) {
        startedAtMs = performance.now();
        started.resolve();
      }
    } else {
      stalledMs += Math.max(0, dueBytes() - heldBytes) / bytesPerMs;
    }
    heldBytes = receivedBytes;
    const aheadBytes = Number.isNaN(startedAtMs) ? 0 : receivedBytes - dueBytes();
    return aheadBytes > film.mostBufferedSeconds * film.bytesPerSecond ? REST_MS : 0;
  };
  const connection = await Connection.open(peer.port);
  const range = { start, end: film.file.sizeBytes };
  const reading = connection.get({ path: peer.pathOf(film.file), file: film.file, range, pace }, wishedAtMs);
  const failure = reading.then(() => undefined);
  try {
    await Promise.race([started.promise, failure]);
    await Promise.race([Bun.sleep(watchSeconds * 1000), failure]);
    stalledMs += Math.max(0, dueBytes() - heldBytes) / bytesPerMs;
    return { startMs: startedAtMs - wishedAtMs, stalledMs };
  } finally {
    connection.drop();
    await failure.catch(() => undefined); // Either thrown above already or our own drop.
  }
}
