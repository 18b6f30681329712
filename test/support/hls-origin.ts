// A server with real HLS, made by ffmpeg from its test picture: whole films in TS, in fMP4, with keys, as ranges of one
// file, with sounds of their own, and a window that moves on. Addresses of pieces may expire, as those of services do.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface HlsRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage['headers'];
  status: number;
}

export interface HlsOrigin extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly requests: HlsRequest[];
  /** Paths of pieces that are sent slowly, in bytes at a time. */
  slow: { readonly pattern: RegExp; readonly stepBytes: number; readonly stepMs: number } | null;
  /** Answered in place of what there is; undefined leaves it be. */
  replace: ((request: HlsRequest) => { status: number; text: string } | undefined) | null;
  /** Pieces are refused that were not named by the newest playlist. */
  expires: boolean;
  expire(): void;
  /** Answers that are under way. */
  readonly openCount: number;
  openOf(path: string): number;
  /** How many requests of one path there were. */
  countOf(path: string | RegExp): number;
  /** Closes the port; opens it again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const SECONDS = 12;
export const FRAMES = SECONDS * 25;
export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

const TYPES: Readonly<Record<string, string>> = {
  m3u8: 'application/vnd.apple.mpegurl',
  ts: 'video/mp2t',
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  key: 'application/octet-stream',
};

export function ffmpeg(args: readonly string[], input?: string): string {
  const run = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', ...args], { input, encoding: 'utf8', timeout: 60_000 });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr}`);
  return run.stdout;
}

let made: string | null = null;

/** Made once for all tests of a run. */
export function hlsFolder(): string {
  if (made !== null) return made;
  const folder = mkdtempSync(join(tmpdir(), 'larder-hls-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const picture = ['-f', 'lavfi', '-i', `testsrc=size=160x90:rate=25:duration=${SECONDS}`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
  const other = ['-f', 'lavfi', '-i', `sine=frequency=880:duration=${SECONDS}`];
  const encode = '-c:v libx264 -preset ultrafast -g 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -b:a 64k'.split(' ');
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod'];
  const film = join(folder, 'film.mkv');
  ffmpeg([...picture, ...sound, ...other, '-map', '0', '-map', '1', '-map', '2', ...encode, film]);
  const copy = ['-i', film, '-c', 'copy'];
  const both = ['-map', '0:v', '-map', '0:a:0'];
  ffmpeg([...copy, ...both, ...hls, '-hls_segment_filename', join(folder, 'ts-%d.ts'), join(folder, 'ts.m3u8')]);
  const mp4 = ['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'mp4-init.mp4'];
  ffmpeg([
    ...copy,
    ...both,
    ...hls,
    ...mp4,
    '-hls_segment_filename',
    join(folder, 'mp4-%d.m4s'),
    join(folder, 'mp4.m3u8'),
  ]);
  const single = ['-hls_flags', 'single_file', '-hls_segment_filename', join(folder, 'single.ts')];
  ffmpeg([...copy, ...both, ...hls, ...single, join(folder, 'single.m3u8')]);
  const one = [
    '-hls_segment_type',
    'fmp4',
    '-hls_flags',
    'single_file',
    '-hls_segment_filename',
    join(folder, 'one.mp4'),
  ];
  ffmpeg([...copy, ...both, ...hls, ...one, join(folder, 'one.m3u8')]);
  writeFileSync(join(folder, 'film.key'), Buffer.alloc(16, 7));
  writeFileSync(join(folder, 'keyinfo'), `film.key\n${join(folder, 'film.key')}\n${'0'.repeat(31)}1\n`);
  const locked = ['-hls_key_info_file', join(folder, 'keyinfo'), '-hls_segment_filename', join(folder, 'locked-%d.ts')];
  ffmpeg([...copy, ...both, ...hls, ...locked, join(folder, 'locked.m3u8')]);
  const parts = [
    ['v', '0:v'],
    ['a', '0:a:0'],
    ['b', '0:a:1'],
  ] as const;
  for (const [name, map] of parts) {
    const files = ['-hls_segment_filename', join(folder, `${name}-%d.ts`), join(folder, `${name}.m3u8`)];
    ffmpeg([...copy, '-map', map, ...hls, ...files]);
  }
  writeFileSync(
    join(folder, 'master.m3u8'),
    [
      '#EXTM3U',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="One",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Two",LANGUAGE="de",AUTOSELECT=YES,URI="b.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="Low",LANGUAGE="en",URI="low.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=80x45,AUDIO="low"',
      'low.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=160x90,CODECS="avc1.42c00b,mp4a.40.2",AUDIO="aac"',
      'v.m3u8',
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000,URI="iframes.m3u8"',
      '',
    ].join('\n'),
  );
  made = folder;
  return folder;
}

export function piecesOf(prefix: string): string[] {
  return readdirSync(hlsFolder()).filter((name) => name.startsWith(`${prefix}-`) && /\.(?:ts|m4s)$/.test(name));
}

export async function startHlsOrigin(): Promise<HlsOrigin> {
  const folder = hlsFolder();
  const requests: HlsRequest[] = [];
  let signature = 0;
  let liveAt = 0;
  let port = 0;
  const open: string[] = [];

  /** Three pieces of the film, of which the first leaves with each playlist. */
  function live(): string {
    const first = liveAt++;
    const pieces = [0, 1, 2].map(
      (at) => `#EXTINF:2.0,\n${origin.url}ts-${(first + at) % piecesOf('ts').length}.ts?n=${first + at}`,
    );
    return `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n${pieces.join('\n')}\n`;
  }

  function playlist(name: string): string {
    if (name === 'live.m3u8') return live();
    const text = readFileSync(join(folder, name), 'utf8');
    if (!origin.expires) return text;
    signature += 1;
    return text.replace(/^(?!#)\S+$/gm, (line) => `${line}?sig=${signature}`);
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search, searchParams } = new URL(incoming.url ?? '/', origin.url);
    const name = pathname.slice(1);
    const { range } = incoming.headers;
    const { headers, method = 'GET' } = incoming;
    const request: HlsRequest = { method, path: name, query: search, range, headers, status: 0 };
    requests.push(request);
    open.push(name);
    response.once('close', () => {
      open.splice(open.indexOf(name), 1);
    });
    const say = (status: number, text = 'no', type = 'text/plain') => {
      request.status = status;
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
    };
    const replaced = origin.replace?.(request);
    if (replaced !== undefined) return say(replaced.status, replaced.text, TYPES.m3u8);
    const ending = name.slice(name.lastIndexOf('.') + 1);
    if (!/^[a-z0-9.-]+$/.test(name) || (name !== 'live.m3u8' && !isThere(join(folder, name)))) return say(404);
    if (ending === 'm3u8') return say(200, playlist(name), TYPES.m3u8);
    if (origin.expires && /\.(?:ts|m4s)$/.test(name) && Number(searchParams.get('sig')) !== signature) return say(403);
    const bytes = readFileSync(join(folder, name));
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = to === undefined || to === '' ? bytes.length : Math.min(bytes.length, Number(to) + 1);
    request.status = from === undefined ? 200 : 206;
    response.writeHead(request.status, {
      'content-type': TYPES[ending] ?? 'application/octet-stream',
      'content-length': end - start,
      'accept-ranges': 'bytes',
      ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
    });
    const { slow } = origin;
    if (slow === null || !slow.pattern.test(name)) {
      response.end(bytes.subarray(start, end));
      return;
    }
    for (let at = start; at < end && !response.destroyed; at += slow.stepBytes) {
      response.write(bytes.subarray(at, Math.min(end, at + slow.stepBytes)));
      await new Promise((resolve) => setTimeout(resolve, slow.stepMs));
    }
    response.end();
  }

  const server = () =>
    createServer((incoming, response) => {
      answer(incoming, response).catch((error: unknown) => response.destroy(error as Error));
    });
  let running = server();
  const origin: HlsOrigin = {
    get url() {
      return `http://127.0.0.1:${port}/`;
    },
    requests,
    slow: null,
    replace: null,
    expires: false,
    expire: () => {
      signature += 1;
    },
    get openCount() {
      return open.length;
    },
    openOf: (path) => open.filter((one) => one === path).length,
    countOf: (path) =>
      requests.filter((one) => (typeof path === 'string' ? one.path === path : path.test(one.path))).length,
    async stop() {
      const closed = new Promise<void>((resolve) => running.close(() => resolve()));
      running.closeAllConnections();
      await closed;
    },
    async start() {
      running = server();
      await new Promise<void>((resolve) => running.listen(port, '127.0.0.1', resolve));
      port = (running.address() as AddressInfo).port;
    },
    async [Symbol.asyncDispose]() {
      await origin.stop();
    },
  };
  await origin.start();
  return origin;
}

function isThere(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
