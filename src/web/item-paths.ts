// Where the pages of items are, for rows that know only their entry. An entry stays with its item for as long as it
// lives, so that each is looked up once.
export type ItemPathOf = (entryId: number | null) => string | null;

export interface ItemPathServices {
  /** Media ids by entry id, of those that are there. */
  readonly findMediaIds: (entryIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
}

const KNOWN_MAX = 2_000;

export function itemPath(mediaId: number): string {
  return `/items/${mediaId}`;
}

export class ItemPaths {
  readonly #services: ItemPathServices;
  readonly #mediaIds = new Map<number, number>();

  constructor(services: ItemPathServices) {
    this.#services = services;
  }

  async pathsOf(entryIds: readonly (number | null)[]): Promise<ItemPathOf> {
    const unknown = new Set(entryIds.filter((id): id is number => id !== null && !this.#mediaIds.has(id)));
    if (unknown.size > 0) {
      const found = await this.#services.findMediaIds([...unknown]);
      if (this.#mediaIds.size + found.size > KNOWN_MAX) this.#mediaIds.clear();
      for (const [entryId, mediaId] of found) this.#mediaIds.set(entryId, mediaId);
    }
    return (entryId) => {
      const mediaId = entryId === null ? undefined : this.#mediaIds.get(entryId);
      return mediaId === undefined ? null : itemPath(mediaId);
    };
  }
}
