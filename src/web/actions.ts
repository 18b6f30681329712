// What a person can do on the first page. Each act answers in words.
import { formatSentence } from '../../views/format.ts';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { Clock } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import { LarderError } from '../errors.ts';
import type { DownloadRunner } from '../offline/download-runner.ts';
import type { SettingChanges, SettingsCheck } from '../settings/settings-service.ts';
import type { HttpSource } from '../sources/http-source.ts';
import { describePath } from '../sources/media-address.ts';

export interface ActionServices {
  readonly manager: ChunkManager;
  readonly entries: EntryTable;
  readonly downloads: DownloadRunner;
  readonly changeSettings: (changes: SettingChanges) => Promise<SettingsCheck>;
  readonly findSource: (name: string) => HttpSource | undefined;
  readonly clock: Clock;
}

/** Before the browser gives up on the form (15 s, `htmxConfig` in views/layout.tsx). */
const RECHECK_ANSWER_MS = 10_000;

const GONE: NoticeProps = { tone: 'failed', text: 'That entry is not there any more.' };

export class Actions {
  readonly #services: ActionServices;

  constructor(services: ActionServices) {
    this.#services = services;
  }

  async fetchEntry(entryId: number): Promise<NoticeProps> {
    const address = await this.#services.entries.findAddress(entryId);
    if (address === null) return GONE;
    await this.#services.downloads.enqueue(entryId, 'person');
    return { tone: 'done', text: `The rest of ${address.path} is being fetched; what somebody watches goes first.` };
  }

  async stopFetching(entryId: number): Promise<NoticeProps> {
    await this.#services.downloads.cancel(entryId);
    return { tone: 'done', text: 'Fetching was stopped. What has come is kept.' };
  }

  async removeEntry(entryId: number): Promise<NoticeProps> {
    const address = await this.#services.entries.findAddress(entryId);
    if (address === null) return GONE;
    await this.#services.downloads.cancel(entryId);
    const removed = await this.#services.manager.remove(entryId);
    if (removed) return { tone: 'done', text: `The bytes of ${address.path} were removed from the disk.` };
    return { tone: 'failed', text: `${address.path} is being read.`, hint: 'Stop the player first, then remove it.' };
  }

  async setPinned(entryId: number, pinned: boolean): Promise<NoticeProps> {
    const { entries, manager } = this.#services;
    const address = await entries.findAddress(entryId);
    if (address === null || !(await manager.setPinned(entryId, pinned))) return GONE;
    const effect = pinned ? 'is pinned: it is never removed to make room' : 'is no longer pinned: it may make room';
    return { tone: 'done', text: `${address.path} ${effect}.` };
  }

  /** Asks the origin whether it still has the stored version; an answer that is late shows on the page by itself. */
  async recheck(entryId: number): Promise<NoticeProps> {
    const { entries, findSource, clock } = this.#services;
    const address = await entries.findAddress(entryId);
    if (address === null) return GONE;
    const source = findSource(address.source);
    if (source === undefined) return { tone: 'failed', text: `The source ${address.source} is not there any more.` };
    const late = Promise.withResolvers<'late'>();
    const timer = clock.after(RECHECK_ANSWER_MS, () => late.resolve('late'));
    try {
      const verdict = await Promise.race([this.#askOrigin(entryId, source, address.path), late.promise]);
      return describeVerdict(verdict, address);
    } catch (error) {
      if (error instanceof LarderError) return describeSilence(error, address);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #askOrigin(entryId: number, source: HttpSource, path: string): Promise<'same' | 'other'> {
    const { manager } = this.#services;
    // Opened for ourselves: looking is no use of it. From here on the check keeps it open.
    const options = { spec: null, probe: true, internal: true, signal: new AbortController().signal };
    const file = manager.findOpen(entryId) ?? (await manager.open(source, describePath(path), options));
    return file.recheck();
  }

  async setBackgroundFill(on: boolean): Promise<NoticeProps> {
    const result = await this.#services.changeSettings({ backgroundFill: [on ? 'on' : 'off'] });
    const problem = result.ok ? undefined : result.problems[0];
    if (problem !== undefined) {
      const text = formatSentence(problem.message);
      return { tone: 'failed', text, ...(problem.hint === undefined ? {} : { hint: formatSentence(problem.hint) }) };
    }
    return {
      tone: 'done',
      text: on ? 'What is played from now on is fetched whole in the background.' : 'Background fill is off.',
    };
  }
}

interface EntryAddress {
  readonly source: string;
  readonly path: string;
}

function describeVerdict(verdict: 'same' | 'other' | 'late', { source, path }: EntryAddress): NoticeProps {
  switch (verdict) {
    case 'same':
      return { tone: 'done', text: `${path} is at its origin as it is kept here.` };
    case 'other':
      return {
        tone: 'done',
        text: `${path} has changed at its origin. Who opens it from now on gets the new version; the old one goes with its last reader.`,
      };
    case 'late':
      return {
        tone: 'failed',
        text: `${source} has not said yet whether ${path} is still the same.`,
        hint: 'It is still being asked; what is kept plays on.',
      };
  }
}

function describeSilence(error: LarderError, { source, path }: EntryAddress): NoticeProps {
  const kept = 'What is kept plays on.';
  if (error.code === 'not-found') {
    return { tone: 'done', text: `${path} is not at its origin: ${error.message}.`, hint: kept };
  }
  const hint = error.hint === undefined ? kept : `${formatSentence(error.hint)} ${kept}`;
  const text = formatSentence(`Whether ${path} is still the same, ${source} did not say: ${error.message}`);
  return { tone: 'failed', text, hint };
}
