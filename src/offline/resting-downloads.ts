// Which downloads stand still because somebody who plays goes on waiting: what their pages say of them.
import type { CachedFile } from '../chunks/cached-file.ts';
import type { FetchQueue } from '../scheduler/fetch-queue.ts';

export interface RestingDownloadServices {
  readonly findOpen: (entryId: number) => Pick<CachedFile, 'identity' | 'fetches'> | undefined;
  readonly scheduler: Pick<FetchQueue, 'downloadsRest'>;
}

export class RestingDownloads {
  readonly #services: RestingDownloadServices;

  constructor(services: RestingDownloadServices) {
    this.#services = services;
  }

  /** Whether nothing comes of the entry now, because downloads of its source rest. */
  has(entryId: number): boolean {
    const file = this.#services.findOpen(entryId);
    if (file === undefined || !this.#services.scheduler.downloadsRest(file.identity.sourceId)) return false;
    const fetches = [...file.fetches];
    return fetches.length > 0 && fetches.every(({ state }) => state === 'queued');
  }
}
