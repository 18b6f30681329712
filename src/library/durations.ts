// How long films are, found in what is kept of them and remembered for a while.
import { RangeSet } from '../bytes/range-set.ts';
import type { ChunkStore } from '../chunks/chunk-store.ts';
import type { Clock } from '../clock.ts';
import type { EntryDetail } from './entry-details.ts';
import { findDurationMs } from './media-duration.ts';

export interface DurationServices {
  readonly store: Pick<ChunkStore, 'openReader'>;
  readonly clock: Clock;
}

interface Known {
  readonly durationMs: number | null;
  readonly cachedBytes: number;
  readonly atMs: number;
}

const KNOWN_MAX = 500;
/** What was not found is looked for again when more is there, and not before. */
const RETRY_MS = 10_000;
const CONTAINERS = new Set(['mp4', 'm4v', 'mov', 'm4a', 'm4b', '3gp', 'mkv', 'mka', 'webm']);

export class Durations {
  readonly #services: DurationServices;
  /** By generation. */
  readonly #known = new Map<number, Known>();

  constructor(services: DurationServices) {
    this.#services = services;
  }

  /** Null when it is not known. */
  async find(detail: Pick<EntryDetail, 'generation' | 'container' | 'cachedBytes' | 'ranges'>): Promise<number | null> {
    const { generation, container, cachedBytes } = detail;
    if (generation === null || cachedBytes === 0 || !CONTAINERS.has(container ?? '')) return null;
    const known = this.#known.get(generation.id);
    const nowMs = this.#services.clock.monotonicMs();
    const isCurrent = known !== undefined && (known.cachedBytes === cachedBytes || nowMs - known.atMs < RETRY_MS);
    if (known !== undefined && (known.durationMs !== null || isCurrent)) return known.durationMs;
    const durationMs = await this.#look(generation.fileName, RangeSet.of(detail.ranges)).catch(() => null);
    this.#known.delete(generation.id);
    this.#known.set(generation.id, { durationMs, cachedBytes, atMs: nowMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    return durationMs;
  }

  async #look(fileName: string, available: RangeSet): Promise<number | null> {
    const reader = await this.#services.store.openReader(fileName);
    try {
      return await findDurationMs(async (offset, length) => {
        if (!available.contains(offset, offset + length)) return null;
        const bytes = new Uint8Array(length);
        return (await reader.read(bytes, offset)) === length ? bytes : null;
      });
    } finally {
      await reader.close();
    }
  }
}
