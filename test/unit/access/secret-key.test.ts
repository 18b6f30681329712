import { describe, expect, test } from 'bun:test';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { loadSecretKey, SecretKey } from '../../../src/access/secret-key.ts';
import { LarderError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function keyOf(fill: number): SecretKey {
  return new SecretKey(new Uint8Array(32).fill(fill));
}

describe('loadSecretKey()', () => {
  test('loadSecretKey() makes a key of 32 bytes for its owner only, and gives the same one when it comes again', async () => {
    await using folder = await temporaryFolder();
    const first = await loadSecretKey(folder.path);
    expect((await readFile(folder.file('secret-key'))).length).toBe(32);
    expect((await stat(folder.file('secret-key'))).mode & 0o777).toBe(0o600);
    expect((await loadSecretKey(folder.path)).derive('x')).toEqual(first.derive('x'));
    expect(first.notKeptBecause).toBeNull();
  });

  test('loadSecretKey() gives everybody the same key when several ask at once', async () => {
    await using folder = await temporaryFolder();
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadSecretKey(folder.path)));
    expect(new Set(keys.map((key) => Buffer.from(key.derive('x')).toString('hex'))).size).toBe(1);
  });

  test('loadSecretKey() closes a file that others could read', async () => {
    await using folder = await temporaryFolder();
    await loadSecretKey(folder.path);
    await chmod(folder.file('secret-key'), 0o644);
    await loadSecretKey(folder.path);
    expect((await stat(folder.file('secret-key'))).mode & 0o777).toBe(0o600);
  });

  test('loadSecretKey() refuses a damaged file, and leaves it as it is', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('secret-key'), 'short');
    await expect(loadSecretKey(folder.path)).rejects.toMatchObject({ code: 'data-folder' });
    expect(await readFile(folder.file('secret-key'), 'utf8')).toBe('short');
  });

  test('loadSecretKey() gives a key that seals nothing when it cannot be written', async () => {
    await using folder = await temporaryFolder();
    const key = await loadSecretKey(folder.file('not-there'));
    expect(key.notKeptBecause).toContain('ENOENT');
    expect(key.derive('x')).toHaveLength(32);
    expect(() => key.sealer('x').seal('secret')).toThrow(LarderError);
  });
});

describe('SecretKey', () => {
  test('derive() gives another key for another purpose', () => {
    expect(keyOf(1).derive('a')).not.toEqual(keyOf(1).derive('b'));
    expect(keyOf(1).derive('a')).not.toEqual(keyOf(2).derive('a'));
  });

  test('open() gives back any text that seal() took, and no two seals are alike', () => {
    const sealer = keyOf(1).sealer('sources');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const sealed = sealer.seal(text);
        expect(sealer.open(sealed)).toBe(text);
        expect(sealer.seal(text)).not.toBe(sealed);
      }),
    );
  });

  test('open() refuses what another key or purpose sealed, and what was altered or cut', () => {
    const sealer = keyOf(1).sealer('sources');
    const sealed = sealer.seal('hunter2');
    expect(sealed).not.toContain('hunter2');
    expect(() => keyOf(2).sealer('sources').open(sealed)).toThrow(/another key/);
    expect(() => keyOf(1).sealer('other').open(sealed)).toThrow(/another key/);
    for (let at = 0; at < sealed.length; at++) {
      // The last sign of base64 has bits that mean nothing.
      const sign = sealed[at] === 'A' ? 'Q' : 'A';
      const altered = sealed.slice(0, at) + sign + sealed.slice(at + 1);
      if (at < sealed.length - 1) expect(() => sealer.open(altered)).toThrow(LarderError);
      expect(() => sealer.open(sealed.slice(0, at))).toThrow(LarderError);
    }
  });
});
