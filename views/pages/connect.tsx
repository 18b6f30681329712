import { formatMoment } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { QrCode, type QrCodeProps } from '../parts/qr-code.tsx';

export type AddressProps = {
  /** No slash at the end. */
  url: string;
  kind: 'visited' | 'address' | 'name';
  isForOthers: boolean;
  qr: Omit<QrCodeProps, 'label'>;
};

/** Without a code where no other machine could use it. */
export type PlaylistProps = { url: string; qr: Omit<QrCodeProps, 'label'> | null };

/** Of Larder's own https. */
export type CertificateProps = {
  fingerprint: string;
  names: readonly string[];
  validToMs: number;
  selfSigned: boolean;
};

export type ConnectPageProps = {
  page: PageContext;
  /** The likeliest first; never empty. */
  addresses: readonly AddressProps[];
  /** Everything that is here whole, as a playlist for players; null while nothing is. */
  playlist: PlaylistProps | null;
  sourceNames: readonly string[];
  streamAccess: 'private' | 'all' | 'locked';
  /** Null on plain http. */
  certificate: CertificateProps | null;
};

/** Addresses for players and browsers, each to copy and as a QR code, and where to type them. */
export function ConnectPage({ page, addresses, playlist, sourceNames, streamAccess, certificate }: ConnectPageProps) {
  const [first, ...others] = addresses;
  return (
    <Layout page={page} title="Connect" section="/connect">
      <h1>Connect</h1>
      {first === undefined ? null : (
        <section class="panel" aria-labelledby="addresses">
          <h2 id="addresses">Where Larder is</h2>
          {first.isForOthers ? null : (
            <p class="notice">
              Larder listens on this machine only, so that no other player can reach it. Start it with{' '}
              <code>--host 0.0.0.0</code> to open it to your network.
            </p>
          )}
          <Address address={first} index={0} />
          {others.length === 0 ? null : (
            <details class="other-addresses">
              <summary>Other addresses ({others.length})</summary>
              {others.map((address, index) => (
                <Address address={address} index={index + 1} />
              ))}
            </details>
          )}
        </section>
      )}
      {first === undefined ? null : <Players base={first.url} sourceNames={sourceNames} page={page} />}
      {playlist === null ? null : <Playlist playlist={playlist} isLocked={streamAccess === 'locked'} />}
      <section class="panel" aria-labelledby="who">
        <h2 id="who">Who may play</h2>
        <p>{accessWords[streamAccess]}</p>
      </section>
      {certificate === null ? null : <Certificate page={page} certificate={certificate} />}
    </Layout>
  );
}

const accessWords = {
  private:
    'Players on your own network play without a password. From anywhere else they need an address that was signed for them, or a token.',
  all: 'Everybody who can reach Larder may play, without a password. Its pages still ask for one.',
  locked:
    'Every player needs an address that was signed for it, or a token. Copy addresses from the page of a film: they are signed.',
} as const;

const kinds = {
  visited: 'The address you use now',
  address: 'By its number: works on any player',
  name: 'By its name: works where your network knows it',
} as const;

function Address({ address: { url, kind, isForOthers, qr }, index }: { address: AddressProps; index: number }) {
  return (
    <div class="address">
      <div>
        <h3 id={`address-${index}-kind`}>{isForOthers ? kinds[kind] : 'On this machine only'}</h3>
        <CopyField id={`address-${index}`} label={url} value={`${url}/`} />
      </div>
      {isForOthers ? <QrCode {...qr} label={url} /> : null}
    </div>
  );
}

function Players({ base, sourceNames, page }: { base: string; sourceNames: readonly string[]; page: PageContext }) {
  const [source = 'SOURCE'] = sourceNames;
  const example = `${base}/s/${source}/FILE`;
  return (
    <section class="panel" aria-labelledby="players">
      <h2 id="players">Players</h2>
      <p>
        Every file has an address of its own, which any player takes. It is the source’s name and the path of the file
        there:
      </p>
      <CopyField id="example" label="How addresses look" value={example} />
      {sourceNames.length === 0 ? (
        <p>
          There is no source yet. <a href={`${page.basePath}/sources`}>Add one</a>, and its files can be played.
        </p>
      ) : null}
      <dl class="players">
        <div>
          <dt>VLC</dt>
          <dd>
            <i>Media</i>, <i>Open Network Stream</i>, paste the address. On a phone: <i>Browse</i>, <i>New stream</i>.
          </dd>
        </div>
        <div>
          <dt>mpv</dt>
          <dd>
            <code>mpv ADDRESS</code>
          </dd>
        </div>
        <div>
          <dt>Kodi</dt>
          <dd>
            Save an address in a file that ends in <code>.strm</code>, or the playlist below in one that ends in{' '}
            <code>.m3u</code>, in a folder that Kodi knows.
          </dd>
        </div>
        <div>
          <dt>Browser</dt>
          <dd>Open a film here and play it on its page: MP4 and WebM play in every browser, MKV in some.</dd>
        </div>
        <div>
          <dt>Television</dt>
          <dd>Any app that opens an address or an M3U playlist, such as VLC for Android TV.</dd>
        </div>
      </dl>
    </section>
  );
}

function Certificate({ page, certificate }: { page: PageContext; certificate: CertificateProps }) {
  const { fingerprint, names, validToMs, selfSigned } = certificate;
  return (
    <section class="panel" aria-labelledby="certificate">
      <h2 id="certificate">Certificate</h2>
      {selfSigned ? (
        <p>
          Larder made it itself, so that browsers warn of it once. It is the right one when the browser shows this
          fingerprint (SHA-256), which Larder also prints on its console when it starts:
        </p>
      ) : (
        <p>Its fingerprint (SHA-256):</p>
      )}
      <pre>{fingerprint}</pre>
      <p>
        Good until {formatMoment(validToMs, page.timeZone).slice(0, 10)}, for {names.join(', ')}.
        {selfSigned ? ' Larder renews it a month before.' : ' When its file changes the new one is shown at once.'}
      </p>
    </section>
  );
}

function Playlist({ playlist: { url, qr }, isLocked }: { playlist: PlaylistProps; isLocked: boolean }) {
  return (
    <section class="panel" aria-labelledby="playlist">
      <h2 id="playlist">All of it as a playlist</h2>
      <p>
        Everything that is here whole, and plays with the line down. The list is made anew each time it is opened. Its
        address needs no sign-in and is good for 30 days, or until the user it was made for is removed: whoever has it
        can read the list.
        {isLocked
          ? ' The films in it are signed for a day: let the player open the address again rather than keep a copy.'
          : null}
      </p>
      <div class="address">
        <div>
          <CopyField id="playlist-address" label="Address of the playlist" value={url} />
          <p>
            <a href={url}>Download library.m3u</a>
          </p>
        </div>
        {qr === null ? null : <QrCode {...qr} label="the playlist" />}
      </div>
    </section>
  );
}
