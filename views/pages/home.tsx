import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Entries, type EntriesProps } from '../parts/entries.tsx';
import { Events, type EventsProps } from '../parts/events.tsx';
import { Fetching, type FetchingProps } from '../parts/fetching.tsx';
import { Headline, type HeadlineProps } from '../parts/headline.tsx';
import { Notice, type NoticeProps } from '../parts/notice.tsx';
import { Preferences, type PreferencesProps } from '../parts/preferences.tsx';
import { Readers, type ReadersProps } from '../parts/readers.tsx';
import { Sources, type SourcesProps } from '../parts/sources.tsx';
import { Space, type SpaceProps } from '../parts/space.tsx';
import { Totals, type TotalsProps } from '../parts/totals.tsx';

/** Bytes are whole numbers, times are ms since the epoch, `null` is "not known" or "there is none". */
export type HomePageProps = {
  page: PageContext;
  /** The answer to an action without JavaScript, shown once. */
  notice: NoticeProps | null;
  headline: HeadlineProps;
  totals: TotalsProps;
  readers: ReadersProps;
  fetching: FetchingProps;
  space: SpaceProps;
  events: EventsProps;
  entries: EntriesProps;
  sources: SourcesProps;
  preferences: PreferencesProps;
};

/** The first page. Every region has a stable id, which LiveUpdate aims at; order: people first, then bytes. */
export function HomePage({ page, notice, ...regions }: HomePageProps) {
  const { cursor } = regions.entries;
  const livePath = `${page.basePath}/live${cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`}`;
  return (
    <Layout page={page} title="Larder" livePath={livePath}>
      <h1 class="visually-hidden">Larder: what is kept, what is fetched, and for whom</h1>
      <div id="notice" role="status">
        {notice === null ? null : <Notice {...notice} />}
      </div>
      <section id="headline" aria-label="State">
        <Headline {...regions.headline} />
      </section>
      <section id="totals" aria-label="Totals">
        <Totals page={page} {...regions.totals} />
      </section>
      <div class="side-by-side">
        {/* Scrolls inside, so that it can take the focus: a reader that comes or goes must not move the page. */}
        <section id="readers" class="panel fixed" aria-label="Readers" tabindex={0}>
          <Readers page={page} {...regions.readers} />
        </section>
        <section id="fetching" class="panel fixed" aria-label="Being fetched now" tabindex={0}>
          <Fetching page={page} {...regions.fetching} />
        </section>
      </div>
      <div class="side-by-side">
        <section id="space" class="panel" aria-label="Space">
          <Space {...regions.space} />
        </section>
        <section id="events" class="panel fixed beside" aria-label="Events" tabindex={0}>
          <Events page={page} {...regions.events} />
        </section>
      </div>
      <section id="entries" class="panel" aria-label="Kept here">
        <Entries page={page} {...regions.entries} />
      </section>
      <section id="sources" class="panel" aria-label="Sources">
        <Sources page={page} {...regions.sources} />
      </section>
      <section id="preferences" class="panel" aria-label="Background fill">
        <Preferences page={page} {...regions.preferences} />
      </section>
    </Layout>
  );
}
