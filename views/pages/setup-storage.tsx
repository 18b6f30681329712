import { formatBytes } from '../format.ts';
import { DiskBar, DiskKey, type DiskProps } from '../parts/disk-bar.tsx';
import { Field, FormErrors, type FormState } from '../parts/field.tsx';
import { SetupFrame, type SetupFrameProps } from '../parts/setup-frame.tsx';
import type { StorageFieldProps } from './storage.tsx';

export type SetupStoragePageProps = {
  frame: Pick<SetupFrameProps, 'page' | 'steps' | 'current'>;
  /** Where the cached bytes lie. */
  folder: string;
  disk: DiskProps;
  fields: readonly StorageFieldProps[];
  form: FormState;
};

/** Where bytes live, and how much they may take: proposed from the disk. */
export function SetupStoragePage({ frame, folder, disk, fields, form }: SetupStoragePageProps) {
  const labels = Object.fromEntries(fields.map((field) => [field.name, field.label]));
  return (
    <SetupFrame {...frame} title="How much may be kept">
      <p>
        What is played is kept in <code>{folder}</code>, on a disk of {formatBytes(disk.totalBytes)} of which{' '}
        {formatBytes(disk.freeBytes)} are free. Larder proposes to use up to{' '}
        <strong>{formatBytes(disk.capBytes)}</strong> of it; when that is full, what was not used for longest makes
        room.
      </p>
      <DiskBar {...disk} />
      <DiskKey disk={disk} />
      <FormErrors form={form} labels={labels} />
      <form method="post" action={`${frame.page.basePath}/setup/storage`} class="panel">
        {fields.map((field) => (
          <Field
            name={field.name}
            label={field.label}
            hint={field.lockedBy === null ? field.hint : `Set by ${field.lockedBy}: change it there.`}
            value={field.value}
            form={form}
            disabled={field.lockedBy !== null}
            autocomplete="off"
          />
        ))}
        <button type="submit" class="primary">
          Use this much
        </button>
      </form>
      <p class="quiet">
        To keep the bytes on another disk, stop Larder and start it with <code>--data FOLDER</code> there.
      </p>
    </SetupFrame>
  );
}
