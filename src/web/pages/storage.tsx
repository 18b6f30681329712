// What takes the disk, what goes next and why, and what another cap or floor would do before it is set.
import { formatBytes, formatSentence } from '../../../views/format.ts';
import { DiskRegion, StoragePage } from '../../../views/pages/storage.tsx';
import { type EntryToGoProps, NextToGo } from '../../../views/parts/next-to-go.tsx';
import type { StorageEffectProps } from '../../../views/parts/storage-effect.tsx';
import { LarderError } from '../../errors.ts';
import type { EntryToGo, StorageChanges } from '../../offline/storage.ts';
import { describeTrouble } from '../describe-trouble.ts';
import { readForm } from '../forms.ts';
import { itemPath } from '../item-paths.ts';
import { chainName } from '../item-words.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { changesIn, storageFields } from '../storage-form.ts';

const NEXT_SHOWN = 10;

export function addStoragePages(routes: Routes, { storage, library }: Pick<WebServices, 'storage' | 'library'>): void {
  routes.livePage({
    path: '/storage',
    need: 'owner',
    // The effect of what somebody types is no region: a live update must not put another one in its place.
    regions: async ({ page }) => {
      const state = await storage.state();
      const next = await storage.nextToGo(NEXT_SHOWN);
      return {
        disk: <DiskRegion disk={state} trouble={describeTrouble(state.trouble)} />,
        next: <NextToGo page={page} entries={await entriesToGo(next)} />,
      };
    },
    render: async ({ page, query }, regions, notice) => {
      const state = await storage.state();
      const changes = changesIn(Object.fromEntries(query), state);
      return (
        <StoragePage
          page={page}
          notice={notice}
          fields={storageFields(state)}
          form={{ typed: { ...changes }, errors: {} }}
          effect={await effectOf(changes)}
          regions={regions}
        />
      );
    },
  });

  routes.action('/storage', 'owner', async (context) => {
    const changes = changesIn(await readForm(context));
    const before = await storage.state();
    const after = await storage.change(changes);
    const goneBytes = before.usedBytes - after.usedBytes;
    const gone = goneBytes > 0 ? ` ${formatBytes(goneBytes)} went.` : '';
    const most =
      after.effectiveCapBytes < after.capBytes ? ` (${formatBytes(after.effectiveCapBytes)} on this disk)` : '';
    const text = `The cache may take ${formatBytes(after.capBytes)}${most}, and ${formatBytes(after.floorBytes)} of the disk stay free.${gone}`;
    return { notice: { tone: 'done', text }, goTo: '/storage' };
  });

  async function entriesToGo(entries: readonly EntryToGo[]): Promise<EntryToGoProps[]> {
    const chains = await library.listChains(entries.map(({ mediaId }) => mediaId));
    return entries.map(({ title, year, quality, mediaId, source, bytes, reason }) => {
      const named = chainName(chains.get(mediaId)) ?? (year === null ? title : `${title} (${year})`);
      return { title: named, quality, itemPath: itemPath(mediaId), source, bytes, reason };
    });
  }

  async function effectOf(changes: StorageChanges): Promise<StorageEffectProps | null> {
    if (Object.keys(changes).length === 0) return null;
    try {
      const { after, goes, ...preview } = await storage.preview(changes);
      return {
        ...preview,
        changes: changes as Record<string, string>,
        problem: null,
        capBytes: after.capBytes,
        floorBytes: after.floorBytes,
        goesCount: goes.count,
        goesBytes: goes.bytes,
        goes: await entriesToGo(goes.items),
      };
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      const problem = [error.message, error.hint].flatMap((words) =>
        words === undefined ? [] : formatSentence(words),
      );
      return { ...NO_EFFECT, changes: changes as Record<string, string>, problem: problem.join(' ') };
    }
  }
}

const NO_EFFECT: StorageEffectProps = {
  changes: {},
  problem: null,
  isChanged: false,
  capBytes: 0,
  floorBytes: 0,
  goesCount: 0,
  goesBytes: 0,
  goes: [],
  shortBytes: 0,
  shortOwnBytes: 0,
  shortOtherBytes: 0,
  roomBytes: 0,
  remarks: [],
};
