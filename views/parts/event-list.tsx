import type { PageContext } from '../page-context.ts';
import { TimeAgo } from './time-ago.tsx';

export type EventProps = {
  id: string;
  atMs: number;
  /** One word of the engine, such as `evicted`. */
  kind: string;
  /** What it happened to: a file, the disk, the database. */
  subject: string;
  /** The subject, as people call it. */
  words: string;
  severity: 'info' | 'warning' | 'error';
  /** What happened and why. */
  text: string;
};

const tones = { info: 'neutral', warning: 'attention', error: 'failing' } as const;
const kindWords: Readonly<Record<string, string>> = {
  evicted: 'Made room',
  damaged: 'Damage found',
  rebuilt: 'Database rebuilt',
  'no-room': 'No room',
  'room-again': 'Room again',
  'disk-refused': 'Disk refuses',
  'disk-well': 'Disk well again',
  setting: 'Setting changed',
};

/** 'disk-refused' → 'Disk refuses' */
export function describeKind(kind: string): string {
  const words = kind.replaceAll('-', ' ');
  return kindWords[kind] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** Newest first. A subject leads to everything that happened to it. */
export function EventList({ page, events }: { page: PageContext; events: readonly EventProps[] }) {
  return (
    <ul class="rows events">
      {events.map((event) => (
        <li id={`event-${event.id}`}>
          <h3>
            <span class={`badge ${tones[event.severity]}`}>{describeKind(event.kind)}</span>{' '}
            <a href={`${page.basePath}/events?subject=${encodeURIComponent(event.subject)}`}>{event.words}</a>
          </h3>
          <p class="event">
            {event.text}{' '}
            <span class="quiet">
              <TimeAgo atMs={event.atMs} page={page} />
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}
