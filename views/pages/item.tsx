import { formatMoment } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { ChunkMapLegend } from '../parts/chunk-map-legend.tsx';
import { CopyField } from '../parts/copy-field.tsx';
import { typeWords } from '../parts/library-item.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import type { Rendered } from '../render.ts';

export type ItemPlayProps = {
  quality: string;
  /** Whole, as a player takes it. */
  address: string;
  /** Below the base path. */
  streamPath: string;
  playlistPath: string;
};

export type ItemPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  title: string;
  year: number | null;
  type: string;
  source: string;
  addedAtMs: number;
  plays: readonly ItemPlayProps[];
  /** By element id: `jobs`, `quality-N`, `history`. */
  regions: Readonly<Record<string, Rendered>>;
};

/** One title: play it, see what of it is here, act on it, and what happened to it. */
export function ItemPage({ page, notice, title, year, type, source, addedAtMs, plays, regions }: ItemPageProps) {
  const [first] = plays;
  return (
    <Layout page={page} title={title} section="/library" notice={notice} live>
      <p class="crumb">
        <a href={`${page.basePath}/library`}>Library</a>
      </p>
      <h1>
        {title}
        {year === null ? null : <span class="quiet"> ({year})</span>}
      </h1>
      <p class="quiet">
        {typeWords[type] ?? type} of {source}, here since{' '}
        <time datetime={new Date(addedAtMs).toISOString()}>{formatMoment(addedAtMs, page.timeZone).slice(0, 10)}</time>
      </p>
      <div id="jobs">{regions.jobs}</div>
      {first === undefined ? null : (
        <section class="panel play" aria-labelledby="play-title">
          <h2 id="play-title">Play</h2>
          <div class="play-parts">
            {type === 'file' ? null : <Player page={page} play={first} type={type} title={title} />}
            <div>
              {plays.map((play, index) => (
                <PlayAddress page={page} play={play} index={index} isOnly={plays.length === 1} />
              ))}
              <p class="quiet">
                MP4 and WebM play in every browser, other files in some. A player such as VLC takes the address.
              </p>
            </div>
          </div>
        </section>
      )}
      <ChunkMapLegend />
      {plays.map((_, index) => (
        <section class="panel quality-panel" id={`quality-${index}`}>
          {regions[`quality-${index}`]}
        </section>
      ))}
      <section class="panel" aria-labelledby="history-title">
        <h2 id="history-title">History</h2>
        <div id="history">{regions.history}</div>
      </section>
    </Layout>
  );
}

/** Loads nothing before it is played: a look at the page is no use of the film. */
function Player({ page, play, type, title }: { page: PageContext; play: ItemPlayProps; type: string; title: string }) {
  const source = `${page.basePath}${play.streamPath}`;
  return (
    <div>
      {type === 'audio' || type === 'track' ? (
        // biome-ignore lint/a11y/useMediaCaption: what is played is the source's, and so are its captions
        <audio controls preload="none" src={source} aria-label={title} />
      ) : (
        // biome-ignore lint/a11y/useMediaCaption: what is played is the source's, and so are its captions
        <video controls preload="none" src={source} aria-label={title} />
      )}
    </div>
  );
}

type PlayAddressProps = { page: PageContext; play: ItemPlayProps; index: number; isOnly: boolean };

function PlayAddress({ page, play, index, isOnly }: PlayAddressProps) {
  const name = isOnly ? 'Address for players' : `Address for players, ${play.quality}`;
  return (
    <div class="play-address">
      {isOnly ? null : <p class="quality">{play.quality}</p>}
      <CopyField id={`address-${index}`} label={name} value={play.address} />
      <a class="button quiet-button" href={`${page.basePath}${play.playlistPath}`} download>
        Open in a player (M3U)
      </a>
    </div>
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
