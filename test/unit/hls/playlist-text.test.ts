// The text of a playlist has an end, comes in time, or is told as what went wrong.
import { expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { PLAYLIST_MAX_BYTES, PLAYLIST_WAIT_MS } from '../../../src/limits.ts';
import { fetchPlaylistText } from '../../../src/proxy/hls/playlist-text.ts';
import type { OriginQuestion } from '../../../src/sources/origin-client.ts';
import { FakeClock, turnLoop } from '../../support/fake-clock.ts';

const UPSTREAM = { url: 'https://cdn/film.m3u8', headers: {}, baseUrl: 'https://cdn/', local: null };

function ask(answer: (question: OriginQuestion, abort: AbortController) => Promise<Response>, clock = new FakeClock()) {
  const client = {
    follow: async (question: OriginQuestion, abort: AbortController) => ({
      response: await answer(question, abort),
      url: new URL('https://other/moved.m3u8'),
      isRedirected: true,
    }),
  };
  const result = fetchPlaylistText(UPSTREAM, { client, ownPort: 0, clock }).then(
    (value) => value,
    (error: unknown) => error as LarderError,
  );
  return { result, clock };
}

test('it begins where it came from in the end, and is read as UTF-8 across its pieces', async () => {
  const bytes = new TextEncoder().encode('#EXTM3U é');
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const { result, clock } = ask(async () => new Response(body));
  expect(await result).toEqual({ text: '#EXTM3U é', url: 'https://other/moved.m3u8' });
  expect(clock.pendingCount).toBe(0);
  expect(await ask(async () => new Response(null)).result).toMatchObject({ text: '' });
});

test('one without an end is given up', async () => {
  const piece = new Uint8Array(1_000_000);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += piece.length;
      controller.enqueue(piece);
    },
  });
  expect(await ask(async () => new Response(body)).result).toMatchObject({ code: 'origin-lied' });
  expect(sent).toBeLessThan(PLAYLIST_MAX_BYTES * 2);
});

test('one that does not come, or breaks off, is told as such', async () => {
  const silent = ask(
    (_, abort) =>
      new Promise((_resolve, reject) =>
        abort.signal.addEventListener('abort', () => reject(new LarderError('stopped', 'called off'))),
      ),
  );
  await turnLoop();
  silent.clock.advance(PLAYLIST_WAIT_MS);
  expect(await silent.result).toMatchObject({ code: 'origin-silent', retry: 'soon' });
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) });
  expect(await ask(async () => new Response(broken)).result).toMatchObject({ code: 'origin-silent' });
});

test('what is refused is told with its status', async () => {
  expect(await ask(async () => new Response('no', { status: 403 })).result).toMatchObject({
    code: 'origin-refused',
    originStatus: 403,
  });
  expect(await ask(async () => new Response('part', { status: 206 })).result).toBeInstanceOf(LarderError);
});
