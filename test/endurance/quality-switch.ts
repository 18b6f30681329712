// npm run quality-switch     How long a player waits that changes the quality in the middle of a film, where the server
// answers 80 ms late: to another version of the film, to one that is converted as it comes, and to a playlist.
import { startLarder } from '../http/running-larder.ts';
import { idOf, startJellyfinServer } from '../support/jellyfin-server.ts';
import { readFlags } from './command-line.ts';
import { median } from './kill-summary.ts';

const flags = readFlags(
  'quality-switch',
  { rounds: { fallback: 15, says: 'films each' }, latency: { fallback: 80, says: 'ms before each answer' } },
  {},
);
const FILM_BYTES = 40_000_000;
const PLAYED_BYTES = 2_000_000;

const API_KEY = 'a'.repeat(32);
await using jellyfin = await startJellyfinServer({
  movies: flags.rounds,
  versionsEvery: 1,
  fileBytes: FILM_BYTES,
  latencyMs: flags.latency,
  apiKeys: [API_KEY],
});
await using larder = await startLarder();
const base = `http://127.0.0.1:${larder.port}`;

async function post(path: string, body: unknown): Promise<void> {
  const headers = { ...larder.owner.headers, 'content-type': 'application/json' };
  const response = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

for (const [name, transcode] of [
  ['growing', 'growing'],
  ['pieces', 'hls'],
]) {
  const options = { local: true, transcode };
  await post('/sources', { name, kind: 'jellyfin', url: jellyfin.url, credentials: { apiKey: API_KEY }, options });
  await post(`/sources/${name}/sync`, {});
}
while (larder.log.filter((line) => line.includes('a source was gone through')).length < 2) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Reads until so many bytes have come, then leaves. @returns the first of them */
async function read(path: string, atLeast: number, range?: string): Promise<{ firstByteMs: number; text: string }> {
  const startedMs = performance.now();
  const abort = new AbortController();
  const response = await fetch(base + path, { signal: abort.signal, headers: range === undefined ? {} : { range } });
  if (!response.ok || response.body === null) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  let firstByteMs = 0;
  let text = '';
  let bytes = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (bytes === 0) firstByteMs = performance.now() - startedMs;
    bytes += part.length;
    if (path.endsWith('.m3u8')) text += new TextDecoder().decode(part);
    if (bytes >= atLeast) break;
  }
  abort.abort();
  return { firstByteMs, text };
}

function firstAddress(playlist: string, number = 0): string {
  return playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'))[number] ?? '';
}

const waits: Record<string, number[]> = { version: [], growing: [], playlist: [] };
for (let film = 0; film < flags.rounds; film += 1) {
  const path = (source: string, quality: string, name: string) =>
    `/stream/${source}/${idOf('Movie', film)}/${quality}/${name}`;
  await read(path('growing', 'original', 'film.mkv'), PLAYED_BYTES);
  const middle = `bytes=${FILM_BYTES / 2}-`;
  waits.version?.push((await read(path('growing', '720p', 'film.mp4'), 1, middle)).firstByteMs);
  waits.growing?.push((await read(path('growing', '480p', 'film.mp4'), 1)).firstByteMs);
  const startedMs = performance.now();
  const first = await read(path('pieces', '480p', 'film.m3u8'), Number.POSITIVE_INFINITY);
  const second = await read(firstAddress(first.text), Number.POSITIVE_INFINITY);
  await read(firstAddress(second.text, 2), 1);
  waits.playlist?.push(performance.now() - startedMs);
}

const words: Record<string, string> = {
  version: 'to another version, in the middle of it',
  growing: 'to one that is converted as it comes',
  playlist: 'to a playlist: two playlists and a piece',
};
let isWithin = true;
for (const [name, times] of Object.entries(waits)) {
  const most = Math.max(...times);
  isWithin &&= most < 1_000;
  console.log(`${(words[name] ?? name).padEnd(44)} median ${median(times).toFixed(0)} ms, most ${most.toFixed(0)} ms`);
}
process.exitCode = isWithin ? 0 : 1;
