// Conversions of a stand-in Plex server: decisions, sessions that end when they are not heard of, and files that grow.
import type { ServerResponse } from 'node:http';
import { contentOf } from '../content.ts';

export interface PlexSession {
  readonly id: string;
  readonly seed: number;
  pings: number;
  isDecided: boolean;
  response: ServerResponse | null;
  timer: ReturnType<typeof setTimeout> | null;
  ended: 'no' | 'stopped' | 'reaped' | 'finished';
}

const PIECE_BYTES = 32 * 1024;

export class PlexTranscoder {
  readonly sessions = new Map<string, PlexSession>();
  readonly #reapAfterMs: number;
  readonly #bytes: number;
  readonly #changed: () => void;
  #lastSeed = 7_000;
  /** What grows stops after so many bytes, until `release`. */
  holdAfterBytes: number | null = null;
  #held: (() => void)[] = [];

  constructor(reapAfterMs: number, bytes: number, changed: () => void) {
    this.#reapAfterMs = reapAfterMs;
    this.#bytes = bytes;
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  decide(id: string): PlexSession {
    const session = this.sessions.get(id) ?? {
      id,
      seed: ++this.#lastSeed,
      pings: 0,
      isDecided: true,
      response: null,
      timer: null,
      ended: 'no',
    };
    this.sessions.set(id, session);
    return session;
  }

  /** A session is there as long as it is heard of: an un-pinged one was ended after 61 to 76 s (arsfeld/reel's spike). */
  #hear(session: PlexSession): void {
    if (session.timer !== null) clearTimeout(session.timer);
    session.timer = setTimeout(() => this.#end(session, 'reaped'), this.#reapAfterMs);
    session.timer.unref();
  }

  /** @returns the status: 404 once it is gone */
  ping(id: string): number {
    const session = this.sessions.get(id);
    if (session === undefined || session.ended !== 'no' || session.response === null) return 404;
    session.pings += 1;
    this.#hear(session);
    return 200;
  }

  stop(id: string): number {
    const session = this.sessions.get(id);
    if (session === undefined || session.ended !== 'no') return 404;
    this.#end(session, 'stopped');
    return 200;
  }

  /** No length and no ranges: the file is being made. */
  async grow(session: PlexSession, response: ServerResponse): Promise<void> {
    session.response = response;
    this.#hear(session);
    response.writeHead(200, { 'content-type': 'video/x-matroska' });
    response.flushHeaders();
    for (let at = 0; at < this.#bytes && session.ended === 'no'; ) {
      if (this.holdAfterBytes !== null && at >= this.holdAfterBytes) {
        await new Promise<void>((resolve) => this.#held.push(resolve));
        if (session.ended !== 'no') return;
      }
      const end = Math.min(this.#bytes, at + PIECE_BYTES);
      const isRoom = response.write(contentOf(session.seed, at, end));
      at = end;
      this.#changed();
      if (!isRoom) {
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off('drain', go).off('close', go);
            resolve();
          };
          response.once('drain', go).once('close', go);
        });
        if (response.destroyed) return;
      }
    }
    if (session.ended === 'no') {
      response.end();
      this.#end(session, 'finished');
    }
  }

  playlist(session: PlexSession, response: ServerResponse): void {
    session.response = response;
    this.#hear(session);
    response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' });
    response.end(`#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=4000000\nsession/${session.id}/base/index.m3u8\n`);
  }

  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  #end(session: PlexSession, how: Exclude<PlexSession['ended'], 'no'>): void {
    session.ended = how;
    if (session.timer !== null) clearTimeout(session.timer);
    if (how !== 'finished') session.response?.destroy();
    this.release();
    this.#changed();
  }

  close(): void {
    for (const session of this.sessions.values()) if (session.timer !== null) clearTimeout(session.timer);
    this.release();
  }
}
