// An origin without sockets, on the fake clock: latency, rate and every fault happen in virtual time, so that hours
// pass in milliseconds. It answers with real Response objects, which the real readOriginHead judges, and is used in
// place of an OriginClient.
import { resolveRangeSpec } from '../../src/bytes/range-header.ts';
import type { Clock } from '../../src/clock.ts';
import { LarderError } from '../../src/errors.ts';
import { FIRST_BYTE_TIMEOUT_MS } from '../../src/limits.ts';
import type { OriginClient, OriginRequest, OriginResponse } from '../../src/sources/origin-client.ts';
import { readOriginHead } from '../../src/sources/origin-response.ts';
import { contentOf } from './content.ts';

export interface VirtualFile {
  sizeBytes: number;
  seed: number;
  etag: string | null;
  /** Answers 200 to everything. */
  sequential?: boolean;
  /** No length is told. */
  hideLength?: boolean;
  /** Content-Range says `*` in place of the total. */
  hideTotal?: boolean;
}

/** How one request goes; what is left out goes well. */
export interface VirtualFault {
  readonly latencyMs?: number;
  readonly bytesPerMs?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is refused. */
  readonly refused?: boolean;
  readonly silent?: boolean;
  readonly cutAfterBytes?: number;
  readonly stallAfterBytes?: number;
}

export interface VirtualRequest {
  readonly path: string;
  readonly range: OriginRequest['range'];
  readonly atMs: number;
  bodyBytes: number;
  open: boolean;
}

const PIECE_BYTES = 64 * 1024;

export class VirtualOrigin {
  readonly files = new Map<string, VirtualFile>();
  readonly requests: VirtualRequest[] = [];
  /** Decides how the next request goes. */
  fault: (path: string, count: number) => VirtualFault = () => ({});
  /** Requests that are open at the same time; how others are answered. */
  connectionsMax = Number.POSITIVE_INFINITY;
  beyondConnections: VirtualFault = { refused: true };
  /** What all bodies together get; infinite for as much as each can take. */
  lineBytesPerMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get client(): OriginClient {
    return {
      open: (request: OriginRequest, abort: AbortController) => this.#open(request, abort),
    } as unknown as OriginClient;
  }

  get bodyBytes(): number {
    return this.requests.reduce((sum, request) => sum + request.bodyBytes, 0);
  }

  get openCount(): number {
    return this.requests.filter((request) => request.open).length;
  }

  requestsOf(path: string): VirtualRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  #wait(ms: number, abort: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(ms, resolve);
      abort.addEventListener('abort', () => {
        timer.cancel();
        reject(new LarderError('stopped', 'the request was called off'));
      });
    });
  }

  async #open(request: OriginRequest, abort: AbortController): Promise<OriginResponse> {
    const path = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const isBeyond = this.openCount >= this.connectionsMax;
    const fault = isBeyond ? this.beyondConnections : this.fault(path, this.requestsOf(path).length);
    const noted: VirtualRequest = {
      path,
      range: request.range,
      atMs: this.#clock.monotonicMs(),
      bodyBytes: 0,
      open: true,
    };
    this.requests.push(noted);
    abort.signal.addEventListener('abort', () => {
      noted.open = false;
    });
    if (fault.refused || fault.status !== undefined) noted.open = false;
    if (fault.refused) throw new LarderError('origin-failed', 'refused', { retry: 'soon' });
    if (fault.silent) {
      await this.#wait(FIRST_BYTE_TIMEOUT_MS, abort.signal);
      throw new LarderError('origin-silent', 'silent', { retry: 'soon' });
    }
    await this.#wait(fault.latencyMs ?? 20, abort.signal);
    const file = this.files.get(path);
    const { response, start, end } = this.#answer(request, file, fault);
    const head = readOriginHead(response, request.range, request.expectsMedia, 0);
    return { head, body: this.#body(file!, fault, noted, start, end, abort.signal) };
  }

  #answer(request: OriginRequest, file: VirtualFile | undefined, fault: VirtualFault) {
    const reply = (status: number, headers: Record<string, string>, start = 0, end = 0) => ({
      response: new Response(null, { status, headers: { ...headers, ...fault.headers } }),
      start,
      end,
    });
    if (fault.status !== undefined) return reply(fault.status, {});
    if (file === undefined) return reply(404, {});
    const headers: Record<string, string> = file.etag === null ? {} : { etag: file.etag };
    const { range } = request;
    const isOther = request.ifRange !== null && request.ifRange !== file.etag;
    if (range === null || file.sequential || isOther) {
      if (!file.hideLength) headers['content-length'] = String(file.sizeBytes);
      if (!file.sequential) headers['accept-ranges'] = 'bytes';
      return reply(200, headers, 0, file.sizeBytes);
    }
    const spec =
      range.kind === 'suffix'
        ? ({ kind: 'suffix', length: range.length } as const)
        : ({ kind: 'from', first: range.start, last: range.end === null ? null : range.end - 1 } as const);
    const found = resolveRangeSpec(spec, file.sizeBytes);
    if (found === null) return reply(416, { 'content-range': `bytes */${file.sizeBytes}` });
    headers['content-range'] = `bytes ${found.start}-${found.end - 1}/${file.hideTotal ? '*' : file.sizeBytes}`;
    return reply(206, headers, found.start, found.end);
  }

  #body(file: VirtualFile, fault: VirtualFault, noted: VirtualRequest, start: number, end: number, abort: AbortSignal) {
    const { seed } = file;
    const { bytesPerMs = 10_000, cutAfterBytes = Infinity, stallAfterBytes = Infinity } = fault;
    let position = start;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const sent = position - start;
      if (position >= end) {
        noted.open = false;
        return controller.close();
      }
      if (sent >= cutAfterBytes) {
        noted.open = false;
        return controller.error(new Error('ECONNRESET'));
      }
      if (sent >= stallAfterBytes) await this.#wait(2 ** 40, abort);
      const next = Math.min(
        end,
        position + PIECE_BYTES,
        start + cutAfterBytes,
        sent < stallAfterBytes ? start + stallAfterBytes : end,
      );
      const share = Math.min(bytesPerMs, this.lineBytesPerMs / Math.max(1, this.openCount));
      await this.#wait((next - position) / share, abort);
      controller.enqueue(contentOf(seed, position, next));
      noted.bodyBytes += next - position;
      position = next;
    };
    return new ReadableStream<Uint8Array>(
      { pull: (controller) => pull(controller).catch((error: unknown) => controller.error(error)) },
      { highWaterMark: 0 },
    );
  }
}
