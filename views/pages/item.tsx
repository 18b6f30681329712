import { formatCount, formatDuration, formatMoment } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { ChunkMapLegend } from '../parts/chunk-map-legend.tsx';
import { ItemChildren, type ItemChildrenProps } from '../parts/item-children.tsx';
import { ItemPlay, type ItemPlayProps, type SubtitleProps } from '../parts/item-play.tsx';
import { typeWords } from '../parts/library-item.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { Poster } from '../parts/poster.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import type { Rendered } from '../render.ts';

export type ItemPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  title: string;
  year: number | null;
  type: string;
  source: string;
  addedAtMs: number;
  /** `S01E02`, `Track 3`; null for what has no number. */
  numbering: string | null;
  durationMs: number | null;
  overview: string | null;
  /** Of its picture, below the base path; null without one. */
  posterPath: string | null;
  /** What it belongs to, the series before its season. */
  above: readonly { id: number; title: string }[];
  /** Qualities that there are; each has its region, `quality-N`. */
  qualityCount: number;
  /** Addresses of those that can be played. */
  plays: readonly ItemPlayProps[];
  subtitles: readonly SubtitleProps[];
  /** What it holds; null for what has files of its own. */
  below: ItemChildrenProps | null;
  /** The same work at other sources. */
  alsoAt: readonly { id: number; title: string; source: string }[];
  /** By element id: `jobs`, `quality-N`, `child-ID`, `history`. */
  regions: Readonly<Record<string, Rendered>>;
};

/** Panels that are shown at once; an add-on may have dozens of qualities. */
const panelsShown = 8;

/** One title: play it, see what of it is here, act on it, and what happened to it. */
export function ItemPage(props: ItemPageProps) {
  const { page, notice, title, type, above, plays, subtitles, below, qualityCount, regions } = props;
  const panels = Array.from({ length: qualityCount }, (_, index) => (
    <section class="panel quality-panel" id={`quality-${index}`}>
      {regions[`quality-${index}`]}
    </section>
  ));
  const rest = panels.slice(panelsShown);
  return (
    <Layout
      page={page}
      title={[...above.slice(0, 1).map((one) => one.title), title].join(', ')}
      section="/library"
      notice={notice}
      live
    >
      <nav class="crumb" aria-label="Where it belongs">
        <a href={`${page.basePath}/library`}>Library</a>
        {above.map((one) => (
          <>
            {' / '}
            <a href={`${page.basePath}/items/${one.id}`}>{one.title}</a>
          </>
        ))}
      </nav>
      <ItemHead {...props} />
      <div id="jobs">{regions.jobs}</div>
      <ItemPlay page={page} title={title} type={type} plays={plays} subtitles={subtitles} />
      {below === null ? null : <ItemChildren page={page} {...below} />}
      {qualityCount === 0 && (below === null || below.items.length === 0) ? (
        <section class="panel">
          <h2>Nothing to play yet</h2>
          <p>{props.source} has named no file of it. It is asked again when this page is opened in a while.</p>
        </section>
      ) : null}
      {qualityCount === 0 ? null : <ChunkMapLegend />}
      {panels.slice(0, panelsShown)}
      {rest.length === 0 ? null : (
        <details class="more-qualities">
          <summary>{formatCount(rest.length, 'more quality', 'more qualities')}</summary>
          {rest}
        </details>
      )}
      <AlsoAt {...props} />
      {qualityCount === 0 ? null : (
        <section class="panel" aria-labelledby="history-title">
          <h2 id="history-title">History</h2>
          <div id="history">{regions.history}</div>
        </section>
      )}
    </Layout>
  );
}

function ItemHead(props: ItemPageProps) {
  const { page, title, year, type, source, addedAtMs, numbering, durationMs, overview, posterPath } = props;
  const kind = typeWords[type] ?? type;
  return (
    <div class={posterPath === null ? 'item-head' : 'item-head with-poster'}>
      {posterPath === null ? null : <Poster page={page} type={type} path={posterPath} />}
      <div>
        <h1>
          {numbering === null ? null : <span class="quiet">{numbering} </span>}
          {title}
          {year === null ? null : <span class="quiet"> ({year})</span>}
        </h1>
        <p class="quiet">
          {kind} of {source}
          {durationMs === null ? null : `, ${formatDuration(durationMs)}`}, here since{' '}
          <time datetime={new Date(addedAtMs).toISOString()}>
            {formatMoment(addedAtMs, page.timeZone).slice(0, 10)}
          </time>
        </p>
        {overview === null ? null : <p class="overview">{overview}</p>}
      </div>
    </div>
  );
}

function AlsoAt({ page, alsoAt }: ItemPageProps) {
  if (alsoAt.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="also-title">
      <h2 id="also-title">Also at</h2>
      <ul class="also">
        {alsoAt.map(({ id, title, source }) => (
          <li>
            <a href={`${page.basePath}/items/${id}`}>{title}</a> <span class="quiet">of {source}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export type HistoryProps = readonly {
  id: number;
  atMs: number;
  /** Where the item has several. */
  quality: string | null;
  text: string;
  severity: string;
}[];

export function ItemHistory({ page, events }: { page: PageContext; events: HistoryProps }) {
  if (events.length === 0) {
    return <p class="quiet">Nothing yet. Evictions, checks and damage will be told here.</p>;
  }
  return (
    <ul class="rows">
      {events.map(({ id, atMs, quality, text, severity }) => (
        <li id={`event-${id}`}>
          <span class={severity === 'info' ? 'quiet' : 'waiting'}>
            <TimeAgo atMs={atMs} page={page} />
          </span>{' '}
          {quality === null ? null : <span class="quality">{quality}: </span>}
          {text}
        </li>
      ))}
    </ul>
  );
}
