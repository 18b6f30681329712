// The compiled binary, alone, where users put it.
import { beforeAll, describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { RawConnection, rawRequest } from '../http/raw-client.ts';
import { startOrigin } from '../support/origin.ts';
import { signedIn } from '../support/owner.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { mediaSmoke } from './media-smoke.ts';
import { binary, findCommand, root, run, startProgram } from './program.ts';
import { smoke } from './smoke.ts';

const SECOND_MS = 1_000;
const NOBODY_IN_PASSWD = 54_321;

beforeAll(() => {
  if (!existsSync(binary)) throw new Error('dist/larder is missing: run "npm run build"');
});

test(
  'the binary serves from an empty folder, cold, warm and with the origin stopped',
  async () => {
    await using folder = await temporaryFolder();
    copyFileSync(binary, folder.file('larder'));
    chmodSync(folder.file('larder'), 0o755);
    const program = [folder.file('larder')];
    await smoke({ program, dataFolder: folder.file('data'), cwd: folder.path });
    await mediaSmoke({ program, dataFolder: folder.file('media'), cwd: folder.path });
  },
  60 * SECOND_MS,
);

test('version prints one line', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const result = await run({ command: [binary, 'version'] });
  expect(result).toEqual({ code: 0, stdout: `larder ${version} linux-${process.arch}\n`, stderr: '' });
});

test(
  'a user without passwd entry and HOME, with a noexec or missing temp folder, is served',
  async () => {
    if (process.getuid?.() !== 0) throw new Error('this test starts the binary as another user: run it as root');
    await using folder = await temporaryFolder();
    chmodSync(folder.path, 0o755);
    const data = folder.file('data');
    mkdirSync(data);
    chownSync(data, NOBODY_IN_PASSWD, NOBODY_IN_PASSWD);
    copyFileSync(binary, folder.file('larder'));
    chmodSync(folder.file('larder'), 0o755);
    const environment = { TMPDIR: '/does/not/exist', BUN_TMPDIR: '/does/not/exist' };
    await smoke({
      program: [folder.file('larder')],
      dataFolder: data,
      cwd: folder.path,
      environment,
      uid: NOBODY_IN_PASSWD,
    });
  },
  30 * SECOND_MS,
);

test(
  'a noexec temp folder does not matter',
  async () => {
    await using folder = await temporaryFolder();
    const script = `mount -t tmpfs -o noexec,size=64m none "$1" && cd "$2" && export TMPDIR="$1" &&
    exec "$3" serve --data "$2/data" --host 127.0.0.1 --port 0`;
    const temporary = folder.file('tmp');
    mkdirSync(temporary);
    // A mount namespace of its own: nothing of it is left on the machine.
    await using larder = await startProgram({
      command: ['unshare', '--mount', 'sh', '-c', script, 'sh', temporary, folder.path, binary],
    });
    expect((await rawRequest(larder.port, '/healthz')).status).toBe(200);
  },
  20 * SECOND_MS,
);

test(
  '.env and bunfig.toml in the working directory have no effect',
  async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('.env'), 'LARDER_PORT=1\nLARDER_HOST=256.256.256.256\n');
    writeFileSync(folder.file('preload.ts'), "console.log('foreign code ran'); process.exit(9);");
    writeFileSync(folder.file('bunfig.toml'), 'preload = ["./preload.ts"]\n');
    await using larder = await startProgram({
      command: [binary, 'serve', '--data', 'data', '--host', '127.0.0.1', '--port', '0'],
      cwd: folder.path,
    });
    expect(larder.stdout()).not.toContain('foreign');
    expect((await rawRequest(larder.port, '/healthz')).status).toBe(200);
  },
  20 * SECOND_MS,
);

