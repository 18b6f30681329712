import type { PageContext } from '../page-context.ts';
import { TimeAgo } from './time-ago.tsx';

export type EventProps = {
  id: string;
  atMs: number;
  /** One word of the engine, such as `evicted`. */
  kind: string;
  /** What it happened to: a file, the disk, the database. */
  subject: string;
  /** What happened and why. */
  text: string;
};

/** Newest first. */
export type EventsProps = { events: readonly EventProps[] };

const kinds: Readonly<Record<string, { tone: string; words: string }>> = {
  evicted: { tone: 'neutral', words: 'Made room' },
  damaged: { tone: 'attention', words: 'Damage found' },
  rebuilt: { tone: 'attention', words: 'Database rebuilt' },
  'no-room': { tone: 'attention', words: 'No room' },
  'room-again': { tone: 'well', words: 'Room again' },
  'disk-refused': { tone: 'failing', words: 'Disk refuses' },
  'disk-well': { tone: 'well', words: 'Disk well again' },
};

/** What happened by itself, and why. */
export function Events({ page, events }: EventsProps & { page: PageContext }) {
  return (
    <>
      <h2>Events</h2>
      {events.length > 0 ? null : (
        <p class="quiet">
          Nothing out of the ordinary yet. What goes to make room, damage that was found, and a disk that refuses bytes
          are told here, each with its reason.
        </p>
      )}
      <ul class="rows">
        {events.map((event) => (
          <Event key={event.id} page={page} {...event} />
        ))}
      </ul>
    </>
  );
}

function Event({ page, ...event }: EventProps & { page: PageContext }) {
  const { tone, words } = kinds[event.kind] ?? { tone: 'neutral', words: event.kind.replaceAll('-', ' ') };
  return (
    <li id={`event-${event.id}`}>
      <h3>
        <span class={`badge ${tone}`}>{words}</span> {event.subject}
      </h3>
      <p class="event">
        {event.text}{' '}
        <span class="quiet">
          <TimeAgo atMs={event.atMs} nowMs={page.nowMs} />
        </span>
      </p>
    </li>
  );
}
