// The same program from source on Deno and on Bun, and compiled for 64-bit ARM under emulation.
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { rawRequest } from '../http/raw-client.ts';
import { startOrigin } from '../support/origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { mediaSmoke } from './media-smoke.ts';
import { denoFile, findCommand, root, run, startProgram } from './program.ts';
import { smoke } from './smoke.ts';

const SECOND_MS = 1_000;
/** From Debian's libc6-arm64-cross and libgcc-s1-arm64-cross. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';
const main = join(root, 'src/main.ts');

test(
  'from source on Bun',
  async () => {
    await using folder = await temporaryFolder();
    await smoke({ program: [process.execPath, main], dataFolder: folder.file('data') });
    await mediaSmoke({ program: [process.execPath, main], dataFolder: folder.file('media') });
  },
  30 * SECOND_MS,
);

test(
  'from source on Deno',
  async () => {
    await using folder = await temporaryFolder();
    const environment = { HOME: folder.path, DENO_DIR: folder.file('deno'), DENO_NO_UPDATE_CHECK: '1' };
    const program = [denoFile(), 'run', '--allow-all', '--cached-only', '--node-modules-dir=manual', main];
    await smoke({ program, dataFolder: folder.file('data'), environment });
    await mediaSmoke({ program, dataFolder: folder.file('media'), environment });
  },
  90 * SECOND_MS,
);

test(
  'compiled for arm64, under emulation: starts and streams a file',
  async () => {
    const qemu = findCommand('qemu-aarch64');
    if (qemu === null) return;
    await using folder = await temporaryFolder();
    const outfile = folder.file('larder-arm64');
    const built = await run({
      command: [process.execPath, join(root, 'build.ts'), '--target', 'linux-arm64', '--outfile', outfile],
      environment: { HOME: process.env.HOME ?? folder.path },
    });
    expect([built.code, built.stderr]).toEqual([0, '']);
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 3_000_000 } } });
    await using larder = await startProgram({
      command: [
        qemu,
        '-L',
        ARM64_LIBRARIES,
        outfile,
        '--data',
        folder.file('data'),
        '--port',
        '0',
        '--source',
        `films=${origin.url}`,
      ],
    });
    const cold = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(cold.isWhole).toBe(true);
    origin.assertBody('film.mkv', cold.body);
    const warm = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=2000000-' });
    expect(warm.header('x-cache')).toBe('HIT');
    origin.assertBody('film.mkv', warm.body, 2_000_000);
  },
  180 * SECOND_MS,
);
