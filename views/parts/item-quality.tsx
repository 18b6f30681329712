import {
  formatByteRange,
  formatBytes,
  formatCount,
  formatDuration,
  formatLeft,
  formatMoment,
  formatPercent,
  formatSentence,
} from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from './action-form.tsx';
import { ChunkMap } from './chunk-map.tsx';
import type { ByteRange } from './chunk-map-runs.ts';
import { type DownloadProps, DownloadState } from './download-state.tsx';
import { describeEncoding, describeSeeking, type EncodingProps } from './encoding-words.ts';
import { Fact } from './fact.tsx';
import { availabilityWords } from './library-item.tsx';
import { TimeAgo } from './time-ago.tsx';
import { TimeSince } from './time-since.tsx';

export type ItemQualityProps = {
  itemId: number;
  title: string;
  quality: string;
  encoding: EncodingProps;
  /** Why it cannot be played through Larder; null where it can. */
  refusal: string | null;
  /** Its source does not name it any more, since then; null while it does. */
  unlistedSinceMs: number | null;
  sizeBytes: number | null;
  /** Null while nothing of it is kept. */
  kept: KeptProps | null;
  /** Dropped, and can be brought back. */
  dropped: { entryId: number; bytes: number; leftMs: number } | null;
};

export type KeptProps = {
  entryId: number;
  cachedBytes: number;
  isComplete: boolean;
  ranges: readonly ByteRange[];
  inFlight: readonly ByteRange[];
  /** What is not here, up to the end where it is known; not all of it when it is in very many pieces. */
  gaps: readonly ByteRange[];
  gapCount: number;
  isFetched: boolean;
  readerPositions: readonly number[];
  /** Of the rest of it; null when nobody asked for that. */
  download: DownloadProps | null;
  pinned: boolean;
  /** Length of the film; null where nothing that is here says it. */
  durationMs: number | null;
  /** By a player; null when never. */
  lastPlayedAtMs: number | null;
  fetchedSinceMs: number | null;
  checkedAtMs: number | null;
  verifiedAtMs: number | null;
  etag: string | null;
  lastModified: string | null;
  missing: { sinceMs: number; reason: string } | null;
  /** More than may be kept at all: it is passed on and not kept. */
  isTooLarge: boolean;
};

/** What is inside `#quality-N`: one encoding, what of it is here, and what can be done about it. */
export function ItemQuality({ page, quality }: { page: PageContext; quality: ItemQualityProps }) {
  const { kept, dropped } = quality;
  if (dropped !== null) return <DroppedQuality page={page} quality={quality} dropped={dropped} />;
  if (kept === null) return <UntouchedQuality page={page} quality={quality} />;
  return <KeptQuality page={page} quality={quality} kept={kept} />;
}

function Heading({ quality, children }: { quality: ItemQualityProps; children?: unknown }) {
  const name = quality.quality.charAt(0).toUpperCase() + quality.quality.slice(1);
  const encoding = describeEncoding(quality.encoding);
  return (
    <>
      <h2>
        {name} {children as never}
      </h2>
      {encoding === '' ? null : <p class="quiet">{encoding}</p>}
    </>
  );
}

function DroppedQuality({ page, quality, dropped }: Parts & { dropped: NonNullable<ItemQualityProps['dropped']> }) {
  return (
    <>
      <Heading quality={quality}>
        <span class="badge neutral">dropped</span>
      </Heading>
      <p>
        {formatBytes(dropped.bytes)} can be brought back for {formatLeft(dropped.leftMs)}, unless room is needed before.
        Playing it brings it back, too.
      </p>
      {page.visitor?.role === 'owner' ? (
        <div class="actions">
          <ActionForm
            page={page}
            action={`/entries/${dropped.entryId}/restore`}
            label="Bring back"
            name={quality.title}
          />
          <ActionForm
            page={page}
            action={`/entries/${dropped.entryId}/remove`}
            label="Remove for good"
            name={quality.title}
            tone="danger"
          />
        </div>
      ) : null}
    </>
  );
}

