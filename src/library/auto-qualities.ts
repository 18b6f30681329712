// Remembers which quality a player was given, for as long as it may come back for more of the same: a film whose quality
// changed between two of its requests would be two films to it.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import { AUTO_QUALITIES_MAX, AUTO_QUALITY_MS } from '../limits.ts';
import type { MediaSource } from '../sources/media-source.ts';
import { type ChosenQuality, chooseQuality, type QualityLimits } from './auto-quality.ts';
import type { LibraryItem } from './library.ts';

export interface AutoQualityServices {
  /** The item as it is offered; null when there is none. */
  readonly findItem: (sourceId: number, mediaKey: string) => Promise<LibraryItem | null>;
  /** Has the source say what it has, where nothing is known. */
  readonly learn: (source: MediaSource, mediaKey: string) => Promise<unknown>;
  /** In bit/s; null while it is not known. */
  readonly throughputOf: (sourceId: number) => number | null;
  /** Nobody gets more lines than that. */
  readonly maxHeight: () => number | null;
  readonly clock: Clock;
}

/** What is known of who asks. */
export interface AutoHints {
  /** Tells one player from another. */
  readonly player: string;
  /** As the address says (`?max=720p`); null where it does not. */
  readonly asked: number | null;
  /** As its user prefers. */
  readonly preferred: number | null;
  /** As its device says of itself. */
  readonly device: number | null;
}

interface Remembered {
  readonly chosen: ChosenQuality;
  untilMs: number;
}

export class AutoQualities {
  readonly #services: AutoQualityServices;
  /** Least recently used first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(services: AutoQualityServices) {
    this.#services = services;
  }

  /** @throws LarderError `not-found` when there is nothing to play, or why its source did not say */
  async choose(source: MediaSource, mediaKey: string, hints: AutoHints): Promise<ChosenQuality> {
    const { clock } = this.#services;
    const player = createHash('sha256').update(hints.player).digest('base64url');
    const key = JSON.stringify([source.id, mediaKey, player, hints.asked]);
    const known = this.#remembered.get(key);
    const nowMs = clock.monotonicMs();
    const chosen =
      known !== undefined && known.untilMs > nowMs ? known.chosen : await this.#choose(source, mediaKey, hints);
    this.#remembered.delete(key);
    this.#remembered.set(key, { chosen, untilMs: nowMs + AUTO_QUALITY_MS });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > AUTO_QUALITIES_MAX && oldest !== undefined) this.#remembered.delete(oldest);
    return chosen;
  }

  async #choose(source: MediaSource, mediaKey: string, hints: AutoHints): Promise<ChosenQuality> {
    const { findItem, learn, throughputOf } = this.#services;
    let item = await findItem(source.id, mediaKey);
    if (item === null || item.qualities.length === 0) {
      await learn(source, mediaKey);
      item = await findItem(source.id, mediaKey);
    }
    const options = (item?.qualities ?? []).map((quality) => ({
      quality: quality.quality,
      height: quality.height,
      bitrate: quality.bitrate ?? bitrateOf(quality.sizeBytes ?? quality.totalBytes, item?.durationMs ?? null),
      isWhole: quality.removedAt === null && quality.totalBytes !== null && quality.cachedBytes === quality.totalBytes,
      isPlayable: quality.refusal === null,
    }));
    const isUnreachable = item?.unreachable ?? false;
    const limits = { ...this.#heightLimit(hints), throughput: throughputOf(source.id), isUnreachable };
    const chosen = chooseQuality(options, limits);
    if (chosen !== null) return chosen;
    throw new LarderError('not-found', 'there is nothing of it that could be played', {
      hint: 'its page says what there is, and why it cannot be played here',
    });
  }

  /** The lowest of all limits, with who set it. */
  #heightLimit({ asked, preferred, device }: AutoHints): Pick<QualityLimits, 'maxHeight' | 'maxHeightBecause'> {
    const limits: [number | null, string][] = [
      [asked, 'as was asked'],
      [preferred, 'as you prefer'],
      [device, 'as the device is'],
      [this.#services.maxHeight(), 'by the settings'],
    ];
    let lowest: { maxHeight: number | null; maxHeightBecause: string } = { maxHeight: null, maxHeightBecause: '' };
    for (const [height, because] of limits) {
      if (height !== null && (lowest.maxHeight === null || height < lowest.maxHeight)) {
        lowest = { maxHeight: height, maxHeightBecause: because };
      }
    }
    return lowest;
  }
}

function bitrateOf(sizeBytes: number | null, durationMs: number | null): number | null {
  return sizeBytes === null || durationMs === null || durationMs === 0 ? null : (sizeBytes * 8_000) / durationMs;
}

/** `720p`, or `720`, as lines; null for anything else. */
export function readHeight(text: string | null | undefined): number | null {
  const lines = Number(/^(\d{3,4})p?$/.exec(text ?? '')?.[1] ?? 0);
  return lines >= 100 ? lines : null;
}
