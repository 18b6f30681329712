// The form of cap and floor, on the page of the storage and in the first run.
import { formatBytes } from '../../views/format.ts';
import type { StorageFieldProps } from '../../views/pages/storage.tsx';
import { type StorageChanges, type StorageState, storageSettings } from '../offline/storage.ts';
import { options } from '../options.ts';

/** Only what is a setting of the storage, and was filled in; given the state, only what may be changed here. */
export function changesIn(fields: Readonly<Record<string, string | string[]>>, state?: StorageState): StorageChanges {
  const changes: Record<string, string> = {};
  for (const name of storageSettings) {
    const value = fields[name];
    if (state !== undefined && state.settings[name].lockedBy !== null) continue;
    if (typeof value === 'string' && value.trim() !== '') changes[name] = value.trim();
  }
  return changes;
}

export function storageFields({ settings }: StorageState): StorageFieldProps[] {
  const hints = {
    cacheSize: `At most so much is kept, what is being fetched included: a size such as 500GB, a share of the disk such as 60%, or auto (${formatBytes(settings.cacheSize.automaticBytes)} here).`,
    keepFree: `So much of the disk stays free, whoever fills it: a size, a share, or auto (${formatBytes(settings.keepFree.automaticBytes)} here).`,
  };
  return storageSettings.map((name) => ({
    name,
    label: options[name].label,
    hint: hints[name],
    value: settings[name].text,
    lockedBy: settings[name].lockedBy,
  }));
}
