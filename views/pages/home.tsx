import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import type { NoticeProps } from '../parts/notice.tsx';
import type { Rendered } from '../render.ts';

export type HomePageProps = {
  page: PageContext;
  /** The answer to an action without JavaScript, shown once. */
  notice: NoticeProps | null;
  /** What fills each region, by its id. */
  regions: Readonly<Record<string, Rendered>>;
};

export function HomePage({ page, notice, regions }: HomePageProps) {
  return (
    <Layout page={page} title="Library" section="/library" notice={notice} live>
      <h1>Library</h1>
      <section id="entries" class="panel" aria-label="Kept here">
        {regions.entries}
      </section>
    </Layout>
  );
}
