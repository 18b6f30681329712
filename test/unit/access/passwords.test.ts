import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { checkNewPassword, Passwords } from '../../../src/access/passwords.ts';
import { type PasswordHash, scryptPasswordHash, systemPasswordHash } from '../../../src/runtime/password-hash.ts';

// Hashing is slow on purpose, and slower on a machine that is busy.
setDefaultTimeout(60_000);

const argon = systemPasswordHash();

for (const [name, hash, head] of [
  ['argon2id', argon, '$argon2id$v=19$m=19456,t=2,p=1$'],
  ['scrypt', scryptPasswordHash, '$scrypt$ln=15,r=8,p=3$'],
] as const) {
  describe(name, () => {
    test('verify() takes the password that was hashed and no other, and no two hashes are alike', async () => {
      const encoded = await hash.hash('correct horse');
      expect(encoded).toStartWith(head);
      expect(encoded).not.toContain('horse');
      expect(await hash.hash('correct horse')).not.toBe(encoded);
      expect(await hash.verify('correct horse', encoded)).toBe(true);
      expect(await hash.verify('correct horsf', encoded)).toBe(false);
      expect(hash.isOutdated(encoded)).toBe(false);
    });

    test('verifyNobody() takes about as long as a real one', async () => {
      const encoded = await hash.hash('correct horse');
      const time = async (work: () => Promise<unknown>) => {
        const startedAtMs = performance.now();
        await work();
        return performance.now() - startedAtMs;
      };
      const real = Math.min(
        await time(() => hash.verify('wrong', encoded)),
        await time(() => hash.verify('wrong', encoded)),
      );
      const nobody = Math.min(
        await time(() => hash.verifyNobody('wrong')),
        await time(() => hash.verifyNobody('wrong')),
      );
      // Loose, as the machine is shared: without it nobody would take next to no time.
      expect(nobody).toBeGreaterThan(real / 5);
    });
  });
}

test('a hash of the other runtime is checked where it can be, and named as outdated', async () => {
  const encoded = await scryptPasswordHash.hash('correct horse');
  expect(await argon.verify('correct horse', encoded)).toBe(true);
  expect(await argon.verify('wrong', encoded)).toBe(false);
  expect(argon.isOutdated(encoded)).toBe(true);
  expect(argon.isOutdated('$argon2id$v=19$m=4096,t=1,p=1$AAAA$AAAA')).toBe(true);
});

test('a hash that the runtime cannot check says what to do', async () => {
  for (const encoded of [await argon.hash('x y z'), '$scrypt$ln=30,r=8,p=1$AAAA$AAAA', 'nonsense']) {
    await expect(scryptPasswordHash.verify('x y z', encoded)).rejects.toMatchObject({
      code: 'sign-in',
      hint: expect.stringContaining('reset-password'),
    });
  }
});

describe('checkNewPassword()', () => {
  for (const [password, problem] of [
    ['', '0 characters'],
    ['1234567', '7 characters'],
    ['x'.repeat(257), 'too long'],
    ['Password123', 'first that are tried'],
    ['aaaaaaaaaaaa', 'first that are tried'],
    ['JaneDoe-77', 'is the name'],
    ['日本語のパス', '6 characters'],
  ] as const) {
    test(`checkNewPassword() refuses ${JSON.stringify(password.slice(0, 20))} without repeating it`, () => {
      const check = () => checkNewPassword(password, 'janedoe-77');
      expect(check).toThrow(problem);
      if (password !== '') expect(check).not.toThrow(password);
    });
  }

  test('checkNewPassword() takes long ones, spaces and any script', () => {
    for (const password of ['four words that differ', '正確馬電池釘書', 'Zoë🦊🦊🦊-ok', 'x1x1ß-abcd']) {
      expect(() => checkNewPassword(password.padEnd(8, '-+*'), 'jane')).not.toThrow();
    }
  });
});

describe('Passwords', () => {
  function slow() {
    const running = { now: 0, most: 0, done: 0 };
    const releases: (() => void)[] = [];
    const work = async () => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await new Promise<void>((resolve) => releases.push(resolve));
      running.now -= 1;
      running.done += 1;
    };
    const hash: PasswordHash = {
      hash: async () => {
        await work();
        return 'h';
      },
      verify: async () => {
        await work();
        return true;
      },
      isOutdated: () => false,
      verifyNobody: work,
    };
    return { hash, running, releases };
  }

  test('Passwords checks one at a time, and refuses when too many wait', async () => {
    const { hash, running, releases } = slow();
    const passwords = new Passwords(hash);
    const waiting = Array.from({ length: 16 }, (_, index) => passwords.verify('x', index % 2 === 0 ? 'h' : null));
    await expect(passwords.verify('x', 'h')).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 5_000 });
    while (running.done < 16) {
      releases.shift()?.();
      await Promise.resolve();
    }
    const results = await Promise.all(waiting);
    expect(results.filter((isRight) => isRight)).toHaveLength(8);
    expect(running.most).toBe(1);
    const again = passwords.hash('x');
    while (running.done < 17) {
      releases.shift()?.();
      await Promise.resolve();
    }
    expect(await again).toBe('h');
  });

  test('Passwords goes on when one fails', async () => {
    const passwords = new Passwords({ ...scryptPasswordHash, hash: () => Promise.reject(new Error('no memory')) });
    await expect(passwords.hash('x')).rejects.toThrow('no memory');
    expect(await passwords.verify('x', null)).toBe(false);
  });

  test('Passwords takes a password however it is spelled in Unicode', async () => {
    const passwords = new Passwords(argon);
    const encoded = await passwords.hash('Zo\u00eb is here');
    expect(await passwords.verify('Zoe\u0308 is here', encoded)).toBe(true);
  });

  test('Passwords spends no time on what was never taken', async () => {
    const passwords = new Passwords({ ...argon, verify: () => Promise.reject(new Error('asked')) });
    expect(await passwords.verify('', 'h')).toBe(false);
    expect(await passwords.verify('x'.repeat(100_000), 'h')).toBe(false);
  });
});