function UntouchedQuality({ page, quality }: Parts) {
  const { refusal, unlistedSinceMs, sizeBytes } = quality;
  if (refusal !== null) {
    return (
      <>
        <Heading quality={quality}>
          <span class="badge failing">cannot be played</span>
        </Heading>
        <p>It cannot be played through Larder: {formatSentence(refusal)}</p>
      </>
    );
  }
  return (
    <>
      <Heading quality={quality}>
        <span class="badge neutral">{availabilityWords.none.word}</span>
      </Heading>
      <p>
        Nothing of it is here{sizeBytes === null ? '' : `; it has ${formatBytes(sizeBytes)}`}. Playing it fetches it as
        it goes.
      </p>
      {unlistedSinceMs === null ? null : <Unlisted page={page} sinceMs={unlistedSinceMs} />}
      {page.visitor?.role === 'owner' ? (
        <div class="actions">
          <ActionForm
            page={page}
            action={`/items/${quality.itemId}/fetch`}
            label="Fetch all of it"
            name={`${quality.title}, ${quality.quality}`}
          >
            <input type="hidden" name="quality" value={quality.quality} />
          </ActionForm>
        </div>
      ) : null}
    </>
  );
}

function Unlisted({ page, sinceMs }: { page: PageContext; sinceMs: number }) {
  return (
    <p class="waiting">
      Its source does not name it any more since <TimeSince sinceMs={sinceMs} page={page} />.
    </p>
  );
}

type Parts = { page: PageContext; quality: ItemQualityProps };

function KeptQuality({ page, quality, kept }: Parts & { kept: KeptProps }) {
  const { sizeBytes, refusal, unlistedSinceMs, encoding } = quality;
  const seeking = describeSeeking(encoding, kept.isComplete);
  const state = availabilityWords[kept.isComplete ? 'whole' : kept.cachedBytes > 0 ? 'partly' : 'none'];
  return (
    <>
      <Heading quality={quality}>
        <span class={`badge ${state.tone}`}>{state.word}</span>
        {kept.pinned ? <span class="badge pinned">pinned</span> : null}
      </Heading>
      {sizeBytes === null ? null : (
        <ChunkMap
          sizeBytes={sizeBytes}
          ranges={kept.ranges}
          inFlight={kept.inFlight}
          readerPositions={kept.readerPositions}
        />
      )}
      <p class="playable">{describePlayable(sizeBytes, kept)}</p>
      {refusal === null ? null : <p class="waiting">Its source gives no more of it: {formatSentence(refusal)}</p>}
      {seeking === null ? null : <p class="quiet">{seeking}</p>}
      {unlistedSinceMs === null || kept.missing !== null ? null : <Unlisted page={page} sinceMs={unlistedSinceMs} />}
      {kept.isComplete ? null : <DownloadState page={page} download={kept.download} />}
      {kept.missing === null ? null : (
        <p class="waiting">
          Not at its origin since <TimeSince sinceMs={kept.missing.sinceMs} page={page} />: {kept.missing.reason}; what
          is kept plays on.
        </p>
      )}
      <dl class="facts">
        <Fact name="Here">
          {formatBytes(kept.cachedBytes)}
          {sizeBytes ? ` (${formatPercent(kept.cachedBytes / sizeBytes)})` : ''}
        </Fact>
        <Fact name="Size">{formatBytes(sizeBytes)}</Fact>
        {kept.durationMs === null ? null : <Fact name="Length">{formatDuration(kept.durationMs)}</Fact>}
        <Fact name="Readers">{formatCount(kept.readerPositions.length, 'reader')}</Fact>
        <Fact name="Last played">
          {kept.readerPositions.length > 0 ? 'now' : <TimeAgo atMs={kept.lastPlayedAtMs} page={page} />}
        </Fact>
        <Fact name="Verified">
          <TimeAgo atMs={kept.verifiedAtMs} page={page} />
        </Fact>
        <Fact name="Origin asked">
          <TimeAgo atMs={kept.checkedAtMs} page={page} />
        </Fact>
      </dl>
      {page.visitor?.role === 'owner' ? <Actions page={page} quality={quality} kept={kept} /> : null}
      <div class="more-facts">
        <Gaps kept={kept} sizeBytes={sizeBytes} />
        <details>
          <summary>Version</summary>
          <dl class="facts">
            <Fact name="Since">
              {kept.fetchedSinceMs === null ? 'unknown' : formatMoment(kept.fetchedSinceMs, page.timeZone)}
            </Fact>
            <Fact name="ETag of the origin" width="wide">
              {kept.etag ?? 'none'}
            </Fact>
            <Fact name="Changed at the origin" width="wide">
              {kept.lastModified ?? 'unknown'}
            </Fact>
          </dl>
        </details>
      </div>
    </>
  );
}

