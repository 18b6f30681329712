// Answers to forms that were sent without JavaScript, kept until the page that shows them was loaded. They are for the
// session that sent the form: some hold a token that is shown once, and addresses end in histories.

import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { Caller } from '../access/caller.ts';

const NOTICES_MAX = 100;

export class Notices {
  readonly #randomId: () => string;
  readonly #notices = new Map<string, { readonly notice: NoticeProps; readonly reader: string }>();

  constructor(randomId: () => string) {
    this.#randomId = randomId;
  }

  keep(notice: NoticeProps, by: Caller): string {
    const id = this.#randomId();
    this.#notices.set(id, { notice, reader: readerOf(by) });
    const [oldest] = this.#notices.keys();
    if (this.#notices.size > NOTICES_MAX && oldest !== undefined) this.#notices.delete(oldest);
    return id;
  }

  /** Each is shown once, and to nobody else. */
  take(id: string | null, caller: Caller): NoticeProps | null {
    if (id === null) return null;
    const kept = this.#notices.get(id);
    if (kept?.reader !== readerOf(caller)) return null;
    this.#notices.delete(id);
    return kept.notice;
  }
}

function readerOf(caller: Caller): string {
  return caller.kind === 'session' ? `session ${caller.sessionId}` : caller.kind;
}
