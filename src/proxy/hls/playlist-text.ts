// The text of a playlist from its source: bounded, and never taken for one when it is something else.
import type { Clock } from '../../clock.ts';
import { LarderError } from '../../errors.ts';
import { PLAYLIST_MAX_BYTES, PLAYLIST_WAIT_MS } from '../../limits.ts';
import type { OriginClient } from '../../sources/origin-client.ts';
import { statusError } from '../../sources/origin-response.ts';
import type { UpstreamRequest } from '../../sources/upstream-request.ts';

export interface PlaylistTextParts {
  readonly client: Pick<OriginClient, 'follow'>;
  readonly ownPort: number;
  readonly clock: Clock;
}

export interface PlaylistText {
  readonly text: string;
  /** Where it came from in the end. */
  readonly url: string;
}

/** @throws LarderError `origin-lied` when it has no end, `origin-silent`, or of the origin's status */
export async function fetchPlaylistText(
  { url, headers, baseUrl, local }: UpstreamRequest,
  { client, ownPort, clock }: PlaylistTextParts,
): Promise<PlaylistText> {
  const abort = new AbortController();
  const deadline = clock.after(PLAYLIST_WAIT_MS, () => abort.abort());
  try {
    const ownHeaders = { accept: 'application/vnd.apple.mpegurl, application/x-mpegurl, */*;q=0.1' };
    const question = { url, headers, baseUrl, local, ownPort, ownHeaders, method: 'GET' as const, body: null };
    const answer = await client.follow(question, abort);
    if (answer.response.status !== 200) throw statusError(answer.response, clock.nowMs());
    return { text: await readBounded(answer.response), url: answer.url.href };
  } catch (error) {
    if (error instanceof LarderError && !(abort.signal.aborted && error.code === 'stopped')) throw error;
    throw new LarderError('origin-silent', 'the playlist did not come in time', { retry: 'soon', cause: error });
  } finally {
    deadline.cancel();
    abort.abort();
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  let bytes = 0;
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > PLAYLIST_MAX_BYTES) {
      throw new LarderError('origin-lied', 'what came as a playlist is too long to be one');
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}