test(
  'ffmpeg plays a film through it: whole, sought, and with moov at the end',
  async () => {
    const ffmpeg = findCommand('ffmpeg');
    if (ffmpeg === null) return;
    await using folder = await temporaryFolder();
    await using larder = await startProgram({
      command: [binary, 'demo', '--data', folder.file('data'), '--host', '127.0.0.1', '--port', '0'],
      cwd: folder.path,
    });
    const frames = (name: string, seek: string[]) => {
      const address = `http://127.0.0.1:${larder.port}/s/samples/${encodeURIComponent(name)}`;
      const result = spawnSync(ffmpeg, [
        '-v',
        'error',
        '-xerror',
        ...seek,
        '-i',
        address,
        '-map',
        '0:v',
        '-f',
        'framecrc',
        '-',
      ]);
      expect(result.stderr.toString()).toBe('');
      return result.stdout.toString();
    };
    const direct = (name: string, seek: string[]) => {
      const file = join(root, 'test/fixtures/sample-library', name);
      return spawnSync(ffmpeg, [
        '-v',
        'error',
        ...seek,
        '-i',
        file,
        '-map',
        '0:v',
        '-f',
        'framecrc',
        '-',
      ]).stdout.toString();
    };
    for (const name of ['Harbour Lights (2019).mp4', 'Winter Signal (2021).mkv', 'Night Train (2023).1080p.mp4']) {
      for (const seek of [[], ['-ss', '11']]) {
        const played = frames(name, seek);
        expect(played.length).toBeGreaterThan(1_000);
        expect(played === direct(name, seek)).toBe(true);
      }
    }
  },
  120 * SECOND_MS,
);

test(
  'demo shows the main job in figures',
  async () => {
    await using folder = await temporaryFolder();
    await using larder = await startProgram({ command: [binary, 'demo', '--port', '0'], cwd: folder.path });
    while (!larder.stdout().includes('Stop with Ctrl-C')) await new Promise((resolve) => setImmediate(resolve));
    const rows = larder
      .stdout()
      .split('\n')
      .filter((line) => / (MISS|HIT|PARTIAL) /.test(line));
    expect(rows.length).toBe(7);
    expect(rows[0]).toMatch(/cold +200 +MISS/);
    expect(rows[1]).toMatch(/again +200 +HIT .* 0\.00 MB$/);
    const { code } = await larder.end();
    expect(code).toBe(0);
    expect(existsSync(folder.file('larder-demo-data'))).toBe(false);
  },
  60 * SECOND_MS,
);

describe('wrong usage: exit 2, one line that names the setting and what to do', () => {
  const cases: [args: string[], says: RegExp][] = [
    [['sreve'], /no command "sreve".*serve/],
    [['--prot', '1'], /unknown option --prot.*--port/],
    [['--port', 'abc'], /--port.*"abc".*whole number/],
    [['--port', '70000'], /--port.*70000/],
    [['--port'], /--port needs a value/],
    [['--source', 'films'], /has no name|NAME=URL/],
    [['--source', 'films=nonsense'], /"films": the URL is not a URL/],
    [['--source', 'films=ftp://host/'], /not http or https/],
    [['--source', 'a/b=http://host/'], /cannot stand in an address/],
    [['--source', 'films=http://host/?q=1'], /query/],
    [['--config', '/does/not/exist.toml'], /exist\.toml.*cannot be read/],
    [['--read-ahead', 'lots'], /--read-ahead.*size/],
    [['--background-fill', 'maybe'], /neither on nor off/],
    [['extra'], /no command "extra"/],
    [['serve', 'extra'], /unexpected argument "extra"/],
  ];
  for (const [args, says] of cases) {
    test(args.join(' '), async () => {
      await using folder = await temporaryFolder();
      const result = await run({ command: [binary, ...args], cwd: folder.path });
      expect([result.code, result.stdout]).toEqual([2, '']);
      expect(result.stderr.trim().split('\n').length).toBe(1);
      expect(result.stderr).toMatch(says);
    });
  }
});

