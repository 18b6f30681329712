// Has a Plex server convert a film to a rung of the ladder: it is asked what it would do, and told to begin. Parameters
// are those of plex-api-spec.yaml (`makeDecision`, `startTranscodeSession`); `start` with protocol=http gives one
// Matroska file that grows, and is used by clients though the specification names only the playlists.
//
// A session that is not heard of is ended after 61 to 76 s (seen in arsfeld/reel's trial of 1.43.2): it is to be pinged
// while it is read, and stopped after. There are servers that answer 404 to both and go by the reading alone: that they
// do is no failure of the film.
import { LarderError } from '../../errors.ts';
import type { TranscodeWay } from '../ladder.ts';
import type { Rung, UpstreamRequest } from '../media-source.ts';
import type { PlexAnswer, PlexApi, PlexQuery } from './plex-api.ts';
import { readCount, readList, readText } from './plex-fields.ts';
import type { PlexLocator } from './plex-qualities.ts';

export interface TranscodeWish {
  readonly mediaKey: string;
  readonly source: Pick<PlexLocator, 'mediaIndex' | 'partCount'>;
  readonly rung: Rung;
  readonly way: Exclude<TranscodeWay, 'off'>;
  /** New for each: two conversions with the same one end each other. */
  readonly sessionId: string;
}

const PING_EVERY_MS = 15_000;
/** What is left of a rung's bit rate for the sound, in bit/s. */
const SOUND_BITRATE = 192_000;

/** @throws LarderError `origin-refused` when the server will not convert it, or as `askJson` does */
export async function startTranscode(api: PlexApi, wish: TranscodeWish, signal: AbortSignal): Promise<UpstreamRequest> {
  const { sessionId, way } = wish;
  const query = queryOf(wish);
  const headers = { 'x-plex-session-identifier': sessionId };
  const decision = await api.ask('/video/:/transcode/universal/decision', query, signal, headers).catch(explain);
  refuseUnlessConverted(decision);
  const control = (action: 'ping' | 'stop') =>
    ({ method: 'GET', url: api.url(`/video/:/transcode/universal/${action}`, { session: sessionId }) }) as const;
  return {
    url: api.url(`/video/:/transcode/universal/start${way === 'hls' ? '.m3u8' : ''}`, query),
    headers: { ...api.headers, ...headers },
    baseUrl: api.target.url,
    local: api.target.local,
    session: { pingEveryMs: PING_EVERY_MS, ping: control('ping'), stop: control('stop') },
  };
}

function queryOf({ mediaKey, source, rung, way, sessionId }: TranscodeWish): PlexQuery {
  const isHls = way === 'hls';
  const videoKilobits = Math.floor(Math.max(rung.bitrate * 0.7, rung.bitrate - SOUND_BITRATE) / 1_000);
  return {
    path: `/library/metadata/${mediaKey}`,
    mediaIndex: source.mediaIndex,
    // Of a split film −1: "join parts together".
    partIndex: source.partCount > 1 ? -1 : 0,
    protocol: isHls ? 'hls' : 'http',
    // The picture is to be made smaller in any case; the sound may stay what it is.
    directPlay: 0,
    directStream: 0,
    directStreamAudio: 1,
    videoResolution: `${rung.width}x${rung.height}`,
    videoBitrate: videoKilobits,
    peakBitrate: Math.floor(rung.bitrate / 1_000),
    // Of older servers (python-plexapi base.py, `getStreamURL`).
    maxVideoBitrate: videoKilobits,
    autoAdjustQuality: 0,
    subtitles: 'none',
    location: 'lan',
    session: sessionId,
    transcodeSessionId: sessionId,
    // In the query because there are servers that do not see them in headers.
    'X-Plex-Client-Profile-Name': 'Generic',
    'X-Plex-Client-Profile-Extra': `add-transcode-target(type=videoProfile&context=streaming&protocol=${
      isHls ? 'hls&container=mpegts' : 'http&container=mkv'
    }&videoCodec=h264&audioCodec=aac&replace=true)`,
  };
}

/** 1xxx: it can; 2xxx: not now, such as for want of bandwidth; 3xxx, 4xxx: it cannot (`MediaContainerWithDecision`). */
function refuseUnlessConverted({ container }: PlexAnswer): void {
  for (const kind of ['general', 'transcode']) {
    const code = readCount(container[`${kind}DecisionCode`]);
    if (code === null || (code >= 1_000 && code < 2_000)) continue;
    const text = readText(container[`${kind}DecisionText`], 200) ?? readText(container.transcodeDecisionText, 200);
    throw new LarderError(
      code >= 2_000 && code < 3_000 ? 'origin-busy' : 'origin-refused',
      `the Plex server will not convert it (${code}${text === null ? '' : `: ${text}`})`,
      {
        retry: code >= 2_000 && code < 3_000 ? 'later' : 'never',
        isOfFile: true,
        hint: 'play the original, or look at the settings of the transcoder of the Plex server',
      },
    );
  }
  const parts = readList(container.Metadata, 1)
    .flatMap((row) => readList(row.Media, 50))
    .flatMap((media) => readList(media.Part, 100));
  const refused = parts.find((part) => part.decision === 'none' || part.decision === 'directplay');
  if (refused === undefined || parts.some((part) => part.decision === 'transcode')) return;
  throw new LarderError('origin-refused', 'the Plex server would give the original in place of a conversion', {
    isOfFile: true,
    hint: 'play the original, or look at the settings of the transcoder of the Plex server',
  });
}

function explain(error: unknown): never {
  if (error instanceof LarderError && error.originStatus === 400) {
    throw new LarderError('origin-refused', 'the Plex server does not take what is asked of its transcoder (400)', {
      originStatus: 400,
      isOfFile: true,
      cause: error,
      hint: 'set the way of converting of the source to the other one, or to off, and play the original',
    });
  }
  throw error;
}
