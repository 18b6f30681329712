import { formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { CopyField } from './copy-field.tsx';

export type ItemPlayProps = {
  quality: string;
  /** Whole, as a player takes it. */
  address: string;
  /** Below the base path. */
  streamPath: string;
  playlistPath: string;
  delivery: 'file' | 'growing' | 'hls' | 'auto';
};

export type SubtitleProps = {
  number: number;
  /** As a person reads it: "English, forced". */
  label: string;
  /** BCP 47 or ISO 639, as its source says it; null when it does not. */
  language: string | null;
  format: string;
  /** Below the base path. */
  path: string;
};

type Props = {
  page: PageContext;
  title: string;
  type: string;
  plays: readonly ItemPlayProps[];
  subtitles: readonly SubtitleProps[];
};

/** Addresses that are shown at once, also beside the one that chooses among them; an add-on may have dozens. */
const addressesShown = 4;
const addressesBesideAuto = 2;

/** Playing it here, and the addresses for players elsewhere. */
export function ItemPlay({ page, title, type, plays, subtitles }: Props) {
  if (plays.length === 0) return null;
  const count = plays[0]?.delivery === 'auto' ? addressesBesideAuto : addressesShown;
  const shown = plays.slice(0, count);
  const rest = plays.slice(count);
  // No browser but Safari plays playlists by itself.
  const here = type === 'file' ? undefined : plays.find(({ delivery }) => delivery !== 'hls');
  const address = (play: ItemPlayProps, index: number) => (
    <PlayAddress page={page} play={play} index={index} isOnly={plays.length === 1} />
  );
  return (
    <section class="panel play" aria-labelledby="play-title">
      <h2 id="play-title">Play</h2>
      <div class="play-parts">
        {here === undefined ? null : <Player page={page} play={here} type={type} title={title} subtitles={subtitles} />}
        <div>
          {shown.map(address)}
          {rest.length === 0 ? null : (
            <details class="more-addresses">
              <summary>{formatCount(rest.length, 'more address', 'more addresses')}</summary>
              {rest.map((play, index) => address(play, index + shown.length))}
            </details>
          )}
          <p class="quiet">
            MP4 and WebM play in every browser, other files in some. A player such as VLC takes the address.
          </p>
          <Subtitles page={page} subtitles={subtitles} />
        </div>
      </div>
    </section>
  );
}

type PlayerProps = Pick<Props, 'page' | 'type' | 'title' | 'subtitles'> & { play: ItemPlayProps };

/** Loads nothing before it is played: a look at the page is no use of the film. */
function Player({ page, play, type, title, subtitles }: PlayerProps) {
  const source = `${page.basePath}${play.streamPath}`;
  if (type === 'audio' || type === 'track') {
    return (
      <div>
        {/* biome-ignore lint/a11y/useMediaCaption: what is played is the source's, and so are its captions */}
        <audio controls preload="none" src={source} aria-label={title} />
      </div>
    );
  }
  return (
    <div>
      {/* biome-ignore lint/a11y/useMediaCaption: what is played is the source's, and so are its captions */}
      <video controls preload="none" src={source} aria-label={title}>
        {/* Browsers read no other format. */}
        {subtitles
          .filter(({ format }) => format === 'vtt')
          .map(({ language, label, path }) => (
            <track kind="subtitles" src={page.basePath + path} srclang={language ?? 'und'} label={label} />
          ))}
      </video>
    </div>
  );
}

type PlayAddressProps = { page: PageContext; play: ItemPlayProps; index: number; isOnly: boolean };

function PlayAddress({ page, play, index, isOnly }: PlayAddressProps) {
  const isAuto = play.delivery === 'auto';
  const quality = isAuto ? 'Auto' : play.quality;
  const name = isOnly ? 'Address for players' : `Address for players, ${quality}`;
  return (
    <div class="play-address">
      {isOnly ? null : (
        <p>
          <span class="quality">{quality}</span>
          {isAuto ? (
            <span class="quiet">: Larder chooses among them, by what is here and what the line bears.</span>
          ) : null}
        </p>
      )}
      <CopyField id={`address-${index}`} label={name} value={play.address} />
      <a class="button quiet-button" href={`${page.basePath}${play.playlistPath}`} download>
        Open in a player (M3U)
        {isOnly ? null : <span class="visually-hidden">, {quality}</span>}
      </a>
    </div>
  );
}

function Subtitles({ page, subtitles }: Pick<Props, 'page' | 'subtitles'>) {
  if (subtitles.length === 0) return null;
  return (
    <div class="subtitles">
      <h3>Subtitles</h3>
      <ul>
        {subtitles.map(({ label, format, path }) => (
          <li>
            <a href={page.basePath + path} download>
              {label}
            </a>{' '}
            <span class="quiet">{format.toUpperCase()}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
