import { describe, expect, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { LarderError } from '../../../src/errors.ts';
import { clockCheck } from '../../../src/upkeep/doctor/clock-check.ts';
import { databaseCheck, stoppedDatabaseCheck } from '../../../src/upkeep/doctor/database-check.ts';
import { describeFileSystem, diskChecks } from '../../../src/upkeep/doctor/disk-checks.ts';
import { Doctor } from '../../../src/upkeep/doctor/doctor.ts';
import { type Check, ok, runChecks, warning } from '../../../src/upkeep/doctor/finding.ts';
import { addressFamilies, portAnswers, portIsFree } from '../../../src/upkeep/doctor/network-checks.ts';
import { forwardingCheck, settingsCheck, threadCheck } from '../../../src/upkeep/doctor/running-checks.ts';
import { knownSources } from '../../../src/upkeep/doctor/source-checks.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NOON_MS = Date.UTC(2026, 10, 20, 12);

async function only(check: Check) {
  const [finding] = await runChecks([check], systemClock);
  return finding!;
}

describe('runChecks()', () => {
  test('keeps the order of the checks, and turns what is thrown into a finding', async () => {
    const findings = await runChecks(
      [
        { name: 'one', title: 'One', run: async () => ok('it is well') },
        {
          name: 'two',
          title: 'Two',
          run: () => Promise.reject(new LarderError('usage', 'it is bad', { hint: 'mend it' })),
        },
        {
          name: 'three',
          title: 'Three',
          run: async () => [
            { name: 'three', ...warning('so', 'la') },
            { name: 'three', ...ok('la') },
          ],
        },
      ],
      systemClock,
    );
    expect(findings.map(({ name, state, detail, hint }) => [name, state, detail, hint])).toEqual([
      ['one', 'ok', 'it is well', null],
      ['two', 'failed', 'it is bad', 'mend it'],
      ['three', 'warning', 'so', 'la'],
      ['three', 'ok', 'la', null],
    ]);
  });

  test('a check that never ends is told as unknown', async () => {
    const clock = new FakeClock();
    const findings = runChecks([{ name: 'disk', title: 'Disk', run: () => new Promise(() => undefined) }], clock);
    await clock.advance(16_000);
    expect((await findings)[0]).toMatchObject({ state: 'unknown', detail: 'there was no answer within 15 s' });
  });
});

describe('Doctor', () => {
  test('asks once for many, gives what is fresh, and again when it is told to', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const doctor = new Doctor(
      [{ name: 'a', title: 'A', run: async () => (runs++ === 0 ? ok('x') : warning('x', 'y')) }],
      clock,
    );
    const [first, second] = await Promise.all([doctor.diagnose(), doctor.diagnose()]);
    expect([runs, first === second, first.state]).toEqual([1, true, 'ok']);
    await doctor.diagnose();
    expect(runs).toBe(1);
    expect((await doctor.diagnose(true)).state).toBe('warning');
    await clock.advance(11_000);
    await doctor.diagnose();
    expect(runs).toBe(3);
  });
});