describe('a data folder that cannot be used: exit 1, one line, nothing touched', () => {
  const attempt = (data: string, options: { uid?: number; cwd?: string } = {}) =>
    run({ command: [binary, 'serve', '--data', data, '--host', '127.0.0.1', '--port', '0'], ...options });
  const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

  test('not writable', async () => {
    await using folder = await temporaryFolder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.file('data'), { mode: 0o755 });
    copyFileSync(binary, folder.file('larder'));
    chmodSync(folder.file('larder'), 0o755);
    const result = await run({
      command: [folder.file('larder'), 'serve', '--data', folder.file('data'), '--port', '0'],
      cwd: folder.path,
      uid: NOBODY_IN_PASSWD,
    });
    expect(result.code).toBe(1);
    expect(lastLine(result.stderr)).toMatch(/cannot be used: EACCES.*--data DIR/);
  });

  test('a file is in its way', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('data'), '');
    const result = await attempt(folder.file('data'));
    expect([result.code, lastLine(result.stderr)]).toEqual([
      1,
      expect.stringMatching(/cannot be used.*a file is in its way/),
    ]);
  });

  test('on a full disk', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(folder.file('disk'));
    const script = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" serve --data "$1/data" --port 0';
    const result = await run({
      command: ['unshare', '--mount', 'sh', '-c', script, 'sh', folder.file('disk'), binary],
    });
    expect(result.code).toBe(1);
    expect(lastLine(result.stderr)).toMatch(/cannot be used: ENOSPC.*the disk is full/);
  });

  test(
    'in use by another Larder, which is named; free again when that one is killed',
    async () => {
      await using folder = await temporaryFolder();
      const command = [binary, 'serve', '--data', folder.file('data'), '--host', '127.0.0.1', '--port', '0'];
      await using first = await startProgram({ command });
      const second = await run({ command });
      expect(second.code).toBe(1);
      expect(lastLine(second.stderr)).toContain(`in use by another Larder (pid ${first.pid})`);
      expect((await rawRequest(first.port, '/healthz')).status).toBe(200);
      await first.end('SIGKILL');
      await using third = await startProgram({ command });
      expect((await rawRequest(third.port, '/healthz')).status).toBe(200);
    },
    20 * SECOND_MS,
  );

  test(
    'from a newer version',
    async () => {
      await using folder = await temporaryFolder();
      const command = [binary, 'serve', '--data', folder.file('data'), '--host', '127.0.0.1', '--port', '0'];
      await (await startProgram({ command })).end();
      const { connect } = await import('../../src/db/database.ts');
      const client = connect(join(folder.file('data'), 'larder.db'));
      await client.execute("INSERT INTO schema_migrations VALUES (999, 'future', 'x', 0)");
      client.close();
      const result = await run({ command });
      expect(result.code).toBe(1);
      expect(lastLine(result.stderr)).toMatch(/schema 999.*newer Larder/);
    },
    20 * SECOND_MS,
  );
});

test(
  'a database that is none: Larder starts with a new one, says so, and keeps what lay there',
  async () => {
    await using folder = await temporaryFolder();
    const data = folder.file('data');
    mkdirSync(data);
    writeFileSync(join(data, 'larder.db'), 'this is not a database, '.repeat(500));
    const before = readFileSync(join(data, 'larder.db'));
    await using larder = await startProgram({
      command: [binary, 'serve', '--data', data, '--host', '127.0.0.1', '--port', '0'],
    });
    expect((await rawRequest(larder.port, '/healthz')).status).toBe(200);
    expect(larder.stderr()).toMatch(/the database is damaged[\s\S]*a new database is made/);
    const [kept = ''] = readdirSync(join(data, 'damaged'));
    expect(readFileSync(join(data, 'damaged', kept, 'larder.db')).equals(before)).toBe(true);
    expect((await larder.end()).code).toBe(0);
  },
  20 * SECOND_MS,
);

