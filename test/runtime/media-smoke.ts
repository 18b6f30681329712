// A source of each kind that has a catalogue, for every way the program runs: kinds are loaded when they are first
// needed, which a compiled program has to survive. Added, gone through, played, and played again with the server down.
import { expect } from 'bun:test';
import { pathOf, until } from '../http/media-streams-larder.ts';
import { UPSTREAMS } from '../http/media-streams-upstreams.ts';
import { rawRequest } from '../http/raw-client.ts';
import { signedIn } from '../support/owner.ts';
import { startProgram } from './program.ts';
import type { SmokeOptions } from './smoke.ts';

export async function mediaSmoke({ program, dataFolder, ...options }: SmokeOptions): Promise<void> {
  await using upstreams = new AsyncDisposableStack();
  const kinds = Object.values(UPSTREAMS);
  const running = await Promise.all(kinds.map(async (start) => upstreams.use(await start())));
  const command = [
    ...program,
    'serve',
    '--data',
    dataFolder,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--sync-every',
    '0',
  ];
  const paths = new Map<string, string>();
  {
    await using larder = await startProgram({ ...options, command });
    const { headers } = await signedIn(dataFolder);
    const api = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`http://localhost:${larder.port}/api/v1${path}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    };
    for (const { kind, source, films } of running) {
      expect([kind, (await api('POST', '/sources', { name: kind, ...source })).status]).toEqual([kind, 201]);
      expect([kind, (await api('POST', `/sources/${kind}/test`)).body.ok]).toEqual([kind, true]);
      await api('POST', `/sources/${kind}/sync`);
      await until(async () => (await api('GET', `/sources/${kind}/sync`)).body.state === 'idle');
      const { items } = (await api('GET', `/items?type=movie&source=${kind}`)).body;
      expect(items.map(({ title }: { title: string }) => title)).toEqual(films.map(({ title }) => title));
      const path = pathOf(items[0].qualities[0].streamUrl);
      const seek = await rawRequest(larder.port, path, { Range: 'bytes=100000-100999' });
      expect([kind, seek.status, seek.header('x-cache')]).toEqual([kind, 206, 'MISS']);
      films[0].assertBody(seek.body, 100_000);
      const cold = await rawRequest(larder.port, path);
      expect([kind, cold.status, cold.isWhole]).toEqual([kind, 200, true]);
      films[0].assertBody(cold.body);
      paths.set(kind, path);
    }
    const { code, stderr } = await larder.end();
    expect([code, /unhandled|TypeError/i.test(stderr)]).toEqual([0, false]);
  }
  for (const upstream of running) await upstream.goDown();
  await using larder = await startProgram({ ...options, command });
  for (const { kind, films } of running) {
    const warm = await rawRequest(larder.port, paths.get(kind) ?? '');
    expect([kind, warm.status, warm.header('x-cache')]).toEqual([kind, 200, 'HIT']);
    films[0].assertBody(warm.body);
  }
  expect((await larder.end()).code).toBe(0);
}
