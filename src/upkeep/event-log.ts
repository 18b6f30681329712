// Writes down what happened, and tells whoever listens: the live log and the API's stream of events.
import type { Clock } from '../clock.ts';
import type { EventRow, EventTable, Severity } from '../db/events.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface EventLogServices {
  readonly table: Pick<EventTable, 'add' | 'list' | 'listKinds'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Kinds that need somebody's attention; every other one is for information. */
const SEVERITIES: Readonly<Record<string, Severity>> = {
  rebuilt: 'warning',
  'no-room': 'warning',
  damaged: 'warning',
  'sign-in-failed': 'warning',
  'untrusted-proxy': 'warning',
  'source-failing': 'warning',
  'download-failed': 'warning',
  'disk-refused': 'error',
};

export type EventListener = (event: EventRow) => void;

export class EventLog {
  readonly #services: EventLogServices;
  readonly #listeners = new Set<EventListener>();
  #newestId = 0;

  constructor(services: EventLogServices) {
    this.#services = services;
  }

  /** Grows with each event: whoever shows events looks again when it has changed. */
  get newestId(): number {
    return this.#newestId;
  }

  /** @returns whether it was written: a database that takes no rows has said so in the log */
  async note(kind: string, subject: string, text: string, severity?: Severity): Promise<boolean> {
    const { table, clock, log } = this.#services;
    try {
      const event = await table.add(kind, subject, text, clock.nowMs(), severity ?? SEVERITIES[kind] ?? 'info');
      this.#newestId = event.id;
      for (const listener of [...this.#listeners]) listener(event);
      return true;
    } catch (error) {
      log.debug('an event could not be written', { kind, subject, error: describeError(error) });
      return false;
    }
  }

  list(...filter: Parameters<EventTable['list']>): Promise<EventRow[]> {
    return this.#services.table.list(...filter);
  }

  listKinds(): Promise<string[]> {
    return this.#services.table.listKinds();
  }

  /** @returns ends it */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
