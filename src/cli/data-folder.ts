import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError, LarderError, systemCode } from '../errors.ts';
import { extractNativeAddon, prepareNativeAddon } from '../runtime/native-addon.ts';

export interface DataFolder {
  readonly path: string;
  /** Where the database driver's add-on lies; null when running from source. */
  readonly addonFile: string | null;
}

/**
 * Makes the folder where it is missing and loads the database driver's add-on from it. Must come before the first
 * import of anything that needs the database.
 * @throws LarderError `data-folder`
 */
export function prepareDataFolder(setting: string): DataFolder {
  const path = resolve(setting);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const addonFile = extractNativeAddon(path);
    prepareNativeAddon(addonFile);
    return { path, addonFile };
  } catch (error) {
    throw new LarderError('data-folder', `the data folder ${path} cannot be used: ${describeError(error)}`, {
      cause: error,
      hint: hintFor(systemCode(error)),
    });
  }
}

function hintFor(code: string | undefined): string {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'the disk is full: make room on it, or choose another with --data DIR';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return 'give the user Larder runs as the right to write there, or choose another folder with --data DIR';
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in its way: choose another folder with --data DIR';
  return 'choose another folder with --data DIR';
}
