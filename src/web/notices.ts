// Answers to forms that were sent without JavaScript, kept until the page that shows them was loaded.
import type { NoticeProps } from '../../views/parts/notice.tsx';

const NOTICES_MAX = 100;

export class Notices {
  readonly #randomId: () => string;
  readonly #notices = new Map<string, NoticeProps>();

  constructor(randomId: () => string) {
    this.#randomId = randomId;
  }

  keep(notice: NoticeProps): string {
    const id = this.#randomId();
    this.#notices.set(id, notice);
    const [oldest] = this.#notices.keys();
    if (this.#notices.size > NOTICES_MAX && oldest !== undefined) this.#notices.delete(oldest);
    return id;
  }

  /** Each is shown once. */
  take(id: string | null): NoticeProps | null {
    if (id === null) return null;
    const notice = this.#notices.get(id) ?? null;
    this.#notices.delete(id);
    return notice;
  }
}
