// Sign-ins by a code: what is asked how often, for how long, and who gets what they end with.
import { beforeEach, describe, expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { PendingSignIns, SIGN_IN_MS, SIGN_INS_MAX, type SignInStarter } from '../../../src/library/pending-sign-ins.ts';
import type { SourceInput } from '../../../src/library/source-registry.ts';
import type { SourceCredentials, SourceKindDefinition, SourceTarget } from '../../../src/sources/media-source.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const INPUT: SourceInput = { kind: 'jellyfin', url: 'http://nas:8096/', options: { transcode: 'off' } };

let clock: FakeClock;
let targets: SourceTarget[];
let polls: number;
let answer: () => Promise<SourceCredentials | null>;
let signIns: PendingSignIns;

const starter: SignInStarter = {
  async start(target) {
    targets.push(target);
    return {
      code: '123456',
      link: null,
      poll() {
        polls += 1;
        return answer();
      },
    };
  },
};

function create(starters: [['jellyfin', SignInStarter]] | [] = [['jellyfin', starter]]): PendingSignIns {
  let lastId = 0;
  return new PendingSignIns({
    starters: new Map(starters),
    async resolve(input) {
      const parseUrl = (text: string) => ({ url: new URL(text).href, credentials: null });
      const definition = { kind: input.kind ?? 'http', parseUrl } as SourceKindDefinition;
      const options = { deviceId: 'device-1', ...input.options };
      return { definition, target: { url: input.url ?? '', credentials: null, local: null, options } };
    },
    randomId: () => `id${++lastId}`,
    clock,
  });
}

beforeEach(() => {
  clock = new FakeClock();
  targets = [];
  polls = 0;
  answer = () => Promise.resolve(null);
  signIns = create();
});

/** A second later, as a page that asks does. */
function pollLater(id: string) {
  clock.advance(1_000);
  return signIns.poll(id);
}

describe('PendingSignIns', () => {
  test('gives a code, waits for it, and hands over what it was exchanged for with the device that asked', async () => {
    const { id, ...begun } = await signIns.start({ ...INPUT, credentials: { password: 'old' } }, null);
    expect(begun).toEqual({ kind: 'jellyfin', code: '123456', link: null, state: 'waiting', message: null });
    expect(targets[0]?.credentials).toBeNull();
    expect((await signIns.poll(id)).state).toBe('waiting');
    expect(() => signIns.inputOf(id, INPUT)).toThrow('the code was not confirmed yet');
    answer = () => Promise.resolve({ accessToken: 'secret' });
    const standing = await pollLater(id);
    expect(standing.state).toBe('done');
    expect(JSON.stringify(standing)).not.toContain('secret');
    expect(signIns.inputOf(id, { ...INPUT, options: { transcode: 'hls' } })).toEqual({
      ...INPUT,
      credentials: { accessToken: 'secret' },
      options: { deviceId: 'device-1', transcode: 'hls' },
    });
    await pollLater(id);
    expect(polls).toBe(2);
    signIns.forget(id);
    expect(() => signIns.inputOf(id, INPUT)).toThrow('not good any more');
    expect(clock.pendingCount).toBe(0);
  });

  test('what it ended with goes to no other address and no other kind', async () => {
    const { id } = await signIns.start(INPUT, null);
    answer = () => Promise.resolve({ accessToken: 'secret' });
    await signIns.poll(id);
    for (const other of [{ url: 'http://evil/' }, { url: 'https://nas:8096/' }, { kind: 'plex' as const }]) {
      expect(() => signIns.inputOf(id, { ...INPUT, ...other })).toThrow('another address');
    }
    const { url: _, ...unchanged } = INPUT;
    expect(signIns.inputOf(id, unchanged).credentials).toEqual({ accessToken: 'secret' });
    expect(signIns.inputOf(id, unchanged, INPUT.url).credentials).toEqual({ accessToken: 'secret' });
    expect(() => signIns.inputOf(id, unchanged, 'http://another-source/')).toThrow('another address');
  });

  test('several pages that show one code ask once, and no more often than once a second', async () => {
    const { id } = await signIns.start(INPUT, null);
    const { promise, resolve } = Promise.withResolvers<SourceCredentials | null>();
    answer = () => promise;
    const both = [signIns.poll(id), signIns.poll(id)];
    resolve(null);
    await Promise.all(both);
    await signIns.poll(id);
    expect(polls).toBe(1);
    await pollLater(id);
    expect(polls).toBe(2);
  });

  test('a server that is away is asked again; one that refuses ends it', async () => {
    const { id } = await signIns.start(INPUT, null);
    answer = () => Promise.reject(new LarderError('origin-failed', 'nothing listens', { retry: 'soon' }));
    expect(await signIns.poll(id)).toMatchObject({ state: 'waiting', message: 'nothing listens' });
    answer = () => Promise.resolve(null);
    expect(await pollLater(id)).toMatchObject({ state: 'waiting', message: null });
    answer = () => Promise.reject(new LarderError('not-found', 'the code has lapsed', { hint: 'ask for a new one' }));
    expect(await pollLater(id)).toMatchObject({ state: 'failed', message: 'the code has lapsed: ask for a new one' });
    expect(() => signIns.inputOf(id, INPUT)).toThrow('the code has lapsed');
    await pollLater(id);
    expect(polls).toBe(3);
  });

  test('what does not answer in time counts as away', async () => {
    const { id } = await signIns.start(INPUT, null);
    const { promise, reject } = Promise.withResolvers<SourceCredentials | null>();
    answer = () => promise;
    const polled = signIns.poll(id);
    clock.advance(10_000);
    reject(new Error('aborted'));
    expect(await polled).toMatchObject({ state: 'waiting', message: expect.stringContaining('no answer in time') });
  });

  test('it is forgotten after ten minutes, and the oldest when there are very many', async () => {
    const { id } = await signIns.start(INPUT, null);
    clock.advance(SIGN_IN_MS);
    expect(signIns.poll(id)).rejects.toThrow('not good any more');
    const first = await signIns.start(INPUT, null);
    for (let count = 0; count < SIGN_INS_MAX; count++) await signIns.start(INPUT, null);
    expect(signIns.poll(first.id)).rejects.toThrow('not good any more');
    expect(clock.pendingCount).toBe(SIGN_INS_MAX);
  });

  test('a kind without codes says so', async () => {
    expect(signIns.canStart('jellyfin')).toBe(true);
    signIns = create([]);
    expect(signIns.canStart('jellyfin')).toBe(false);
    expect(signIns.start(INPUT, null)).rejects.toThrow('not signed in to by a code');
    expect(targets).toEqual([]);
  });
});
