// The same smoke for every way the program runs: cold, warm, seek, restart with the origin stopped.
import { expect } from 'bun:test';
import { rawRequest } from '../http/raw-client.ts';
import { startOrigin } from '../support/origin.ts';
import { signedIn } from '../support/owner.ts';
import { type ProgramOptions, startProgram } from './program.ts';

const SIZE = 5_000_000;

export interface SmokeOptions extends Omit<ProgramOptions, 'command'> {
  /** What starts the program, up to its own arguments. */
  readonly program: readonly string[];
  readonly dataFolder: string;
}

export async function smoke({ program, dataFolder, ...options }: SmokeOptions): Promise<void> {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: SIZE } } });
  const command = [...program, 'serve', '--data', dataFolder, '--host', '127.0.0.1', '--port', '0'];
  {
    await using larder = await startProgram({ ...options, command: [...command, '--source', `films=${origin.url}`] });
    const seek = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=3000000-3000999' });
    expect(seek.status).toBe(206);
    expect(seek.header('x-cache')).toBe('MISS');
    origin.assertBody('film.mkv', seek.body, 3_000_000);
    const cold = await rawRequest(larder.port, '/s/films/film.mkv');
    expect([cold.status, cold.isWhole, cold.header('content-length')]).toEqual([200, true, String(SIZE)]);
    origin.assertBody('film.mkv', cold.body);
    expect((await rawRequest(larder.port, '/s/films/film.mkv', {}, 'HEAD')).status).toBe(200);
    expect((await rawRequest(larder.port, '/setup')).status).toBe(200);
    const { headers } = await signedIn(dataFolder);
    expect((await rawRequest(larder.port, '/', headers)).status).toBe(200);
    const { code } = await larder.end();
    expect(code).toBe(0);
  }
  await origin.goDown();
  await using larder = await startProgram({ ...options, command });
  const warm = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(warm.header('x-cache')).toBe('HIT');
  origin.assertBody('film.mkv', warm.body);
  expect((await larder.end('SIGINT')).code).toBe(0);
}