test('a port that is taken: one line that names it', async () => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin();
  const result = await run({
    command: [binary, 'serve', '--data', folder.file('data'), '--host', '127.0.0.1', '--port', String(origin.port)],
  });
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(new RegExp(`cannot listen on 127.0.0.1 port ${origin.port}.*--port`));
});

test(
  'settings come from flag, environment and file, in this order',
  async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
    writeFileSync(
      folder.file('larder.toml'),
      `port = 1\nhost = "127.0.0.1"\nsource = ["toml=${origin.url}"]\ndata = "from-file"\n`,
    );
    await using larder = await startProgram({
      command: [binary, '--port', '0', '--config', 'larder.toml'],
      cwd: folder.path,
      environment: { LARDER_DATA: 'from-environment', LARDER_PORT: '2', LARDER_DTAA: 'x' },
    });
    origin.assertBody('a.bin', (await rawRequest(larder.port, '/s/toml/a.bin')).body);
    expect(existsSync(folder.file('from-environment/larder.db'))).toBe(true);
    expect(larder.stderr()).toContain('LARDER_DTAA is not known; did you mean LARDER_DATA?');
  },
  20 * SECOND_MS,
);

test(
  'credentials in a source URL reach the origin and nothing else',
  async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
    const url = origin.url.replace('http://', 'http://user:s3cret@');
    await using larder = await startProgram({
      command: [binary, '--data', folder.file('data'), '--port', '0', '--log-level', 'debug', '--source', `own=${url}`],
    });
    await rawRequest(larder.port, '/s/own/a.bin');
    expect(origin.requests[0]?.headers.authorization).toBe(`Basic ${btoa('user:s3cret')}`);
    const page = Buffer.from(
      (await rawRequest(larder.port, '/', (await signedIn(folder.file('data'))).headers)).body,
    ).toString();
    await larder.end();
    const stored = spawnSync('grep', ['-r', '-c', 's3cret', folder.file('data')]).stdout.toString();
    expect(page + larder.stderr() + larder.stdout()).not.toContain('s3cret');
    expect(stored.split('\n').filter((line) => line !== '' && !line.endsWith(':0'))).toEqual([]);
  },
  20 * SECOND_MS,
);

test(
  'doctor finds what is wrong and says what to do',
  async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
    const well = await run({
      command: [binary, 'doctor', '--data', folder.file('data'), '--port', '0', '--source', `own=${origin.url}`],
    });
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(well.stdout).toMatch(/ok +source own answers/);
    await origin.goDown();
    const ill = await run({
      command: [binary, 'doctor', '--data', folder.file('data'), '--port', '0', '--source', `own=${origin.url}`],
    });
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/ERROR +source own.*cannot be reached[\s\S]*→/);
  },
  20 * SECOND_MS,
);

test('help names every command and option', async () => {
  const overview = await run({ command: [binary, 'help'] });
  for (const name of ['serve', 'demo', 'doctor', 'version']) expect(overview.stdout).toContain(`  ${name}`);
  const serve = await run({ command: [binary, 'help', 'serve'] });
  for (const option of ['--data', '--port', '--source', '--config', 'LARDER_READ_AHEAD'])
    expect(serve.stdout).toContain(option);
  expect([overview.code, serve.code]).toEqual([0, 0]);
});

test(
  'kill -9 in the middle of a fetch: no wrong byte afterwards',
  async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 30_000_000 } } });
    origin.behave('film.mkv', { bytesPerSecond: 30_000_000 });
    const command = [binary, '--data', folder.file('data'), '--port', '0', '--source', `films=${origin.url}`];
    for (const killAfterBytes of [100_000, 5_000_000, 14_000_000]) {
      await using larder = await startProgram({ command });
      const started = origin.bytesSent('film.mkv');
      const reading = rawRequest(larder.port, '/s/films/film.mkv').catch(() => null);
      await origin.until(() => origin.bytesSent('film.mkv') >= started + killAfterBytes);
      await larder.end('SIGKILL');
      await reading;
    }
    await using larder = await startProgram({ command });
    const response = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(response.isWhole).toBe(true);
    origin.assertBody('film.mkv', response.body);
  },
  60 * SECOND_MS,
);

