import { formatBytes } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { DiskBar, type DiskProps, DiskTable } from '../parts/disk-bar.tsx';
import { Field, type FormState } from '../parts/field.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { StorageEffect, type StorageEffectProps } from '../parts/storage-effect.tsx';
import type { Rendered } from '../render.ts';

export type StorageFieldProps = {
  name: string;
  label: string;
  hint: string;
  /** As it is set now. */
  value: string;
  /** What fixes it outside; null when it can be changed here. */
  lockedBy: string | null;
};

export type StoragePageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  fields: readonly StorageFieldProps[];
  form: FormState;
  /** Of what was typed; null before anything was. */
  effect: StorageEffectProps | null;
  regions: Readonly<Record<string, Rendered>>;
};

export function StoragePage({ page, notice, fields, form, effect, regions }: StoragePageProps) {
  const action = `${page.basePath}/storage`;
  const isLocked = fields.every((field) => field.lockedBy !== null);
  return (
    <Layout page={page} title="Storage" section="/storage" notice={notice} live>
      <h1>Storage</h1>
      <section id="disk" class="panel" aria-label="The disk">
        {regions.disk}
      </section>
      <section class="panel" aria-labelledby="bounds-title">
        <h2 id="bounds-title">How much may be kept</h2>
        {/* A GET: the effect has an address of its own, and the form works without JavaScript. */}
        <form
          method="get"
          action={action}
          class="bounds"
          hx-get={action}
          hx-trigger="input delay:300ms, submit"
          hx-target="#effect-body"
          hx-select="#effect-body"
          hx-swap="outerHTML"
        >
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
          {isLocked ? null : <button type="submit">Show what it would do</button>}
        </form>
        <div role="status">
          <div id="effect-body">
            <StorageEffect page={page} effect={effect} />
          </div>
        </div>
      </section>
      <section id="next" class="panel" aria-label="What goes next">
        {regions.next}
      </section>
    </Layout>
  );
}

export type DiskRegionProps = {
  disk: DiskProps & { effectiveCapBytes: number };
  trouble: { sentence: string; hint: string | null } | null;
};

export function DiskRegion({ disk, trouble }: DiskRegionProps) {
  return (
    <>
      <p class="room-line">{trouble === null ? describeRoom(disk) : <Trouble {...trouble} />}</p>
      <DiskBar {...disk} />
      <DiskTable {...disk} />
    </>
  );
}

function Trouble({ sentence, hint }: { sentence: string; hint: string | null }) {
  return (
    <>
      <strong class="waiting">{sentence}</strong>
      {hint === null ? null : ` ${hint}`}
    </>
  );
}

function describeRoom({ roomBytes, capBytes, effectiveCapBytes }: DiskRegionProps['disk']): string {
  const bound =
    effectiveCapBytes < capBytes
      ? `${formatBytes(effectiveCapBytes)} that the disk has for the cache (set are ${formatBytes(capBytes)})`
      : `${formatBytes(capBytes)} that the cache may take`;
  return roomBytes > 0
    ? `Room for ${formatBytes(roomBytes)} more of the ${bound}.`
    : `Full: kept is all of the ${bound}. What comes next makes room by what was not used for longest.`;
}
