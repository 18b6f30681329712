// Programs that the bench needs from the system, and where a Debian user gets them.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const DEBIAN_PACKAGES = { nginx: 'nginx-light', rclone: 'rclone' } as const;

/** Absolute path of an installed program. Throws one clear line that names the Debian package. */
export function requiredCommand(name: keyof typeof DEBIAN_PACKAGES): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder: the next one may have it.
    }
  }
  throw new Error(`${name} is not installed: run "apt-get install ${DEBIAN_PACKAGES[name]}" (Debian package)`);
}
