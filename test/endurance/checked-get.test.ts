// What the endurance runs trust is itself tested: a client that sees nothing proves nothing.
import { describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { contentOf } from '../support/content.ts';
import { checkedGet, type GetOptions, Violation } from './checked-get.ts';
import { etagOf, type Film, versionOf } from './film.ts';
import { FilmOrigin } from './film-origin.ts';

const SEED = 5;
const SIZE = 300_000;
const FILM: Film = {
  path: 'film.mkv',
  kind: 'seekable',
  firstBytes: SIZE,
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};
const content = contentOf(versionOf(FILM, SEED, 1).seed, 0, SIZE);

/** Answers every request with these words, and then ends the connection. */
function startServer(head: readonly string[], body: Uint8Array) {
  return Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.write(`${head.join('\r\n')}\r\n\r\n`);
        socket.write(body);
        socket.end();
      },
    },
  });
}

async function get(
  head: readonly string[],
  body: Uint8Array,
  more: Partial<GetOptions> = {},
): Promise<Awaited<ReturnType<typeof checkedGet>> | 'violation'> {
  const server = startServer(head, body);
  try {
    return await checkedGet({ port: server.port, source: 'films', film: FILM, seed: SEED, ...more });
  } catch (error) {
    if (error instanceof Violation) return 'violation';
    throw error;
  } finally {
    server.stop(true);
  }
}

describe('checkedGet()', () => {
  const etag = `ETag: ${etagOf(FILM, SEED, 1)}`;
  const whole = ['HTTP/1.1 200 OK', etag, `Content-Length: ${SIZE}`];
  const part = (start: number, end: number) => [
    'HTTP/1.1 206 Partial Content',
    etag,
    `Content-Range: bytes ${start}-${end - 1}/${SIZE}`,
    `Content-Length: ${end - start}`,
  ];
  const short = content.subarray(0, 1_000);
  const range = { start: 500, end: 1_500 };

  test('checkedGet() is content with what is right', async () => {
    expect(await get(part(500, 1_500), content.subarray(500, 1_500), { range })).toMatchObject({ ending: 'whole' });
    expect(await get(whole, content.subarray(0, 50_000))).toMatchObject({ ending: 'cut', bodyBytes: 50_000 });
    expect(await get(['HTTP/1.1 502 Bad Gateway', 'Content-Length: 0'], new Uint8Array())).toMatchObject({
      status: 502,
      version: null,
    });
  });

  test('checkedGet() refuses a single wrong byte, a shift, and bytes of another version', async () => {
    const flipped = content.slice(0, 1_000);
    flipped[999]! ^= 1;
    expect(await get(whole, flipped)).toBe('violation');
    expect(await get(whole, content.subarray(1, 1_000))).toBe('violation');
    expect(await get(whole, contentOf(versionOf(FILM, SEED, 2).seed, 0, 1_000))).toBe('violation');
  });

  test('checkedGet() refuses heads that do not fit the film or the request', async () => {
    expect(await get([whole[0]!, 'ETag: "1-other"', whole[2]!], short)).toBe('violation');
    expect(await get([whole[0]!, etag, 'Content-Length: 1000'], short)).toBe('violation');
    expect(await get(part(501, 1_500), content.subarray(501, 1_500), { range })).toBe('violation');
    expect(await get(part(500, 1_499), content.subarray(500, 1_499), { range })).toBe('violation');
    expect(await get([whole[0]!, etag], short)).toBe('violation');
  });

  test('checkedGet() refuses a body of unknown length that ends too soon', async () => {
    const endless: Film = { ...FILM, kind: 'endless' };
    const head = ['HTTP/1.1 200 OK', etag, 'Transfer-Encoding: chunked'];
    const framed = Buffer.concat([Buffer.from('3e8\r\n'), short, Buffer.from('\r\n0\r\n\r\n')]);
    expect(await get(head, framed, { film: endless })).toBe('violation');
    expect(await get(head, framed.subarray(0, -5), { film: endless })).toMatchObject({
      ending: 'cut',
      bodyBytes: 1_000,
    });
  });
});

describe('FilmOrigin', () => {
  for (const kind of ['seekable', 'sequential', 'endless'] as const) {
    test(`FilmOrigin gives a ${kind} film, counts what it sent, and gives another after a change`, async () => {
      const film: Film = { ...FILM, kind };
      using origin = new FilmOrigin({ seed: SEED, findFilm: (path) => (path === 's/films/film.mkv' ? film : null) });
      const ask = (more: Partial<GetOptions> = {}) =>
        checkedGet({ port: origin.port, source: 'films', film, seed: SEED, ...more });
      expect(await ask()).toMatchObject({ status: 200, ending: 'whole', bodyBytes: SIZE, version: 1 });
      expect(origin.jobs.at(-1)).toMatchObject({ start: 0, sentBytes: SIZE, state: 'whole' });
      const part = await ask({ range: { start: 70_001, end: 200_000 } });
      if (kind === 'seekable') expect(part).toMatchObject({ status: 206, bodyBytes: 129_999, ending: 'whole' });
      else expect(part).toMatchObject({ status: 200, bodyBytes: SIZE, ending: 'whole' });
      origin.change(film.path);
      expect(await ask()).toMatchObject({ version: 2, ending: 'whole' });
      origin.goDown();
      expect(await ask()).toMatchObject({ ending: 'refused' });
      origin.comeBack();
      expect(await ask()).toMatchObject({ ending: 'whole' });
    });
  }

  test('FilmOrigin takes the next request of a connection with the last byte of an answer, however slow the film', async () => {
    // Its rate has the last piece wait for a quarter of a second.
    const film: Film = { ...FILM, kind: 'seekable', bytesPerSecond: 64_000, latencyMs: 0 };
    using origin = new FilmOrigin({ seed: SEED, findFilm: () => film });
    const ask = 'GET /film.mkv HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-16383\r\n\r\n';
    await talk(
      origin.port,
      (bytes, send) => {
        const answers = Math.floor(bytes / 16_384);
        if (answers < 3 && answers > 0) send(ask);
        return answers >= 3;
      },
      ask,
    );
    expect(origin.mistakes).toEqual([]);
    expect(origin.jobs.map(({ state }) => state)).toEqual(['whole', 'whole', 'whole']);
  });

  test('FilmOrigin ends a connection that asks in the middle of an answer, and tells of it', async () => {
    const film: Film = { ...FILM, kind: 'seekable', bytesPerSecond: 64_000, latencyMs: 0 };
    using origin = new FilmOrigin({ seed: SEED, findFilm: () => film });
    const ask = 'GET /film.mkv HTTP/1.1\r\nHost: localhost\r\n\r\n';
    await talk(
      origin.port,
      (_bytes, send) => {
        send(ask);
        return false;
      },
      ask,
    );
    expect(origin.mistakes).toEqual(['film.mkv was asked for in the middle of an answer']);
  });
});

/** Sends `first`, shows what came to `next` each time that more did, and ends when that says so or the other side does. */
function talk(
  port: number,
  next: (bytes: number, send: (text: string) => void) => boolean,
  first: string,
): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write(first));
    socket.on('data', (data) => {
      bytes += data.length;
      if (next(bytes, (text) => socket.write(text))) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
