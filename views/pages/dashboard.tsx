import { formatBytes } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { DiskBar, DiskKey, type DiskProps } from '../parts/disk-bar.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import type { Rendered } from '../render.ts';

export type DashboardPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  /** Those that the visitor may see; what is left out has no place on the page. */
  regions: Readonly<Record<string, Rendered>>;
};

/** Is it well, who plays, is there room, what comes next; then the same with everything behind it. */
export function DashboardPage({ page, notice, regions }: DashboardPageProps) {
  return (
    <Layout page={page} title="Larder" section="/" notice={notice} live>
      <h1 class="visually-hidden">Dashboard</h1>
      <section id="headline" aria-label="State">
        {regions.headline}
      </section>
      <section id="answers" aria-label="At a glance">
        {regions.answers}
      </section>
      {regions.readers === undefined ? null : (
        <div class="side-by-side">
          {/* As tall as with one row: the first who comes moves nothing, the others make it grow. */}
          <section id="readers" class="panel room-for-one short" aria-label="Playing now">
            {regions.readers}
          </section>
          <section id="alerts" class="panel room-for-one short" aria-label="Needs a look">
            {regions.alerts}
          </section>
        </div>
      )}
      <section id="traffic" class="panel" aria-label="Saved by the disk">
        {regions.traffic}
      </section>
      <section id="space" class="panel" aria-label="Space">
        {regions.space}
      </section>
      {regions.sources === undefined ? null : (
        <div class="side-by-side">
          <section id="sources" class="panel room-for-one short" aria-label="Sources">
            {regions.sources}
          </section>
          <section id="events" class="panel room-for-one short" aria-label="Latest events">
            {regions.events}
          </section>
        </div>
      )}
    </Layout>
  );
}

export type SpaceRegionProps = {
  disk: DiskProps;
  trouble: { sentence: string; hint: string | null } | null;
  mayChange: boolean;
};

/** How much is kept, how much may be. The words have a reserved place, so that trouble moves nothing. */
export function SpaceRegion({ page, disk, trouble, mayChange }: SpaceRegionProps & { page: PageContext }) {
  const keptBytes = disk.pinnedBytes + disk.inUseBytes + disk.removableBytes;
  return (
    <>
      <h2>{mayChange ? <a href={`${page.basePath}/storage`}>Space</a> : 'Space'}</h2>
      <DiskBar {...disk} />
      <DiskKey disk={disk} />
      <p class="room">
        {trouble === null ? (
          <>
            {formatBytes(keptBytes)} of {formatBytes(disk.capBytes)} kept
            {disk.reservedBytes > 0 ? `, ${formatBytes(disk.reservedBytes)} in flight` : ''}.{' '}
            {disk.roomBytes > 0 ? `Room for ${formatBytes(disk.roomBytes)} more.` : 'Full.'} What was not used for
            longest goes first; what is pinned or being read stays.
          </>
        ) : (
          <>
            <strong class="waiting">{trouble.sentence}</strong>
            {trouble.hint === null ? null : ` ${trouble.hint}`}
          </>
        )}
      </p>
    </>
  );
}
