// A whole appliance with one source that has a catalogue, asked over sockets as scripts and players ask it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { type RawResponse, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at, not used
  readonly body: any;
}

export interface Quality {
  readonly quality: string;
  readonly entryId: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bitrate: number | null;
  readonly container: string | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  readonly delivery: 'file' | 'growing' | 'hls';
  readonly refusal: string | null;
  readonly size: number | null;
  readonly seekable: boolean | null;
  readonly cachedBytes: number;
  readonly complete: boolean;
  readonly streamUrl: string;
  readonly subtitles: readonly { readonly language: string | null; readonly url: string }[];
}

export interface Item {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly year: number | null;
  readonly parentId: number | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly source: string;
  readonly artworkUrl: string | null;
  readonly availability: string;
  readonly qualities: readonly Quality[];
}

export interface TestStep {
  readonly step: string;
  readonly ok: boolean | null;
  readonly detail: string;
  readonly hint: string | null;
}

export interface NewSource {
  readonly kind: 'jellyfin' | 'plex' | 'stremio';
  readonly url: string;
  readonly credentials?: unknown;
  readonly options?: unknown;
}

export class MediaLarder implements AsyncDisposable {
  readonly larder: RunningLarder;
  readonly #told: string[] = [];

  private constructor(larder: RunningLarder) {
    this.larder = larder;
  }

  static async start(args: readonly string[] = [], clock?: Clock): Promise<MediaLarder> {
    return new MediaLarder(await startLarder({ args, ...(clock === undefined ? {} : { clock }) }));
  }

  /** The one place that says who asks. */
  async api(method: string, path: string, body?: unknown): Promise<Answer> {
    const json = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(`http://localhost:${this.larder.port}/api/v1${path}`, {
      method,
      headers: { ...this.larder.owner.headers, ...(json === null ? {} : { 'Content-Type': 'application/json' }) },
      ...(json === null ? {} : { body: json }),
    });
    const text = await response.text();
    this.#told.push(text);
    return { status: response.status, text, body: text === '' ? null : JSON.parse(text) };
  }

  async add(source: NewSource, name = 'attic'): Promise<Answer> {
    const added = await this.api('POST', '/sources', { name, ...source });
    if (added.status !== 201) throw new Error(added.text);
    return added;
  }

  /** Goes through the source, to the end. */
  async sync(name = 'attic') {
    const { status, text } = await this.api('POST', `/sources/${name}/sync`);
    if (status !== 202) throw new Error(text);
    return this.syncEnded(name);
  }

  async syncEnded(name = 'attic') {
    let state = await this.api('GET', `/sources/${name}/sync`);
    await until(async () => {
      state = await this.api('GET', `/sources/${name}/sync`);
      return state.body.state !== 'running' && state.body.state !== 'waiting';
    });
    return state.body;
  }

  async items(query = ''): Promise<Item[]> {
    const { status, text, body } = await this.api('GET', `/items?limit=200${query}`);
    if (status !== 200) throw new Error(text);
    return body.items;
  }

  async item(title: string): Promise<Item> {
    const found = (await this.items()).find((item) => item.title === title);
    if (found === undefined) throw new Error(`there is no ${title}`);
    return (await this.api('GET', `/items/${found.id}`)).body;
  }

  async quality(title: string, quality: string): Promise<Quality> {
    const { qualities } = await this.item(title);
    const found = qualities.find((one) => one.quality === quality);
    if (found === undefined)
      throw new Error(`there is no ${quality} of ${title}, only ${qualities.map((q) => q.quality)}`);
    return found;
  }

  async pathOf(title: string, quality = 'original'): Promise<string> {
    return pathOf((await this.quality(title, quality)).streamUrl);
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
    return rawRequest(this.larder.port, path, headers, method);
  }

  async entries() {
    return (await this.api('GET', '/entries?limit=200')).body.items;
  }

  /** Everywhere that Larder writes or tells: its answers so far, its log, its events, the files that it keeps. */
  async told(): Promise<Map<string, string>> {
    for (const path of [
      '/sources',
      '/sources/attic',
      '/status',
      '/items?limit=200',
      '/entries',
      '/events/log',
      '/log',
    ]) {
      const response = await fetch(`http://localhost:${this.larder.port}/api/v1${path}`, {
        headers: this.larder.owner.headers,
      });
      this.#told.push(await response.text());
    }
    for (const path of ['/', '/sources', '/sources/attic', '/events', '/log', '/library']) {
      const response = await fetch(`http://localhost:${this.larder.port}${path}`, {
        headers: this.larder.owner.headers,
      });
      this.#told.push(await response.text());
    }
    const places = new Map([
      ['answers', this.#told.join('\n')],
      ['log', this.larder.log.join('\n')],
    ]);
    const { dataFolder } = this.larder;
    for (const entry of readdirSync(dataFolder, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile()) places.set(file.slice(dataFolder.length), readFileSync(file, 'latin1') + entry.name);
    }
    return places;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.larder[Symbol.asyncDispose]();
  }
}

/** Of an address as it is told: without the server. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 2_000; look++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not become so');
}

export function stepOf(answer: Answer, name: string): TestStep {
  const found = (answer.body.steps as TestStep[]).find(({ step }) => step === name);
  if (found === undefined) throw new Error(answer.text);
  return found;
}

/** For bodies that are too long to be shown when they differ. */
export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
