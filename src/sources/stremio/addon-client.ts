// Asks an add-on for its resources: `GET /{resource}/{type}/{id}.json`, or `/{id}/{extra}.json` with a query string as a
// segment of the path (Stremio/stremio-addon-sdk docs/protocol.md). Each answer ends by a deadline of its own.
import { LarderError } from '../../errors.ts';
import { askJson } from '../json-api.ts';
import type { SourceServices, SourceTarget } from '../media-source.ts';
import { type AddonAddress, addonAddress } from './addon-address.ts';
import { type JsonRecord, recordOf, wholeOf } from './json-values.ts';

export interface AddonAnswer {
  /** Empty where the answer was no object. */
  readonly body: JsonRecord;
  /** How long it may be remembered, as the add-on says it; null when it says nothing. */
  readonly maxAgeMs: number | null;
}

export interface AddonQuestion {
  readonly resource: string;
  readonly type: string;
  readonly id: string;
  readonly extra?: Readonly<Record<string, string | number>>;
}

export type AddonServices = Pick<SourceServices, 'client' | 'ownPort' | 'clock'>;

/** Add-ons that look through other servers take seconds; a player hears within READER_WAIT_MAX_MS. */
export const ANSWER_WAIT_MS = 30_000;

export class AddonClient {
  readonly #services: AddonServices;
  readonly #target: () => SourceTarget;

  constructor(target: () => SourceTarget, services: AddonServices) {
    this.#target = target;
    this.#services = services;
  }

  get address(): AddonAddress {
    return addonAddress(this.#target());
  }

  manifest(): Promise<AddonAnswer> {
    return this.#get('manifest.json');
  }

  /** @throws LarderError `not-found` when the add-on says that there is no such thing, and what `askJson` throws */
  async ask({ resource, type, id, extra = {} }: AddonQuestion): Promise<AddonAnswer> {
    // They come from addresses that anybody may type, and would lead out of the folder of the resource.
    if (/^\.{1,2}$/.test(type)) throw new LarderError('not-found', 'an add-on has nothing of such a type');
    const query = Object.entries(extra).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const segments = [resource, encodeURIComponent(type), encodeURIComponent(id)];
    return this.#get(`${[...segments, ...(query.length === 0 ? [] : [query.join('&')])].join('/')}.json`);
  }

  async #get(path: string): Promise<AddonAnswer> {
    const { client, clock, ownPort } = this.#services;
    const { url: ownUrl, local } = this.#target();
    const { baseUrl, headers } = this.address;
    const abort = new AbortController();
    const deadline = clock.after(ANSWER_WAIT_MS, () => abort.abort());
    try {
      const { body, headers: answered } = await askJson(
        { url: baseUrl + path, headers, baseUrl: ownUrl, local },
        { client, ownPort, clock },
        abort.signal,
      );
      const record = recordOf(body) ?? {};
      return { body: record, maxAgeMs: maxAgeOf(record, answered.get('cache-control')) };
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      throw new LarderError('origin-silent', `the add-on came to no end within ${ANSWER_WAIT_MS / 1_000} s`, {
        retry: 'soon',
        hint: 'it may be overloaded, or what it asks itself may be down: try again in a while',
      });
    } finally {
      deadline.cancel();
    }
  }
}

/** `cacheMaxAge` in seconds, or the header that the SDK makes of it (src/getRouter.js). */
function maxAgeOf(body: JsonRecord, cacheControl: string | null): number | null {
  const seconds = wholeOf(body.cacheMaxAge) ?? wholeOf(/\bmax-age\s*=\s*"?(\d{1,10})/i.exec(cacheControl ?? '')?.[1]);
  if (/\bno-(?:store|cache)\b/i.test(cacheControl ?? '')) return 0;
  return seconds === null ? null : seconds * 1_000;
}
