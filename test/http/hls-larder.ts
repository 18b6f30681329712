// A whole appliance with an add-on whose films are HLS playlists of a server of their own.
import { spawn } from 'node:child_process';
import { type HlsOrigin, startHlsOrigin } from '../support/hls-origin.ts';
import { filmId, type StremioAddon, startStremioAddon } from '../support/stremio-addon.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, type RunningLarderOptions, startLarder } from './running-larder.ts';

/** The film that is each of these playlists. */
export const PLAYLISTS = ['ts', 'mp4', 'single', 'one', 'locked', 'master', 'live'] as const;
export type PlaylistName = (typeof PLAYLISTS)[number];

export interface HlsLarder extends AsyncDisposable {
  readonly larder: RunningLarder;
  readonly origin: HlsOrigin;
  readonly addon: StremioAddon;
  pathOf(name: PlaylistName): string;
  /** Of a path of this Larder. */
  get(path: string, headers?: Record<string, string>): Promise<Got>;
  api<Body>(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Body }>;
  /** The whole of a film as a player sees it: how many frames there are. */
  countFrames(path: string): Promise<number>;
}

export interface Got {
  readonly status: number;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly headers: Headers;
}

export async function startHlsLarder(options: RunningLarderOptions = {}): Promise<HlsLarder> {
  const origin = await startHlsOrigin();
  const addon = await startStremioAddon({
    filmCount: PLAYLISTS.length,
    streams: (id) => {
      const name = PLAYLISTS.find((_, at) => filmId(at + 1) === id);
      return [{ name: 'Test\n720p', url: `${origin.url}${name}.m3u8?token=secret-of-${name}` }];
    },
  });
  const larder = await startLarder(options);
  const basePath = options.args?.[options.args.indexOf('--base-path') + 1] ?? '';
  const base = options.args?.includes('--base-path') ? basePath : '';
  const running: HlsLarder = {
    larder,
    origin,
    addon,
    pathOf: (name) => `/stream/addon/${filmId(PLAYLISTS.indexOf(name) + 1)}/original/film.m3u8`,
    async get(path, headers = {}) {
      const response = await fetch(`http://127.0.0.1:${larder.port}${path}`, { headers });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, text: Buffer.from(bytes).toString(), bytes, headers: response.headers };
    },
    async api(method, path, body) {
      const response = await fetch(`http://127.0.0.1:${larder.port}${base}/api/v1${path}`, {
        method,
        headers: { ...larder.owner.headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    countFrames: (path) => countFrames(path.startsWith('http') ? path : `http://127.0.0.1:${larder.port}${path}`),
    async [Symbol.asyncDispose]() {
      await larder[Symbol.asyncDispose]();
      await addon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
  const source = { name: 'addon', kind: 'stremio', url: addon.manifestUrl, options: { local: true } };
  const added = await running.api('POST', '/sources', source);
  if (added.status !== 201) throw new Error(`the source was not added: ${JSON.stringify(added.body)}`);
  return running;
}

/** Not a shell's, and not one that holds up this process: the servers are in it. */
export async function countFrames(url: string): Promise<number> {
  const args = '-v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0'.split(' ');
  const { output, errors } = await run('ffprobe', [...args, url]);
  if (errors !== '') throw new Error(errors);
  return Number(output.trim().split('\n')[0]);
}

export async function run(command: string, args: readonly string[]): Promise<{ output: string; errors: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { output: '', errors: '' };
  child.stdout.on('data', (data) => {
    texts.output += String(data);
  });
  child.stderr.on('data', (data) => {
    texts.errors += String(data);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return texts;
}

/** Addresses in a playlist, in their order. */
export function addressesIn(playlist: string): string[] {
  const found = playlist
    .split('\n')
    .flatMap((line) =>
      line.startsWith('#') ? [...line.matchAll(/URI="([^"]*)"/g)].map((match) => match[1]!) : line === '' ? [] : [line],
    );
  return [...new Set(found)];
}

/** Pieces below a playlist, those of playlists that it points to included. */
export async function piecesBelow(hls: HlsLarder, path: string): Promise<string[]> {
  const { status, text } = await hls.get(path);
  if (status !== 200) throw new Error(`${status} ${text}`);
  const pieces: string[] = [];
  for (const address of addressesIn(text)) {
    if (/\.m3u8(?:\?|$)/.test(address)) pieces.push(...(await piecesBelow(hls, address)));
    else pieces.push(address);
  }
  return pieces;
}

export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`it did not become so within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export { rawRequest };
