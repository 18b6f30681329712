// Looks at everything Larder needs, and says what is wrong and what to do about it.
import { open, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Configuration, readConfiguration } from '../config.ts';
import { describeError, LarderError } from '../errors.ts';
import { buildTarget, buildVersion } from '../runtime/embedded.ts';
import { credentialHeaders } from '../sources/http-credentials.ts';
import { parseSourceSetting } from '../sources/http-source.ts';
import { OriginClient } from '../sources/origin-client.ts';
import type { Command, CommandContext } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';
import { optionHelp } from './option-help.ts';

interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly text: string;
  readonly hint?: string;
}

type Check = (configuration: Configuration, clock: Clock) => Promise<Finding[]>;

/** `f_type` of statfs(2) for file systems on which SQLite's locks or sparse files do not work. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
};
const FAT_FILE_SYSTEMS: Readonly<Record<number, string>> = { 19780: 'FAT', 538032816: 'exFAT' };

const FREE_BYTES_LOW = 1e9;
const SYNC_SLOW_MS = 100;
const PROBE_BYTES = 64 * 1024;

const checkDataFolder: Check = async ({ settings }, clock) => {
  const { path } = prepareDataFolder(settings.data);
  const findings: Finding[] = [{ level: 'ok', text: `the data folder ${path} can be written` }];
  const disk = await statfs(path);
  const freeBytes = disk.bavail * disk.bsize;
  const free = `${(freeBytes / 1e9).toFixed(1)} GB are free on its disk`;
  findings.push(
    freeBytes < FREE_BYTES_LOW
      ? { level: 'warning', text: free, hint: 'make room, or choose a larger disk with --data DIR' }
      : { level: 'ok', text: free },
  );
  const network = NETWORK_FILE_SYSTEMS[disk.type];
  const fat = FAT_FILE_SYSTEMS[disk.type];
  if (network !== undefined) {
    findings.push({
      level: 'error',
      text: `the data folder is on ${network}`,
      hint: 'a database on a network share gets corrupted: use a local disk',
    });
  } else if (fat !== undefined) {
    findings.push({
      level: 'error',
      text: `the data folder is on ${fat}`,
      hint: 'it has no sparse files: use a disk with ext4, xfs, btrfs or zfs',
    });
  }
  return [...findings, ...(await measureSync(path, clock))];
};

async function measureSync(folder: string, clock: Clock): Promise<Finding[]> {
  const file = join(folder, `doctor-${clock.nowMs()}`);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.write(new Uint8Array(PROBE_BYTES), 0, PROBE_BYTES, 1024 * PROBE_BYTES);
    const startedAtMs = clock.monotonicMs();
    await handle.datasync();
    const syncMs = clock.monotonicMs() - startedAtMs;
    const { blocks } = await stat(file);
    const isSparse = blocks * 512 < 512 * PROBE_BYTES;
    return [
      syncMs > SYNC_SLOW_MS
        ? {
            level: 'warning',
            text: `writing to the disk for good takes ${syncMs.toFixed(0)} ms`,
            hint: 'this is slow even for an SD card: a USB disk is better',
          }
        : { level: 'ok', text: `writing to the disk for good takes ${syncMs.toFixed(1)} ms` },
      isSparse
        ? { level: 'ok', text: 'the file system keeps sparse files' }
        : {
            level: 'warning',
            text: 'the file system fills the holes of sparse files',
            hint: 'a seek into a large film takes its whole length on the disk',
          },
    ];
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}

const checkDatabase: Check = async ({ settings }) => {
  const { path } = prepareDataFolder(settings.data);
  const { inspectDatabase } = await import('../db/inspect.ts');
  const result = await inspectDatabase(path);
  if (result.kind === 'none') return [{ level: 'ok', text: 'there is no database yet; the first start makes it' }];
  if (result.kind === 'in-use')
    return [{ level: 'ok', text: `the database is in use by a running Larder (pid ${result.pid})` }];
  return result.problems.length === 0
    ? [{ level: 'ok', text: `the database is sound (schema ${result.schema})` }]
    : result.problems.map((problem) => ({
        level: 'error' as const,
        text: `the database is damaged: ${problem}`,
        hint: 'move larder.db away, with its -wal and -shm, and start Larder: it makes a new one from what stands beside the chunk files',
      }));
};

const checkPort: Check = ({ settings }) =>
  new Promise((resolve) => {
    const where = `${settings.host} port ${settings.port}`;
    const probe = createServer();
    probe.once('error', (error) => {
      resolve([
        {
          level: 'warning',
          text: `${where} cannot be listened on: ${describeError(error)}`,
          hint: 'this is right when Larder is running; else choose another with --port N',
        },
      ]);
    });
    probe.listen(settings.port, settings.host, () => {
      probe.close(() => resolve([{ level: 'ok', text: `${where} is free` }]));
    });
  });

const checkSources: Check = async ({ settings }, clock) => {
  if (settings.source.length === 0) return [{ level: 'ok', text: 'no source is declared on the command line' }];
  const client = new OriginClient(clock);
  const findings = settings.source.map(async (text): Promise<Finding> => {
    const source = parseSourceSetting(text);
    const startedAtMs = clock.monotonicMs();
    const abort = new AbortController();
    const headers = credentialHeaders(source.credentials);
    const took = () => `${(clock.monotonicMs() - startedAtMs).toFixed(0)} ms`;
    try {
      const { url } = source;
      await client.open(
        { url, headers, baseUrl: url, ownPort: 0, local: null, range: null, ifRange: null, expectsMedia: false },
        abort,
      );
      return { level: 'ok', text: `source ${source.name} answers in ${took()}` };
    } catch (error) {
      // A server without listings answers 403 or 404 to its folder, and still streams the files in it.
      if (error instanceof LarderError && (error.originStatus === 404 || error.originStatus === 403)) {
        return {
          level: 'ok',
          text: `source ${source.name} answers in ${took()}, and lists no files (${error.originStatus})`,
        };
      }
      const hint = error instanceof LarderError ? error.hint : undefined;
      return {
        level: 'error',
        text: `source ${source.name}: ${describeError(error)}`,
        ...(hint === undefined ? {} : { hint }),
      };
    } finally {
      abort.abort();
    }
  });
  return Promise.all(findings);
};

const checks: readonly Check[] = [checkDataFolder, checkDatabase, checkPort, checkSources];
const MARKS = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const;

async function runCheck(check: Check, configuration: Configuration, context: CommandContext): Promise<Finding[]> {
  try {
    return await check(configuration, context.clock);
  } catch (error) {
    const hint = error instanceof LarderError ? error.hint : undefined;
    return [{ level: 'error', text: describeError(error), ...(hint === undefined ? {} : { hint }) }];
  }
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'check disk, database, port and sources, and say what to do',
  describe:
    () => `Checks the data folder, its disk, the database, the port and the declared sources. Changes nothing but a
file that it writes and removes. Exits with 1 when something is wrong.

${optionHelp()}`,
  async run(context) {
    const configuration = readConfiguration(context);
    context.print(`larder ${buildVersion} ${buildTarget}`);
    let failed = false;
    for (const warning of configuration.warnings) context.print(`${MARKS.warning} ${warning}`);
    for (const check of checks) {
      for (const finding of await runCheck(check, configuration, context)) {
        context.print(`${MARKS[finding.level]} ${finding.text}`);
        if (finding.hint !== undefined) context.print(`        → ${finding.hint}`);
        if (finding.level === 'error') failed = true;
      }
    }
    return failed ? 1 : 0;
  },
};
