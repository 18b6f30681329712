// What a person can do on the first page. Each act answers in words.
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { EntryTable } from '../db/entries.ts';
import type { DownloadRunner } from '../offline/download-runner.ts';

export interface ActionServices {
  readonly manager: ChunkManager;
  readonly entries: EntryTable;
  readonly downloads: DownloadRunner;
  readonly setBackgroundFill: (on: boolean) => Promise<void>;
  /** Where the setting is fixed outside, such as `environment`; null when it can be changed here. */
  readonly backgroundFillLockedBy: () => string | null;
  readonly randomId: () => string;
}

/** Answers to forms that were sent without JavaScript, until the page that shows them was loaded. */
const NOTICES_MAX = 100;

const GONE: NoticeProps = { tone: 'failed', text: 'That entry is not there any more.' };

export class Actions {
  readonly #services: ActionServices;
  readonly #notices = new Map<string, NoticeProps>();

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

  async setBackgroundFill(on: boolean): Promise<NoticeProps> {
    const lockedBy = this.#services.backgroundFillLockedBy();
    if (lockedBy !== null) {
      return {
        tone: 'failed',
        text: `Background fill is set by ${lockedBy}.`,
        hint: 'Change it there and start Larder again.',
      };
    }
    await this.#services.setBackgroundFill(on);
    return {
      tone: 'done',
      text: on ? 'What is played from now on is fetched whole in the background.' : 'Background fill is off.',
    };
  }

  keepNotice(notice: NoticeProps): string {
    const id = this.#services.randomId();
    this.#notices.set(id, notice);
    const [oldest] = this.#notices.keys();
    if (this.#notices.size > NOTICES_MAX && oldest !== undefined) this.#notices.delete(oldest);
    return id;
  }

  /** Each is shown once. */
  findNotice(id: string | undefined): NoticeProps | null {
    if (id === undefined) return null;
    const notice = this.#notices.get(id) ?? null;
    this.#notices.delete(id);
    return notice;
  }
}
