import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Entries, type EntriesProps } from '../parts/entries.tsx';
import { Events, type EventsProps } from '../parts/events.tsx';
import { Fetching, type FetchingProps } from '../parts/fetching.tsx';
import { Headline, type HeadlineProps } from '../parts/headline.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { Preferences, type PreferencesProps } from '../parts/preferences.tsx';
import { Readers, type ReadersProps } from '../parts/readers.tsx';
import { Sources, type SourcesProps } from '../parts/sources.tsx';
import { Space, type SpaceProps } from '../parts/space.tsx';
import { Totals, type TotalsProps } from '../parts/totals.tsx';
import type { Rendered } from '../render.ts';

/** Bytes are whole numbers, times are ms since the epoch, `null` is "not known" or "there is none". */
export type HomeRegions = {
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

export type HomePageProps = {
  page: PageContext;
  /** The answer to an action without JavaScript, shown once. */
  notice: NoticeProps | null;
  /** What fills each region, by its id. */
  regions: Readonly<Record<string, Rendered>>;
};

/** The first page. Every region has a stable id, which live updates aim at; order: people first, then bytes. */
export function HomePage({ page, notice, regions }: HomePageProps) {
  return (
    <Layout page={page} title="Larder" section="/" notice={notice} live>
      <h1 class="visually-hidden">Larder: what is kept, what is fetched, and for whom</h1>
      <section id="headline" aria-label="State">
        {regions.headline}
      </section>
      <section id="totals" aria-label="Totals">
        {regions.totals}
      </section>
      <div class="side-by-side">
        {/* Scrolls inside, so that it can take the focus: a reader that comes or goes must not move the page. */}
        <section id="readers" class="panel fixed" aria-label="Readers" tabindex={0}>
          {regions.readers}
        </section>
        <section id="fetching" class="panel fixed" aria-label="Being fetched now" tabindex={0}>
          {regions.fetching}
        </section>
      </div>
      <div class="side-by-side">
        <section id="space" class="panel" aria-label="Space">
          {regions.space}
        </section>
        <section id="events" class="panel fixed beside" aria-label="Events" tabindex={0}>
          {regions.events}
        </section>
      </div>
      <section id="entries" class="panel" aria-label="Kept here">
        {regions.entries}
      </section>
      <section id="sources" class="panel" aria-label="Sources">
        {regions.sources}
      </section>
      <section id="preferences" class="panel" aria-label="Background fill">
        {regions.preferences}
      </section>
    </Layout>
  );
}

/** What fills each region, by its id. */
export function renderHomeRegions(page: PageContext, home: HomeRegions): Record<keyof HomeRegions, Rendered> {
  return {
    headline: <Headline {...home.headline} />,
    totals: <Totals page={page} {...home.totals} />,
    readers: <Readers page={page} {...home.readers} />,
    fetching: <Fetching page={page} {...home.fetching} />,
    space: <Space {...home.space} />,
    events: <Events page={page} {...home.events} />,
    entries: <Entries page={page} {...home.entries} />,
    sources: <Sources page={page} {...home.sources} />,
    preferences: <Preferences page={page} {...home.preferences} />,
  };
}
