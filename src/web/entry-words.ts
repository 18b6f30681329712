// What acts on entries came to, in words.
import { formatBytes, formatSentence } from '../../views/format.ts';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { DroppedEntry, EntryActions, RecheckedEntry } from '../library/entry-actions.ts';

const KEPT = 'What is kept plays on.';
const MINUTE_MS = 60_000;

export type EntryVerb = 'fetch' | 'stop' | 'pin' | 'unpin' | 'drop' | 'restore' | 'remove' | 'recheck';

/** What each verb does, and the notice that tells of it. A LarderError is told by whoever calls. */
export const entryVerbs: Readonly<Record<EntryVerb, (actions: EntryActions, entryId: number) => Promise<NoticeProps>>> =
  {
    async fetch(actions, entryId) {
      const { path } = await actions.fetch(entryId);
      return { tone: 'done', text: `The rest of ${path} is being fetched; what somebody watches goes first.` };
    },
    async stop(actions, entryId) {
      const { path } = await actions.stop(entryId);
      return { tone: 'done', text: `Fetching ${path} was stopped. What has come is kept.` };
    },
    async pin(actions, entryId) {
      const { path } = await actions.setPinned(entryId, true);
      return { tone: 'done', text: `${path} is pinned: it is never removed to make room.` };
    },
    async unpin(actions, entryId) {
      const { path } = await actions.setPinned(entryId, false);
      return { tone: 'done', text: `${path} is no longer pinned: it may make room.` };
    },
    async drop(actions, entryId) {
      return describeDrop(await actions.drop(entryId));
    },
    async restore(actions, entryId) {
      const { path } = await actions.restore(entryId);
      return { tone: 'done', text: `${path} is back.` };
    },
    async remove(actions, entryId) {
      const { path } = await actions.remove(entryId);
      return { tone: 'done', text: `The bytes of ${path} were removed from the disk.` };
    },
    async recheck(actions, entryId) {
      return describeVerdict(await actions.recheck(entryId));
    },
  };

function describeDrop({ path, bytes, undoMs }: DroppedEntry): NoticeProps {
  const minutes = Math.ceil(undoMs / MINUTE_MS);
  return {
    tone: 'done',
    text: `${formatBytes(bytes)} of ${path} are dropped.`,
    hint: `They can be brought back for ${minutes} minutes, unless room is needed before.`,
  };
}

function describeVerdict({ verdict, source, path, reason, hint }: RecheckedEntry): NoticeProps {
  switch (verdict) {
    case 'same':
      return { tone: 'done', text: `${path} is at its origin as it is kept here.` };
    case 'changed':
      return {
        tone: 'done',
        text: `${path} has changed at its origin. Who opens it from now on gets the new version; the old one goes with its last reader.`,
      };
    case 'missing':
      return { tone: 'done', text: `${path} is not at its origin: ${reason}.`, hint: KEPT };
    case 'asked':
      return {
        tone: 'failed',
        text: `${source} has not said yet whether ${path} is still the same.`,
        hint: 'It is still being asked; what is kept plays on.',
      };
    case 'unknown': {
      const text = formatSentence(`Whether ${path} is still the same, ${source} did not say: ${reason}`);
      return { tone: 'failed', text, hint: hint === null ? KEPT : `${formatSentence(hint)} ${KEPT}` };
    }
  }
}
