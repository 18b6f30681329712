import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import type { NoticeProps } from '../parts/notice.tsx';
import { type ReaderProps, ReaderRow } from '../parts/reader-row.tsx';
import type { Rendered } from '../render.ts';

export type ActivityPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  regions: Readonly<Record<string, Rendered>>;
};

/** Who plays what now, what is fetched for them, and who did before. */
export function ActivityPage({ page, notice, regions }: ActivityPageProps) {
  return (
    <Layout page={page} title="Activity" section="/activity" notice={notice} live>
      <h1>Activity</h1>
      {/* As tall as with one row: the first who comes moves nothing, the others make it grow. */}
      <section id="readers" class="panel room-for-one" aria-label="Readers">
        {regions.readers}
      </section>
      <section id="fetching" class="panel room-for-one" aria-label="Being fetched now">
        {regions.fetching}
      </section>
      <section id="wishes" class="panel" aria-label="To be fetched">
        {regions.wishes}
      </section>
      <section id="ended" class="panel" aria-label="Ended readers">
        {regions.ended}
      </section>
    </Layout>
  );
}

/** Each row is also told by itself, as `reader-ID`. */
export function OpenReaders({ page, readers }: { page: PageContext; readers: readonly ReaderProps[] }) {
  return (
    <>
      <h2>
        Playing now <span class="count">{readers.length}</span>
      </h2>
      {readers.length === 0 ? (
        <p class="quiet">
          Nobody is playing anything. Whoever does appears here at once, with what they get and what they wait for.
        </p>
      ) : (
        <ul class="legend" aria-label="Legend of the strips">
          <li>
            <svg class="play-strip swatch" viewBox="0 0 12 12" aria-hidden="true">
              <rect class="whole" width="12" height="12" />
            </svg>
            from disk
          </li>
          <li>
            <svg class="play-strip swatch" viewBox="0 0 12 12" aria-hidden="true">
              <rect width="12" height="12" fill="url(#chunk-in-flight)" />
            </svg>
            from the source
          </li>
          <li>
            <svg class="play-strip swatch" viewBox="0 0 12 12" aria-hidden="true">
              <rect class="waited" y="9" width="12" height="3" />
            </svg>
            waited
          </li>
        </ul>
      )}
      <ul class="rows">
        {readers.map((reader) => (
          <li id={`reader-${reader.id}`} class="entry-row">
            <ReaderRow page={page} reader={reader} />
          </li>
        ))}
      </ul>
    </>
  );
}
