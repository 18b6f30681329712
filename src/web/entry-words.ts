// Files as people call them, and what acts on them came to, in words.
import { formatBytes, formatSentence } from '../../views/format.ts';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import { qualityWords } from '../../views/parts/quality-words.ts';
import type { EntryAddress } from '../db/entries.ts';
import type { DroppedEntry, EntryActions, RecheckedEntry } from '../library/entry-actions.ts';
import { parseCataloguePath } from '../sources/catalogue-path.ts';

const KEPT = 'What is kept plays on.';
const MINUTE_MS = 60_000;

export type EntryVerb = 'fetch' | 'stop' | 'pin' | 'unpin' | 'drop' | 'restore' | 'remove' | 'recheck';

/** Whether a source has titles, and no files at paths. */
export type IsCatalogue = (source: string) => boolean;

/**
 * What people call a file: its path, where it has one that means something; of a title of a catalogue
 * (`Film (2020)/KEY:720p.mkv`) the title with its quality, as "Film (2020), 720p".
 */
export function fileWords({ source, path }: EntryAddress, isCatalogue: IsCatalogue): string {
  const parts = isCatalogue(source) ? partsOf(path) : null;
  if (parts === null) return path;
  return parts.quality === 'original' ? parts.title : `${parts.title}, ${qualityWords(parts.quality)}`;
}

/** The title alone; null where the path is no title's. */
export function titleInPath({ source, path }: EntryAddress, isCatalogue: IsCatalogue): string | null {
  return isCatalogue(source) ? (partsOf(path)?.title ?? null) : null;
}

/** The subject of an event, `SOURCE/PATH` where it is a file. */
export function subjectWords(subject: string, isCatalogue: IsCatalogue): string {
  const slash = subject.indexOf('/');
  const source = subject.slice(0, Math.max(0, slash));
  if (source === '' || !isCatalogue(source)) return subject;
  return `${source}: ${fileWords({ source, path: subject.slice(slash + 1) }, isCatalogue)}`;
}

function partsOf(path: string): { readonly title: string; readonly quality: string } | null {
  try {
    const { title, quality } = parseCataloguePath(path);
    return title === '' ? null : { title, quality };
  } catch {
    return null; // of a folder that was here before
  }
}

type Act = (actions: EntryActions, entryId: number, nameOf: (entry: EntryAddress) => string) => Promise<NoticeProps>;

/** What each verb does, and the notice that tells of it. A LarderError is told by whoever calls. */
export const entryVerbs: Readonly<Record<EntryVerb, Act>> = {
  async fetch(actions, entryId, nameOf) {
    const name = nameOf(await actions.fetch(entryId));
    return { tone: 'done', text: `The rest of ${name} is being fetched; what somebody watches goes first.` };
  },
  async stop(actions, entryId, nameOf) {
    const name = nameOf(await actions.stop(entryId));
    return { tone: 'done', text: `Fetching ${name} was stopped. What has come is kept.` };
  },
  async pin(actions, entryId, nameOf) {
    const name = nameOf(await actions.setPinned(entryId, true));
    return { tone: 'done', text: `${name} is pinned: it is never removed to make room.` };
  },
  async unpin(actions, entryId, nameOf) {
    const name = nameOf(await actions.setPinned(entryId, false));
    return { tone: 'done', text: `${name} is no longer pinned: it may make room.` };
  },
  async drop(actions, entryId, nameOf) {
    const dropped = await actions.drop(entryId);
    return describeDrop(dropped, nameOf(dropped));
  },
  async restore(actions, entryId, nameOf) {
    const name = nameOf(await actions.restore(entryId));
    return { tone: 'done', text: `${name} is back.` };
  },
  async remove(actions, entryId, nameOf) {
    const name = nameOf(await actions.remove(entryId));
    return { tone: 'done', text: `The bytes of ${name} were removed from the disk.` };
  },
  async recheck(actions, entryId, nameOf) {
    const rechecked = await actions.recheck(entryId);
    return describeVerdict(rechecked, nameOf(rechecked));
  },
};

function describeDrop({ bytes, undoMs }: DroppedEntry, name: string): NoticeProps {
  const minutes = Math.ceil(undoMs / MINUTE_MS);
  return {
    tone: 'done',
    text: `${formatBytes(bytes)} of ${name} are dropped.`,
    hint: `They can be brought back for ${minutes} minutes, unless room is needed before.`,
  };
}

function describeVerdict({ verdict, source, reason, hint }: RecheckedEntry, name: string): NoticeProps {
  switch (verdict) {
    case 'same':
      return { tone: 'done', text: `${name} is at its origin as it is kept here.` };
    case 'changed':
      return {
        tone: 'done',
        text: `${name} has changed at its origin. Who opens it from now on gets the new version; the old one goes with its last reader.`,
      };
    case 'missing':
      return { tone: 'done', text: `${name} is not at its origin: ${reason}.`, hint: KEPT };
    case 'asked':
      return {
        tone: 'failed',
        text: `${source} has not said yet whether ${name} is still the same.`,
        hint: 'It is still being asked; what is kept plays on.',
      };
    case 'unknown': {
      const text = formatSentence(`Whether ${name} is still the same, ${source} did not say: ${reason}`);
      return { tone: 'failed', text, hint: hint === null ? KEPT : `${formatSentence(hint)} ${KEPT}` };
    }
  }
}
