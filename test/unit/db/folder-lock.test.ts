// Two Larders on one data folder would each believe their own memory: the second must be refused, by the kernel.
import { describe, expect, test } from 'bun:test';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder } from '../../../src/db/folder-lock.ts';
import { LarderError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('the folder was locked'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

/** Another process that takes the lock and holds it until it is killed. */
async function holder(folder: string) {
  const module = join(import.meta.dir, '../../../src/db/folder-lock.ts');
  const script = `
    import { lockFolder } from ${JSON.stringify(module)};
    // Kept, as the appliance keeps it: a lock that nobody refers to is collected, and with it the connection.
    globalThis.held = await lockFolder(${JSON.stringify(folder)}, process.pid);
    console.log('locked');
    setInterval(() => undefined, 1_000);`;
  const process = Bun.spawn([globalThis.process.execPath, '-e', script], { stdout: 'pipe', stderr: 'ignore' });
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value).trim()).toBe('locked');
  return process;
}

describe('lockFolder()', () => {
  test('lockFolder() refuses the second and names the pid of the first, also after it was killed with SIGKILL', async () => {
    await using folder = await temporaryFolder();
    const other = await holder(folder.path);
    try {
      const error = await failure(lockFolder(folder.path, process.pid));
      expect(error.code).toBe('data-folder');
      expect(error.message).toContain(`pid ${other.pid}`);
      expect(error.hint).toContain('--data');
    } finally {
      other.kill('SIGKILL');
      await other.exited;
    }
    const lock = await lockFolder(folder.path, process.pid);
    expect((await Bun.file(folder.file('larder.pid')).text()).trim()).toBe(String(process.pid));
    lock.release();
  }, 20_000);

  test('lockFolder() refuses a second lock in the same process and takes it once the first was released', async () => {
    await using folder = await temporaryFolder();
    const lock = await lockFolder(folder.path, 4_711);
    expect((await failure(lockFolder(folder.path, 4_712))).message).toContain('pid 4711');
    lock.release();
    (await lockFolder(folder.path, 4_713)).release();
  });

  test('invariant 10: lockFolder() says what to do when the folder cannot be used', async () => {
    await using folder = await temporaryFolder();
    const error = await failure(lockFolder(folder.file('missing/folder'), 1));
    expect(error).toMatchObject({ code: 'data-folder', hint: expect.any(String) });
    expect(error.message).toContain('missing/folder');
  });

  test('lockFolder() makes files that their own user alone can read, also of those that there were', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('larder.lock'), '', { mode: 0o644 });
    const lock = await lockFolder(folder.path, process.pid);
    const names = await readdir(folder.path);
    expect(names.toSorted()).toEqual(['larder.lock', 'larder.lock-journal', 'larder.pid']);
    const modes = await Promise.all(names.map(async (name) => (await stat(folder.file(name))).mode & 0o777));
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    lock.release();
  });
});
