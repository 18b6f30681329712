// Where the bytes of a file, a conversion, a picture or subtitles are at the server.
import type { TranscodeWay } from '../ladder.ts';
import type { Rung, TranscodeSession } from '../media-source.ts';
import type { JellyfinLocator } from './jellyfin-locator.ts';
import { queryString } from './jellyfin-questions.ts';

export interface StreamAddress {
  readonly url: string;
  readonly session?: TranscodeSession;
}

type FileLocator = Extract<JellyfinLocator, { readonly container: string | null }>;

/** Televisions take JPEG, and none needs more than this. */
const POSTER = { maxWidth: 720, quality: 90, format: 'Jpg' };

/**
 * A job is ended 10 s after its last reader left, one of HLS 60 s after the last ping (TranscodeManager.cs, PingTimer).
 */
const PING_GROWING_MS = 4_000;
const PING_HLS_MS = 20_000;

/** What is as it lies at the server. */
export function fileAddress(baseUrl: string, mediaKey: string, locator: JellyfinLocator): StreamAddress {
  if (locator.kind === 'image') {
    const { item, tag } = locator;
    return { url: `${baseUrl}Items/${item}/Images/Primary${queryString({ tag, ...POSTER })}` };
  }
  if (locator.kind === 'subtitle') {
    const { version, index, format } = locator;
    return {
      url: `${baseUrl}Videos/${mediaKey}/${encodeURIComponent(version)}/Subtitles/${index}/Stream.${encodeURIComponent(format)}`,
    };
  }
  const { kind, version, container } = locator;
  // Without `static` the server converts (VideosController.cs). The ending says what Content-Type comes.
  const name = container === null ? 'stream' : `stream.${container}`;
  const folder = kind === 'audio' ? 'Audio' : 'Videos';
  return { url: `${baseUrl}${folder}/${mediaKey}/${name}${queryString({ static: true, mediaSourceId: version })}` };
}

export interface Conversion {
  readonly mediaKey: string;
  readonly original: FileLocator;
  readonly rung: Rung;
  readonly way: Exclude<TranscodeWay, 'off'>;
  readonly deviceId: string;
  /** Names the job. The file it writes to is named by device and session (StreamingHelpers.cs, GetOutputFilePath). */
  readonly playSessionId: string;
}

/**
 * What the server is to convert. As one file, MP4 grows and plays while it does: it is written in fragments with an
 * empty head (EncodingHelper.cs, GetProgressiveVideoFullCommandLine).
 */
export function conversionAddress(baseUrl: string, conversion: Conversion): StreamAddress {
  const { mediaKey, original, rung, way, deviceId, playSessionId } = conversion;
  const audioBitRate = Math.min(192_000, Math.round(rung.bitrate / 8));
  const query = {
    mediaSourceId: original.version,
    deviceId,
    playSessionId,
    // A server picks neither by itself (jellyfin/jellyfin#12926).
    videoCodec: 'h264',
    audioCodec: 'aac',
    videoBitRate: rung.bitrate - audioBitRate,
    audioBitRate,
    maxAudioChannels: 2,
    maxWidth: rung.width,
    maxHeight: rung.height,
    ...(way === 'hls'
      ? {
          segmentContainer: 'ts',
          // Else the playlist names pictures with the token in their address (DynamicHlsHelper.cs).
          enableTrickplay: false,
          enableAdaptiveBitrateStreaming: false,
        }
      : {}),
  };
  const name = way === 'hls' ? 'master.m3u8' : 'stream.mp4';
  return {
    url: `${baseUrl}Videos/${mediaKey}/${name}${queryString(query)}`,
    session: {
      pingEveryMs: way === 'hls' ? PING_HLS_MS : PING_GROWING_MS,
      ping: { method: 'POST', url: `${baseUrl}Sessions/Playing/Ping${queryString({ playSessionId })}` },
      stop: { method: 'DELETE', url: `${baseUrl}Videos/ActiveEncodings${queryString({ deviceId, playSessionId })}` },
    },
  };
}
