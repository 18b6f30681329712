// What is wrong now: since when, why, what Larder does about it by itself, and what its owner can do. One list for the
// dashboard, the API and whoever sends messages.
import type { Clock } from '../clock.ts';
import type { EventRow } from '../db/events.ts';
import type { SourceState } from './source-health.ts';

export type AlertKind = 'source-failing' | 'disk-refused' | 'no-room' | 'damaged' | 'untrusted-proxy';

export interface Alert {
  /** Stays the same while the problem does. */
  readonly id: string;
  readonly kind: AlertKind;
  readonly severity: 'warning' | 'error';
  /** What it is about: a source's name, `disk`, a file. */
  readonly subject: string;
  /** One sentence. */
  readonly title: string;
  /** Wall clock; null when it is not known since when. */
  readonly sinceMs: number | null;
  readonly cause: string;
  /** What Larder does about it by itself. */
  readonly meanwhile: string;
  readonly advice: string | null;
}

export interface AlertServices {
  readonly sources: () => readonly { readonly id: number; readonly name: string }[];
  readonly stateOf: (sourceId: number) => SourceState | undefined;
  readonly space: () => {
    readonly trouble: {
      readonly kind: 'refused' | 'full';
      readonly why: string;
      readonly hint: string | null;
      readonly sinceMs: number;
    } | null;
  };
  /** Newest first. */
  readonly listEvents: (filter: { kind: string }, limit: number, before: null) => Promise<EventRow[]>;
  /** A peer that is no trusted proxy said for whom it asks; null when none did. */
  readonly untrustedProxy: () => { readonly address: string; readonly sinceMs: number } | null;
  readonly clock: Clock;
}

/** Damage is told of for so long: what was given up was fetched again by then, or is gone. */
const DAMAGE_TOLD_MS = 7 * 86_400_000;
const DAMAGE_LISTED = 20;

export class Alerts {
  readonly #services: AlertServices;

  constructor(services: AlertServices) {
    this.#services = services;
  }

  /** Open problems, the most severe first. */
  async list(): Promise<Alert[]> {
    const alerts = [...this.#space(), ...this.#sources(), ...(await this.#damage()), ...this.#proxy()];
    return alerts.sort((left, right) => Number(right.severity === 'error') - Number(left.severity === 'error'));
  }

  #space(): Alert[] {
    const { trouble } = this.#services.space();
    if (trouble === null) return [];
    const isRefused = trouble.kind === 'refused';
    return [
      {
        id: isRefused ? 'disk-refused' : 'no-room',
        kind: isRefused ? 'disk-refused' : 'no-room',
        severity: isRefused ? 'error' : 'warning',
        subject: 'disk',
        title: isRefused ? 'The disk refuses bytes' : 'There is no room',
        sinceMs: trouble.sinceMs,
        cause: trouble.why,
        meanwhile: 'streams go on uncached, and Larder tries again by itself',
        advice: trouble.hint,
      },
    ];
  }

  #sources(): Alert[] {
    const { sources, stateOf } = this.#services;
    return sources().flatMap(({ id, name }): Alert[] => {
      const state = stateOf(id);
      if (state === undefined || state.failingSince === null) return [];
      return [
        {
          id: `source-failing:${name}`,
          kind: 'source-failing',
          severity: 'warning',
          subject: name,
          title: `${name} does not answer`,
          sinceMs: state.failingSince,
          cause: state.lastErrorText ?? 'it did not say why',
          meanwhile: 'what is cached plays on, and it is asked again when somebody needs it',
          advice: state.hint,
        },
      ];
    });
  }

  async #damage(): Promise<Alert[]> {
    const { listEvents, clock } = this.#services;
    const nowMs = clock.nowMs();
    const events = (await listEvents({ kind: 'damaged' }, DAMAGE_LISTED, null)).filter(
      (event) => nowMs - event.at < DAMAGE_TOLD_MS,
    );
    const [newest] = events;
    if (newest === undefined) return [];
    const files = new Set(events.map((event) => event.subject)).size;
    return [
      {
        id: 'damaged',
        kind: 'damaged',
        severity: 'warning',
        subject: newest.subject,
        title: files === 1 ? 'Damaged bytes were found in a file' : `Damaged bytes were found in ${files} files`,
        sinceMs: events.at(-1)!.at,
        cause: `${newest.subject}: ${newest.text}`,
        meanwhile: 'what was damaged is given up and fetched again when it is needed',
        advice: 'if it comes again, check the disk and its cable',
      },
    ];
  }

  #proxy(): Alert[] {
    const proxy = this.#services.untrustedProxy();
    if (proxy === null) return [];
    return [
      {
        id: `untrusted-proxy:${proxy.address}`,
        kind: 'untrusted-proxy',
        severity: 'warning',
        subject: proxy.address,
        title: `${proxy.address} forwards requests and is not trusted`,
        sinceMs: proxy.sinceMs,
        cause: 'it sends X-Forwarded headers, which anybody could make up',
        meanwhile: 'the headers are ignored, and the peer does not count as part of the home network',
        advice: `if it is your proxy, start Larder with LARDER_TRUSTED_PROXIES=${proxy.address}`,
      },
    ];
  }
}
