// The data folder and the disk below it.
import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { describeError } from '../../errors.ts';
import { describeBytes } from '../../words.ts';
import { type Check, failed, ok, unknown, warning } from './finding.ts';

interface FileSystem {
  readonly name: string;
  readonly trouble?: 'network' | 'fat' | 'memory' | 'container' | 'fuse';
}

/** `f_type` of statfs(2). What is not here is told by its number and taken for good. */
const FILE_SYSTEMS: Readonly<Record<number, FileSystem>> = {
  61267: { name: 'ext4' },
  1481003842: { name: 'xfs' },
  2435016766: { name: 'btrfs' },
  801189825: { name: 'zfs' },
  4076150800: { name: 'f2fs' },
  26985: { name: 'NFS', trouble: 'network' },
  20859: { name: 'SMB', trouble: 'network' },
  4283649346: { name: 'CIFS', trouble: 'network' },
  4266872130: { name: 'SMB2', trouble: 'network' },
  16914839: { name: '9p', trouble: 'network' },
  12805120: { name: 'Ceph', trouble: 'network' },
  19780: { name: 'FAT', trouble: 'fat' },
  538032816: { name: 'exFAT', trouble: 'fat' },
  16914836: { name: 'tmpfs', trouble: 'memory' },
  2035054128: { name: 'overlay', trouble: 'container' },
  1702057286: { name: 'FUSE', trouble: 'fuse' },
};

const TROUBLES: Readonly<Record<NonNullable<FileSystem['trouble']>, { fails: boolean; hint: string }>> = {
  network: { fails: true, hint: 'a database on a network share gets corrupted: use a local disk' },
  fat: { fails: true, hint: 'it has no sparse files: use a disk with ext4, xfs, btrfs or zfs' },
  memory: { fails: false, hint: 'it is memory, and everything is gone after a restart of the machine: use a disk' },
  container: {
    fails: false,
    hint: 'this is a layer of a container, which goes with it: mount a volume there',
  },
  fuse: { fails: false, hint: 'programs in between may lack what a database needs: a local disk is better' },
};

const FREE_BYTES_LOW = 1e9;
const INODES_LOW = 1_000;
const SYNC_SLOW_MS = 100;
const PROBE_BYTES = 64 * 1024;
/** The hole that is left before the probe. */
const PROBE_OFFSET = 1024 * PROBE_BYTES;

export function describeFileSystem(type: number): FileSystem {
  return FILE_SYSTEMS[type] ?? { name: `an unknown file system (0x${type.toString(16)})` };
}

export function diskChecks(folder: string, clock: Clock): readonly Check[] {
  return [
    { name: 'data-folder', title: 'Data folder', run: () => checkWriting(folder, clock) },
    { name: 'file-system', title: 'File system', run: () => checkFileSystem(folder) },
    { name: 'disk-space', title: 'Free space', run: () => checkFreeBytes(folder) },
    { name: 'inodes', title: 'Room for files', run: () => checkInodes(folder) },
    { name: 'disk-sync', title: 'Writing speed', run: () => checkSync(folder, clock) },
  ];
}

/** Writes a file behind a hole, gives it to `look`, and removes it. */
async function withProbe<Result>(
  folder: string,
  name: string,
  look: (sync: () => Promise<void>, file: string) => Promise<Result>,
): Promise<Result> {
  const file = join(folder, name);
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.write(new Uint8Array(PROBE_BYTES), 0, PROBE_BYTES, PROBE_OFFSET);
    return await look(() => handle.datasync(), file);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}

async function checkWriting(folder: string, clock: Clock) {
  try {
    const isSparse = await withProbe(folder, `doctor-write-${clock.nowMs()}`, async (_sync, file) => {
      const { blocks } = await stat(file);
      return blocks * 512 < PROBE_OFFSET / 2;
    });
    if (isSparse) return ok(`${folder} can be written, and keeps sparse files`);
    return warning(
      `${folder} can be written, and fills the holes of sparse files`,
      'a seek into a large film takes its whole length on the disk',
    );
  } catch (error) {
    return failed(
      `${folder} cannot be written: ${describeError(error)}`,
      'give the user Larder runs as the right to write there, make room, or choose another folder with --data DIR',
    );
  }
}

async function checkFileSystem(folder: string) {
  const { type } = await statfs(folder);
  const { name, trouble } = describeFileSystem(type);
  const detail = `the data folder is on ${name}`;
  if (trouble === undefined) return ok(detail);
  const { fails, hint } = TROUBLES[trouble];
  return fails ? failed(detail, hint) : warning(detail, hint);
}

async function checkFreeBytes(folder: string) {
  const { bavail, blocks, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const detail = `${describeBytes(freeBytes)} of ${describeBytes(blocks * bsize)} are free on its disk`;
  return freeBytes < FREE_BYTES_LOW
    ? warning(detail, 'make room, or choose a larger disk with --data DIR')
    : ok(detail);
}

async function checkInodes(folder: string) {
  const { files, ffree } = await statfs(folder);
  if (files === 0) return ok('the file system sets no bound on the number of files');
  const detail = `${ffree.toLocaleString('en')} more files fit on the disk`;
  return ffree < INODES_LOW
    ? warning(detail, 'remove small files that are not needed; each film needs two')
    : ok(detail);
}

async function checkSync(folder: string, clock: Clock) {
  try {
    const syncMs = await withProbe(folder, `doctor-sync-${clock.nowMs()}`, async (sync) => {
      const startedAtMs = clock.monotonicMs();
      await sync();
      return clock.monotonicMs() - startedAtMs;
    });
    if (syncMs <= SYNC_SLOW_MS) return ok(`writing to the disk for good takes ${syncMs.toFixed(1)} ms`);
    return warning(
      `writing to the disk for good takes ${syncMs.toFixed(0)} ms`,
      'this is slow even for an SD card: a USB disk is better',
    );
  } catch (error) {
    return unknown(`it could not be measured: ${describeError(error)}`);
  }
}
