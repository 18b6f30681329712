// Everything working with no set-up: the sample library behind a slow origin on this machine, played cold, sought,
// played again; then the page stays up.
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { readTlsSettings } from '../access/server-certificate.ts';
import type { Clock } from '../clock.ts';
import { type Configuration, readConfiguration } from '../config.ts';
import { LarderError } from '../errors.ts';
import { sampleFilms } from '../runtime/embedded.ts';
import type { Command, CommandContext } from './command.ts';
import { addressOf, runUntilSignal, startFromCommand } from './running-appliance.ts';
import { startSlowOrigin } from './slow-origin.ts';

const LATENCY_MS = 80;
const BYTES_PER_SECOND = 5e6;
const FOLDER = 'larder-demo-data';
/** Only a folder that the demo made is emptied by it. */
const MARKER = '.made-by-larder-demo';

interface Measurement {
  readonly what: string;
  readonly status: number;
  readonly cache: string;
  readonly firstByteMs: number;
  readonly bytesPerSecond: number;
  readonly originBytes: number;
}

async function measure(
  what: string,
  url: string,
  range: string | null,
  clock: Clock,
  sentBytes: () => number,
): Promise<Measurement> {
  const before = sentBytes();
  const startedAtMs = clock.monotonicMs();
  const response = await fetch(url, range === null ? {} : { headers: { range } });
  let firstByteMs: number | null = null;
  let bytes = 0;
  for await (const part of response.body ?? []) {
    firstByteMs ??= clock.monotonicMs() - startedAtMs;
    bytes += part.length;
  }
  const seconds = (clock.monotonicMs() - startedAtMs) / 1_000;
  return {
    what,
    status: response.status,
    cache: response.headers.get('x-cache') ?? 'none',
    firstByteMs: firstByteMs ?? 0,
    bytesPerSecond: bytes / seconds,
    originBytes: sentBytes() - before,
  };
}

function formatTable(rows: readonly Measurement[]): string {
  const cells = [
    ['what', 'status', 'X-Cache', 'first byte', 'throughput', 'from the origin'],
    ...rows.map((row) => [
      row.what,
      String(row.status),
      row.cache,
      `${row.firstByteMs.toFixed(row.firstByteMs < 10 ? 1 : 0)} ms`,
      `${(row.bytesPerSecond / 1e6).toFixed(1)} MB/s`,
      `${(row.originBytes / 1e6).toFixed(2)} MB`,
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map(
      (row) =>
        `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('   ')}`,
    )
    .join('\n');
}

/** The demo's own folder, empty; a folder named by the user is used as it is. */
function prepareFolder(configuration: Configuration): { data: string; temporary: boolean } {
  if (configuration.origins.data !== 'default') return { data: configuration.settings.data, temporary: false };
  const data = resolve(FOLDER);
  if (existsSync(data) && !existsSync(join(data, MARKER))) {
    throw new LarderError('data-folder', `${data} exists and was not made by the demo`, {
      hint: 'move it away, or name a folder for the demo with --data DIR',
    });
  }
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(join(data, MARKER), '');
  return { data, temporary: true };
}

/** Good for this run: the folder goes with it. */
function newPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const pick = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]!).join('');
  return `${pick()}-${pick()}`;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, host, () => probe.close(() => done(true)));
  });
}

async function showMainJob(context: CommandContext, base: string, sentBytes: () => number): Promise<void> {
  const { clock } = context;
  const address = (name: string) => `${base}/s/samples/${encodeURIComponent(name)}`;
  const rows: Measurement[] = [];
  const play = async (what: string, name: string, range: string | null = null) => {
    rows.push(await measure(what, address(name), range, clock, sentBytes));
  };
  context.print(
    `\nThe sample library is behind a line of ${LATENCY_MS} ms and ${BYTES_PER_SECOND / 1e6} MB/s. Playing …\n`,
  );
  await play('Harbour Lights, whole, cold', 'Harbour Lights (2019).mp4');
  await play('Harbour Lights, whole, again', 'Harbour Lights (2019).mp4');
  await play('Winter Signal, seek to 600,000, cold', 'Winter Signal (2021).mkv', 'bytes=600000-799999');
  await play('Winter Signal, the same place again', 'Winter Signal (2021).mkv', 'bytes=600000-799999');
  await play('Winter Signal, whole, partly cached', 'Winter Signal (2021).mkv');
  await play('Night Train 480p, whole, cold', 'Night Train (2023).480p.mp4');
  await play('Night Train 1080p, last 64 KiB, cold', 'Night Train (2023).1080p.mp4', 'bytes=-65536');
  context.print(formatTable(rows));
}

export const demo: Command = {
  name: 'demo',
  summary: 'serve a sample library behind a slow origin, to see everything working',
  describe:
    () => `Plays a few small films through Larder from an origin on this machine that is made slow, prints what it
measured, and stays up with the page until it is stopped. Takes the options of serve. Its data goes to ./${FOLDER},
which is removed at the end, unless --data names a folder.`,
  async run(context) {
    const given = readConfiguration(context);
    if (readTlsSettings(given.settings) !== null) {
      throw new LarderError('usage', 'the demo plays over plain http', { hint: 'leave out --tls and --tls-cert' });
    }
    const { data, temporary } = prepareFolder(given);
    const origin = await startSlowOrigin({
      files: sampleFilms,
      latencyMs: LATENCY_MS,
      bytesPerSecond: BYTES_PER_SECOND,
      clock: context.clock,
    });
    try {
      const { settings } = given;
      // The usual port where it is free, so that the demo also runs beside a Larder that is at work.
      const isFixed = given.origins.port !== 'default';
      const port = isFixed || (await isFree(settings.host, settings.port)) ? settings.port : 0;
      const source = [...settings.source, `samples=${origin.url}`];
      const isOwnerGiven = given.origins.adminPassword !== 'default' || !temporary;
      const owner = isOwnerGiven ? {} : { adminUser: 'demo', adminPassword: newPassword() };
      const configuration = { ...given, settings: { ...settings, data, port, source, ...owner } };
      const appliance = await startFromCommand(context, configuration);
      await showMainJob(context, `http://127.0.0.1:${appliance.port}${settings.basePath}`, origin.sentBytes);
      const signIn =
        owner.adminUser === undefined ? '' : `\nSign in as:      ${owner.adminUser}, password ${owner.adminPassword}`;
      context.print(`
Open the page:   http://localhost:${appliance.port}${settings.basePath}/${signIn}
Play a film:     ${addressOf(appliance).replace('0.0.0.0', 'localhost')}${settings.basePath}/s/samples/Winter%20Signal%20(2021).mkv
Stop with Ctrl-C.`);
      return await runUntilSignal(context, appliance);
    } finally {
      origin.stop();
      if (temporary) rmSync(data, { recursive: true, force: true });
    }
  },
};