describe('SIGTERM', () => {
  const FILM_BYTES = 12_000_000;
  const command = (data: string, origin: { url: string }) => [
    binary,
    '--data',
    data,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--read-ahead',
    '4MiB',
    '--source',
    `films=${origin.url}`,
  ];

  /** What is recorded of each film, by its path; and what SQLite says of the file. */
  async function recorded(data: string): Promise<{ path: string; start: number; end: number }[]> {
    const { connect, checkDatabase } = await import('../../src/db/database.ts');
    const client = connect(join(data, 'larder.db'));
    try {
      expect(await checkDatabase({ client })).toEqual([]);
      const integrity = await client.execute('PRAGMA integrity_check');
      expect(integrity.rows.map((row) => row[0])).toEqual(['ok']);
      const result = await client.execute(
        `SELECT v.path, c.start, c."end" FROM cache_chunks c JOIN cache_generations g ON g.id = c.generation_id
         JOIN cache_entries e ON e.id = g.entry_id JOIN cache_quality_variants v ON v.media_id = e.media_id`,
      );
      return result.rows.map((row) => ({ path: String(row.path), start: Number(row.start), end: Number(row.end) }));
    } finally {
      client.close();
    }
  }

  test(
    'invariant 1: while 20 readers stream and downloads run: exit 0 within 5 s, readers of cached bytes are cut last, and every recorded byte is there afterwards',
    async () => {
      await using folder = await temporaryFolder();
      await using origin = await startOrigin();
      const data = folder.file('data');
      await using larder = await startProgram({ command: command(data, origin) });
      for (let index = 0; index < 4; index++) {
        origin.addFile(`cached${index}.mkv`, { sizeBytes: 20 * FILM_BYTES });
        origin.addFile(`slow${index}.mkv`, { sizeBytes: FILM_BYTES });
        origin.addFile(`download${index}.mkv`, { sizeBytes: FILM_BYTES });
        const start = `/s/films/cached${index}.mkv`;
        const head = await rawRequest(larder.port, start, { Range: 'bytes=0-9999999' });
        expect(head.isWhole).toBe(true);
        await rawRequest(larder.port, `/s/films/download${index}.mkv`, { Range: 'bytes=0-99' });
        for (const name of [`slow${index}.mkv`, `download${index}.mkv`])
          origin.behave(name, { bytesPerSecond: 500_000 });
      }
      const { headers } = await signedIn(data);
      for (let entry = 1; entry <= 8; entry++) {
        await rawRequest(larder.port, `/entries/${entry}/fetch`, { ...headers, 'Content-Length': '0' }, 'POST');
      }
      await using readers = new AsyncDisposableStack();
      const cached: RawConnection[] = [];
      for (let number = 0; number < 20; number++) {
        const connection = readers.use(await RawConnection.open(larder.port));
        const isCached = number % 2 === 0;
        const name = `${isCached ? 'cached' : 'slow'}${number % 4}.mkv`;
        connection.send('GET', `/s/films/${name}`, isCached ? { Range: 'bytes=0-9999999' } : {});
        await connection.readHead();
        origin.assertBody(name, await connection.readBytes(20_000));
        if (isCached) {
          connection.pause();
          cached.push(connection);
        }
      }
      const startedAtMs = performance.now();
      const ending = larder.end('SIGTERM');
      // A reader of what is cached goes on: the whole of what it asked for still comes.
      const [first] = cached;
      first!.resume();
      const rest = await first!.readBytes(10_000_000 - 20_000);
      expect(rest.length).toBe(10_000_000 - 20_000);
      origin.assertBody('cached0.mkv', rest, 20_000);
      const { code, stderr } = await ending;
      const tookMs = performance.now() - startedAtMs;
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(5_000);
      expect(stderr).not.toMatch(/unhandled|did not stop/);
      const ranges = await recorded(data);
      expect(ranges.some(({ path }) => path.startsWith('slow'))).toBe(true);
      await origin.goDown();
      await using again = await startProgram({ command: command(data, origin) });
      for (const { path, start, end } of ranges) {
        const part = await rawRequest(again.port, `/s/films/${path}`, { Range: `bytes=${start}-${end - 1}` });
        expect([path, part.status, part.isWhole, part.header('x-cache')]).toEqual([path, 206, true, 'HIT']);
        origin.assertBody(path, part.body, start);
      }
    },
    120 * SECOND_MS,
  );

  test('a second SIGTERM while it stops changes nothing: it ends with 0', async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: FILM_BYTES } } });
    await using larder = await startProgram({ command: command(folder.file('data'), origin) });
    origin.behave('film.mkv', { bytesPerSecond: 4_000_000 });
    using connection = await RawConnection.open(larder.port);
    connection.send('GET', '/s/films/film.mkv');
    await connection.readHead();
    const ending = larder.end('SIGTERM');
    process.kill(larder.pid, 'SIGTERM');
    expect((await ending).code).toBe(0);
  });

  test(
    'a second SIGTERM while it stops costs no byte that was recorded',
    async () => {
      await using folder = await temporaryFolder();
      await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: FILM_BYTES } } });
      const data = folder.file('data');
      await using larder = await startProgram({ command: command(data, origin) });
      origin.behave('film.mkv', { bytesPerSecond: 4_000_000 });
      using connection = await RawConnection.open(larder.port);
      connection.send('GET', '/s/films/film.mkv');
      await connection.readHead();
      await connection.readBytes(1_000_000);
      const startedAtMs = performance.now();
      const ending = larder.end('SIGTERM');
      process.kill(larder.pid, 'SIGTERM');
      expect((await ending).stderr).not.toMatch(/unhandled/);
      expect(performance.now() - startedAtMs).toBeLessThan(5_000);
      const ranges = await recorded(data);
      await origin.goDown();
      await using again = await startProgram({ command: command(data, origin) });
      for (const { path, start, end } of ranges) {
        const part = await rawRequest(again.port, `/s/films/${path}`, { Range: `bytes=${start}-${end - 1}` });
        expect([part.isWhole, part.header('x-cache')]).toEqual([true, 'HIT']);
        origin.assertBody(path, part.body, start);
      }
    },
    20 * SECOND_MS,
  );

  test(
    'at any moment of its start: it ends by itself, and the next start is in order',
    async () => {
      await using folder = await temporaryFolder();
      await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 100_000 } } });
      const data = folder.file('data');
      const [file = '', ...args] = command(data, origin);
      for (let round = 0; round < 6; round++) {
        const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '' } });
        const ended = new Promise<[number | null, string | null]>((resolve) => {
          child.once('close', (code, signal) => resolve([code, signal]));
        });
        // From before its first instruction to after it listens, wherever this machine is by then.
        for (let turn = 0; turn < round * 8; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
        child.kill('SIGTERM');
        const [code, signal] = await ended;
        // Before it can listen to signals it dies of it, as any program does.
        expect([round, code === 0 || signal === 'SIGTERM']).toEqual([round, true]);
      }
      await using larder = await startProgram({ command: [file, ...args] });
      const response = await rawRequest(larder.port, '/s/films/film.mkv');
      origin.assertBody('film.mkv', response.body);
      expect((await larder.end()).code).toBe(0);
      await recorded(data);
    },
    30 * SECOND_MS,
  );
});

test('a symbolic link to the binary works', async () => {
  await using folder = await temporaryFolder();
  symlinkSync(binary, folder.file('link'));
  expect((await run({ command: [folder.file('link'), 'version'], cwd: folder.path })).code).toBe(0);
});