describe('diskChecks()', () => {
  test('find a folder that is well, and leave nothing in it', async () => {
    await using folder = await temporaryFolder();
    const findings = await runChecks(diskChecks(folder.path, systemClock), systemClock);
    expect(findings.map(({ name }) => name)).toEqual([
      'data-folder',
      'file-system',
      'disk-space',
      'inodes',
      'disk-sync',
    ]);
    expect(findings[0]).toMatchObject({ state: 'ok' });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('name a folder that is not there', async () => {
    const [finding] = await runChecks(diskChecks('/nowhere/at/all', systemClock), systemClock);
    expect(finding).toMatchObject({ state: 'failed', detail: expect.stringContaining('ENOENT') });
  });

  test('describeFileSystem() knows network shares, layers of containers and what it does not know', () => {
    expect(describeFileSystem(26985)).toEqual({ name: 'NFS', trouble: 'network' });
    expect(describeFileSystem(2035054128).trouble).toBe('container');
    expect(describeFileSystem(61267)).toEqual({ name: 'ext4' });
    expect(describeFileSystem(1)).toEqual({ name: 'an unknown file system (0x1)' });
  });
});

describe('clockCheck()', () => {
  test.each([
    ['a clock that is right', NOON_MS, NOON_MS - 1, 'ok'],
    ['a clock that was never set', 1_000, 0, 'failed'],
    ['a clock that went back', NOON_MS, NOON_MS + 86_400_000, 'warning'],
  ])('%s', async (_what, nowMs, newestMs, state) => {
    const clock = { ...systemClock, nowMs: () => nowMs };
    expect(await only(clockCheck(clock, async () => newestMs))).toMatchObject({ state });
  });
});

describe('databaseCheck()', () => {
  const clock = { ...systemClock, nowMs: () => NOON_MS };
  test.each([
    ['not looked through yet', null, [], 'ok'],
    ['sound', NOON_MS - 86_400_000, [], 'ok'],
    ['not looked through for long', NOON_MS - 40 * 86_400_000, [], 'warning'],
    ['damaged', NOON_MS, ['row 1 missing'], 'failed'],
  ])('%s', async (_what, checkedAtMs, problems, state) => {
    expect(await only(databaseCheck(clock, () => ({ checkedAtMs, problems })))).toMatchObject({ state });
  });

  test('stoppedDatabaseCheck() has a finding for each problem', async () => {
    const check = stoppedDatabaseCheck(async () => ({ kind: 'checked', schema: 2, problems: ['a', 'b'] }));
    expect((await runChecks([check], systemClock)).map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(await only(stoppedDatabaseCheck(async () => ({ kind: 'none' })))).toMatchObject({ state: 'ok' });
  });
});

describe('the network', () => {
  test('portIsFree() and portAnswers() say who is at a port', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await only(portIsFree('127.0.0.1', port))).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('EADDRINUSE'),
    });
    expect(await only(portAnswers('0.0.0.0', port))).toMatchObject({ state: 'ok' });
    await new Promise((resolve) => server.close(resolve));
    expect(await only(portIsFree('127.0.0.1', port))).toMatchObject({ state: 'ok' });
    expect(await only(portAnswers('127.0.0.1', port))).toMatchObject({ state: 'failed' });
  });

  test.each([
    ['0.0.0.0', ['192.168.1.2', '2001:db8::1'], 'ok', '--host ::'],
    ['0.0.0.0', ['192.168.1.2', 'fe80::1'], 'ok', null],
    ['::', ['192.168.1.2', 'fd00::1'], 'ok', null],
    ['0.0.0.0', [], 'warning', 'network'],
  ])('addressFamilies() on %s with %p', async (host, addresses, state, hint) => {
    const own = [
      ...addresses.map((address) => ({ address, internal: false })),
      { address: '127.0.0.1', internal: true },
    ];
    const finding = await only(addressFamilies(host, () => own));
    expect(finding.state).toBe(state as 'ok');
    if (hint === null) expect(finding.hint).toBeNull();
    else expect(finding.hint).toContain(hint);
  });
});

describe('a running Larder', () => {
  test('threadCheck() tells of threads that died', async () => {
    expect(await only(threadCheck(() => ({ alive: 1, most: 2, died: 0 })))).toMatchObject({ state: 'ok' });
    expect(await only(threadCheck(() => ({ alive: 1, most: 2, died: 3 })))).toMatchObject({ state: 'warning' });
  });

  test('forwardingCheck() names the setting for a proxy that is not trusted', async () => {
    const none = { trustedProxies: [], untrusted: null, trustedAtMs: null };
    expect(await only(forwardingCheck(() => none, systemClock))).toMatchObject({ state: 'ok' });
    const untrusted = { address: '10.0.0.9', atMs: NOON_MS };
    expect(await only(forwardingCheck(() => ({ ...none, untrusted }), systemClock))).toMatchObject({
      state: 'warning',
      hint: 'if it is your reverse proxy, set LARDER_TRUSTED_PROXIES=10.0.0.9',
    });
    expect(await only(forwardingCheck(() => ({ ...none, trustedProxies: ['10.0.0.1'] }), systemClock))).toMatchObject({
      state: 'warning',
    });
    expect(
      await only(forwardingCheck(() => ({ ...none, trustedProxies: ['10.0.0.1'], trustedAtMs: 1 }), systemClock)),
    ).toMatchObject({ state: 'ok' });
  });

  test('settingsCheck() names what waits for a restart', async () => {
    expect(
      await only(
        settingsCheck(
          () => [],
          () => [],
        ),
      ),
    ).toMatchObject({ state: 'ok' });
    expect(
      await only(
        settingsCheck(
          () => ['Download threads'],
          () => [],
        ),
      ),
    ).toMatchObject({
      state: 'warning',
      detail: 'changed and not in force yet: Download threads',
    });
  });

  test('knownSources() tells how each fares, and asks none', async () => {
    const state = { lastSuccessAt: null, lastErrorAt: null, lastErrorText: null, hint: null, failingSince: null };
    const clock = { ...systemClock, nowMs: () => NOON_MS };
    const check = knownSources(
      () => [
        { name: 'new', state: undefined },
        { name: 'well', state: { ...state, lastSuccessAt: NOON_MS - 1 } },
        {
          name: 'ill',
          state: { ...state, failingSince: NOON_MS - 7_200_000, lastErrorText: 'it is off', hint: 'turn it on' },
        },
      ],
      clock,
    );
    expect((await runChecks([check], clock)).map(({ state, detail, hint }) => [state, detail, hint])).toEqual([
      ['unknown', 'source new was not asked for anything yet', expect.any(String)],
      ['ok', 'source well answered within the hour', null],
      ['failed', 'source ill fails, the first time 2 hours ago: it is off', 'turn it on'],
    ]);
    expect(await only(knownSources(() => [], clock))).toMatchObject({ state: 'warning' });
  });
});
