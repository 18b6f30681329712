import type { Child } from 'hono/jsx';
import type { PageContext } from '../page-context.ts';
import { Entries, type EntriesProps } from './entries.tsx';
import { Entry, type EntryProps } from './entry.tsx';
import { Events, type EventsProps } from './events.tsx';
import { Fetching, type FetchingProps } from './fetching.tsx';
import { Headline, type HeadlineProps } from './headline.tsx';
import { Notice, type NoticeProps } from './notice.tsx';
import { Preferences, type PreferencesProps } from './preferences.tsx';
import { Readers, type ReadersProps } from './readers.tsx';
import { Sources, type SourcesProps } from './sources.tsx';
import { Space, type SpaceProps } from './space.tsx';
import { Totals, type TotalsProps } from './totals.tsx';

/** Only what changed: a region that is left out stays as it is. */
export type LiveUpdateProps = {
  page: PageContext;
  notice?: NoticeProps;
  headline?: HeadlineProps;
  totals?: TotalsProps;
  readers?: ReadersProps;
  fetching?: FetchingProps;
  space?: SpaceProps;
  events?: EventsProps;
  /** The whole list: when entries came, went or changed places, and in the first message of a stream. */
  entries?: EntriesProps;
  /** Single entries that are on the page already; one that is not there is passed over. */
  changedEntries?: readonly EntryProps[];
  sources?: SourcesProps;
  preferences?: PreferencesProps;
};

/** The data of one unnamed message of the event stream, and the answer to a form that htmx sent. */
export function LiveUpdate({ page, changedEntries = [], ...changed }: LiveUpdateProps) {
  return (
    <>
      {changed.notice && (
        <Partial target="notice">
          <Notice {...changed.notice} />
        </Partial>
      )}
      {changed.headline && (
        <Partial target="headline">
          <Headline {...changed.headline} />
        </Partial>
      )}
      {changed.totals && (
        <Partial target="totals">
          <Totals page={page} {...changed.totals} />
        </Partial>
      )}
      {changed.readers && (
        <Partial target="readers">
          <Readers page={page} {...changed.readers} />
        </Partial>
      )}
      {changed.fetching && (
        <Partial target="fetching">
          <Fetching page={page} {...changed.fetching} />
        </Partial>
      )}
      {changed.space && (
        <Partial target="space">
          <Space {...changed.space} />
        </Partial>
      )}
      {changed.events && (
        <Partial target="events">
          <Events page={page} {...changed.events} />
        </Partial>
      )}
      {changed.entries && (
        <Partial target="entries">
          <Entries page={page} {...changed.entries} />
        </Partial>
      )}
      {changedEntries.map((entry) => (
        <Partial target={`entry-${entry.id}`}>
          <Entry page={page} entry={entry} />
        </Partial>
      ))}
      {changed.sources && (
        <Partial target="sources">
          <Sources page={page} {...changed.sources} />
        </Partial>
      )}
      {changed.preferences && (
        <Partial target="preferences">
          <Preferences page={page} {...changed.preferences} />
        </Partial>
      )}
    </>
  );
}

/** Morphing keeps focus, selection and what has been opened. */
function Partial({ target, children }: { target: string; children?: Child }) {
  return (
    <hx-partial hx-target={`#${target}`} hx-swap="innerMorph">
      {children}
    </hx-partial>
  );
}