/** What comes and goes by itself stands behind what stays, so that no button moves under a finger. */
function Actions({ page, quality, kept }: Parts & { kept: KeptProps }) {
  const { entryId, pinned, download, isComplete, cachedBytes } = kept;
  const name = `${quality.title}, ${quality.quality}`;
  const at = (verb: string) => `/entries/${entryId}/${verb}`;
  return (
    <div class="actions">
      <ActionForm
        page={page}
        action={at(pinned ? 'unpin' : 'pin')}
        label={pinned ? 'Unpin' : 'Pin'}
        name={name}
        title={pinned ? 'It may make room again' : 'It is never removed to make room'}
      />
      <ActionForm page={page} action={at('recheck')} label="Check with the origin" name={name} />
      {cachedBytes === 0 ? null : (
        <ActionForm
          page={page}
          action={at('verify')}
          label="Verify"
          name={name}
          title="Compares every byte with its checksum"
        />
      )}
      {isComplete ? null : download !== null && download.state !== 'failed' ? (
        <ActionForm page={page} action={at('stop')} label="Stop fetching" name={name} />
      ) : (
        <ActionForm page={page} action={at('fetch')} label="Fetch the rest" name={name} />
      )}
      {cachedBytes === 0 ? null : (
        <div class="apart">
          <ActionForm
            page={page}
            action={at('drop')}
            label={`Drop ${formatBytes(cachedBytes)}`}
            name={name}
            title="Can be brought back for ten minutes"
            tone="danger"
          />
        </div>
      )}
    </div>
  );
}

function Gaps({ kept: { gaps, gapCount }, sizeBytes }: { kept: KeptProps; sizeBytes: number | null }) {
  if (gapCount === 0) return null;
  return (
    <details>
      <summary>{formatCount(gapCount, 'gap')}</summary>
      <ul class="gaps">
        {gaps.map(([start, end]) => (
          <li>
            {formatByteRange(start, end)} ({formatBytes(end - start)})
          </li>
        ))}
        {gapCount > gaps.length ? <li>and {formatCount(gapCount - gaps.length, 'more', 'more')}</li> : null}
      </ul>
      {sizeBytes === null ? <p class="quiet">How long it is is not known yet.</p> : null}
    </details>
  );
}

/** In minutes where the length of the film is known, as if every minute had as many bytes; else in bytes. */
export function describePlayable(
  sizeBytes: number | null,
  {
    ranges,
    durationMs,
    isComplete,
    isTooLarge,
  }: Pick<KeptProps, 'ranges' | 'durationMs' | 'isComplete' | 'isTooLarge'>,
): string {
  const [start, end] = ranges[0] ?? [0, 0];
  const playableBytes = start === 0 ? end : 0;
  if (isComplete) return 'Plays from the start to the end without the source';
  if (playableBytes === 0 && isTooLarge) return 'Larger than the whole cache: it is passed on, and not kept';
  if (playableBytes === 0) return 'Not playable from the start without the source';
  if (durationMs !== null && sizeBytes) {
    const playableMs = (durationMs * playableBytes) / sizeBytes;
    return `Playable from the start for about ${formatDuration(playableMs)} of ${formatDuration(durationMs)}`;
  }
  return `The first ${formatBytes(playableBytes)} play without the source`;
}
