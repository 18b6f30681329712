// Keeps the labels beside the chunk files true, not at once but soon: a player that reads in short requests would have
// one written after each.
import type { Clock, Timer } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import { describeError } from '../errors.ts';
import { LABEL_DELAY_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { CachedFile } from './cached-file.ts';
import type { ChunkStore } from './chunk-store.ts';
import { formatLabel, parseLabel } from './file-label.ts';

export interface LabellerServices {
  readonly entries: Pick<EntryTable, 'findState'>;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERYTHING = { start: 0, end: Number.MAX_SAFE_INTEGER };

export class FileLabeller {
  readonly #services: LabellerServices;
  readonly #due = new Set<CachedFile>();
  /** By generation: labels that are being written. */
  readonly #writing = new Map<number, Promise<void>>();
  #timer: Timer | undefined;

  constructor(services: LabellerServices) {
    this.#services = services;
  }

  /** The file is not in use any more, and may have changed. */
  labelSoon(file: CachedFile): void {
    if (!file.bytes.isLabelDue) return;
    this.#due.add(file);
    this.#timer ??= this.#services.clock.after(LABEL_DELAY_MS, () => {
      this.#timer = undefined;
      void this.#writeDue();
    });
  }

  /** Changes what a label says of the owner's wish, where there is a label. */
  async setPinned(
    { id, fileName }: { readonly id: number; readonly fileName: string },
    pinned: boolean,
  ): Promise<void> {
    await this.settled(id);
    const label = parseLabel((await this.#services.store.readLabel(fileName)) ?? '');
    if (label !== null) await this.#services.store.writeLabel(fileName, formatLabel({ ...label, pinned }));
  }

  /** Resolves when no label of the generation is being written: it can be removed. */
  async settled(generationId: number): Promise<void> {
    await this.#writing.get(generationId);
  }

  /** Writes what is due of these and all others now. */
  async finish(files: Iterable<CachedFile>): Promise<void> {
    this.#timer?.cancel();
    for (const file of files) this.#due.add(file);
    await this.#writeDue();
    await Promise.all(this.#writing.values());
  }

  async #writeDue(): Promise<void> {
    for (const file of this.#due) {
      this.#due.delete(file);
      const { generation, bytes } = file;
      if (file.superseded || file.isTransient || !bytes.isLabelDue || this.#writing.has(generation.id)) continue;
      bytes.isLabelDue = false;
      const writing = this.#write(file).catch((error: unknown) => {
        // It is needed only when the database is lost.
        this.#services.log.debug('a label could not be written', { error: describeError(error) });
      });
      this.#writing.set(generation.id, writing);
      await writing;
      this.#writing.delete(generation.id);
    }
  }

  async #write(file: CachedFile): Promise<void> {
    const { generation, headers, identity, totalBytes, seekable } = file;
    const ranges = file.available.toArray();
    const checksums = await file.bytes.listChecksums(EVERYTHING);
    const state = await this.#services.entries.findState(identity.entryId);
    if (state === null) return;
    const text = formatLabel({
      source: state.source,
      path: identity.address.path,
      etag: generation.etag,
      lastModified: generation.lastModified,
      totalBytes,
      seekable,
      contentType: headers.contentType,
      contentLanguage: headers.contentLanguage,
      contentDisposition: headers.contentDisposition,
      lastUsedAt: state.lastUsedAt,
      pinned: state.pinned,
      ranges,
      checksums,
    });
    await this.#services.store.writeLabel(generation.fileName, text);
  }
}
