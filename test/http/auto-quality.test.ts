// Addresses with the quality `auto`: which quality comes, why, and that a player keeps it.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { idOf, type JellyfinServer, startJellyfinServer } from '../support/jellyfin-server.ts';
import { MediaLarder } from './media-streams-larder.ts';
import { type RawResponse, rawRequest } from './raw-client.ts';

const API_KEY = 'a'.repeat(32);
let server: JellyfinServer;
let media: MediaLarder;

beforeAll(async () => {
  server = await startJellyfinServer({ movies: 8, versionsEvery: 1, apiKeys: [API_KEY] });
  media = await MediaLarder.start();
  await media.add({ kind: 'jellyfin', url: server.url, credentials: { apiKey: API_KEY } });
  await media.sync();
});

afterAll(async () => {
  await media[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface Asked {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function play(film: number, { query = '', headers = {} }: Asked = {}): Promise<RawResponse> {
  const path = `/stream/attic/${idOf('Movie', film)}/auto/film.mkv${query}`;
  const response = await rawRequest(media.larder.port, path, { 'User-Agent': 'TV', Range: 'bytes=0-99', ...headers });
  // A conversion has no ranges while it grows.
  expect([200, 206]).toContain(response.status);
  return response;
}

function qualityOf(response: RawResponse): string | undefined {
  return response.header('x-larder-quality') ?? undefined;
}

describe('quality auto', () => {
  test('is the best where nothing speaks against it, and says why', async () => {
    const response = await play(0);
    expect(qualityOf(response)).toBe('original');
    expect(response.header('x-larder-quality-reason')).toContain('the best there is');
    expect(response.header('content-range')).toContain('/1000000');
  });

  test('is no taller than the address asks, and HEAD says the same as GET', async () => {
    const address = `/stream/attic/${idOf('Movie', 1)}/auto/film.mkv?max=720p`;
    const response = await rawRequest(media.larder.port, address, {}, 'HEAD');
    expect(qualityOf(response)).toBe('720p');
    expect(response.header('x-larder-quality-reason')).toContain('as was asked');
    expect(qualityOf(await play(1, { query: '?max=720p' }))).toBe('720p');
    expect(qualityOf(await play(1, { query: '?max=nonsense' }))).toBe('original');
  });

  test('heeds what a browser says of its screen, and one that saves data', async () => {
    const screen = { 'Sec-CH-Viewport-Height': '720', 'Sec-CH-DPR': '1' };
    expect(qualityOf(await play(2, { headers: { 'User-Agent': 'A', ...screen } }))).toBe('720p');
    const saving = await play(2, { headers: { 'User-Agent': 'B', 'Save-Data': 'on' } });
    expect(qualityOf(saving)).toBe('480p');
    expect(saving.header('x-larder-quality-reason')).toContain('as the device is');
  });

  test('is what the settings and the person allow', async () => {
    expect((await media.api('PATCH', '/settings', { maxQuality: '720p' })).status).toBe(200);
    expect(qualityOf(await play(3))).toBe('720p');
    expect((await media.api('PATCH', '/settings', { maxQuality: null })).status).toBe(200);
    expect(qualityOf(await play(4))).toBe('original');
  });

  test('stays what it was for a player that comes back, whatever changed meanwhile', async () => {
    expect(qualityOf(await play(5))).toBe('original');
    await media.api('PATCH', '/settings', { maxQuality: '480p' });
    expect(qualityOf(await play(5, { headers: { Range: 'bytes=500-599' } }))).toBe('original');
    expect(qualityOf(await play(5, { headers: { 'User-Agent': 'Phone' } }))).toBe('480p');
    await media.api('PATCH', '/settings', { maxQuality: null });
  });

  test('of what there is not is a 404 that says so', async () => {
    const response = await rawRequest(media.larder.port, `/stream/attic/${'f'.repeat(32)}/auto/x.mkv`);
    expect(response.status).toBe(404);
  });
});
