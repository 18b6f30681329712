// Tries a source, saved or not, step by step as a fetch would go: its name, a connection, TLS, whether it lets us in,
// ranges, length, speed. Says at each what was found, how long it took, and what to do. The steps of the network use
// connections of their own; from sign-in on it is asked through the client that fetches films, with the same rules.
import { connect, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import { SOURCE_TEST_BYTES, SOURCE_TEST_MS, SOURCE_TEST_STEP_MS } from '../limits.ts';
import { describeBytes } from '../words.ts';
import { type AddressLookup, checkHop } from './address-guard.ts';
import { carryCredentials } from './http-credentials.ts';
import type { HttpTarget } from './http-source.ts';
import { findListedFile } from './listed-file.ts';
import { encodePath } from './media-address.ts';
import type { SignInTrial } from './media-source.ts';
import { describeNetworkError } from './network-words.ts';
import type { OriginClient, OriginRequest } from './origin-client.ts';
import { isStrongEtag, type OriginHead, readOriginHead } from './origin-response.ts';
import {
  describeAdmission,
  type Finding,
  findingOf,
  judgeClock,
  judgeConnectError,
  judgeFolder,
  judgeLength,
  judgeRanges,
  judgeRefusal,
  NO_FILE,
} from './source-test-findings.ts';
import {
  type SourceCapabilities,
  type SourceTestReport,
  type TestStep,
  type TestStepName,
  testStepNames,
} from './source-test-report.ts';
import { checkCertificate } from './tls-check.ts';
import type { UpstreamRequest } from './upstream-request.ts';

export interface SourceTestServices {
  readonly client: Pick<OriginClient, 'ask' | 'asksForDigest'>;
  readonly lookup: AddressLookup;
  readonly clock: Clock;
  readonly ownPort: number;
  /** How a kind with a catalogue signs in; null for a base URL, which is asked for a file. */
  readonly trySignIn: ((signal: AbortSignal) => Promise<SignInTrial>) | null;
}

export interface SourceTestOptions {
  /** A file below the source to test with; null tries one that the folder's page links to. */
  readonly file: string | null;
  readonly signal: AbortSignal;
  /** Called with each step as it is done. */
  readonly onStep: (step: TestStep) => void;
}

/** Without one of these nothing can be streamed; the other steps say how well. */
const NEEDED = new Set<TestStepName>(['name', 'connect', 'tls', 'sign-in']);
const ADDRESSES_MAX = 3;
const LISTING_BYTES = 128 * 1024;

/** @throws LarderError `stopped` when `signal` was aborted */
export async function testSource(
  target: HttpTarget,
  services: SourceTestServices,
  options: SourceTestOptions,
): Promise<SourceTestReport> {
  return new SourceTest(target, services, options).run();
}

class SourceTest {
  readonly #target: HttpTarget;
  readonly #services: SourceTestServices;
  readonly #options: SourceTestOptions;
  readonly #url: URL;
  readonly #abort = new AbortController();
  readonly #steps: TestStep[] = [];
  #isLate = false;
  #failed = false;
  #addresses: readonly string[] = [];
  #socket: Socket | undefined;
  #file: string | null;
  /** Of a kind with a catalogue: where its file is. */
  #upstream: UpstreamRequest | null = null;
  #head: OriginHead | null = null;
  /** How far the origin's clock is ahead of ours. */
  #clockAheadMs: number | null = null;
  #capabilities: SourceCapabilities = {
    ranges: null,
    length: null,
    validator: null,
    firstByteMs: null,
    bytesPerSecond: null,
  };

  constructor(target: HttpTarget, services: SourceTestServices, options: SourceTestOptions) {
    this.#target = target;
    this.#services = services;
    this.#options = options;
    this.#url = new URL(target.url);
    this.#file = options.file;
  }

  async run(): Promise<SourceTestReport> {
    const { clock } = this.#services;
    const { signal } = this.#options;
    const stop = () => this.#abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const deadline = clock.after(SOURCE_TEST_MS, () => {
      this.#isLate = true;
      stop();
    });
    try {
      for (const step of testStepNames) await this.#run(step);
    } finally {
      deadline.cancel();
      signal.removeEventListener('abort', stop);
      stop();
      this.#socket?.destroy();
    }
    return {
      atMs: clock.nowMs(),
      ok: !this.#failed,
      file: this.#head === null ? null : this.#file,
      steps: this.#steps,
      capabilities: this.#capabilities,
    };
  }

  async #run(step: TestStepName): Promise<void> {
    const { clock } = this.#services;
    if (this.#failed) return this.#report({ step, ok: null, ms: null, detail: 'not tried', hint: null });
    const startedAtMs = clock.monotonicMs();
    let finding: Finding;
    try {
      finding = await this.#aborted(this.#try(step));
    } catch (error) {
      finding = this.#failureOf(error);
    }
    if (this.#options.signal.aborted) throw new LarderError('stopped', 'the test was called off');
    const ms = finding.ok === null ? null : Math.round(clock.monotonicMs() - startedAtMs);
    if (finding.ok === false && NEEDED.has(step)) this.#failed = true;
    this.#report({ step, ok: finding.ok, ms, detail: finding.detail, hint: finding.hint ?? null });
  }

  #report(step: TestStep): void {
    this.#steps.push(step);
    this.#options.onStep(step);
  }

  #failureOf(error: unknown): Finding {
    if (this.#isLate) {
      const detail = `the test was given up after ${SOURCE_TEST_MS / 1_000} s`;
      return { ok: false, detail, hint: 'the origin may be asleep or very slow: try again' };
    }
    return findingOf(error);
  }

  #try(step: TestStepName): Promise<Finding> {
    switch (step) {
      case 'name':
        return this.#findName();
      case 'connect':
        return this.#connect();
      case 'tls':
        return this.#shakeHands();
      case 'sign-in':
        return this.#signIn();
      case 'ranges':
        return Promise.resolve(judgeRanges(this.#head));
      case 'length':
        return Promise.resolve(judgeLength(this.#head));
      case 'speed':
        return this.#measureSpeed();
      case 'clock':
        return Promise.resolve(judgeClock(this.#clockAheadMs));
    }
  }

  async #findName(): Promise<Finding> {
    const { hostname } = this.#url;
    const { lookup, ownPort } = this.#services;
    let isLiteral = true;
    const find = async (host: string) => {
      isLiteral = false;
      return this.#within(SOURCE_TEST_STEP_MS, lookup(host), 'the name server does not answer');
    };
    const rule = { baseUrl: this.#target.url, ownPort, local: this.#target.local };
    try {
      this.#addresses = await checkHop(this.#url, rule, find);
    } catch (error) {
      if (error instanceof LarderError && error.code === 'forbidden-address') throw error;
      const detail = `${hostname} cannot be looked up: ${describeNetworkError(error)}`;
      return { ok: false, detail, hint: 'check how it is written, and the name server of this machine' };
    }
    if (isLiteral) return { ok: true, detail: `${hostname} is an address` };
    const [first, ...more] = this.#addresses;
    if (first === undefined) {
      return { ok: false, detail: `${hostname} has no address`, hint: 'check the entry of the name server' };
    }
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    return { ok: true, detail: `${hostname} is at ${first}${others}` };
  }

  async #connect(): Promise<Finding> {
    const port = Number(this.#url.port || (this.#url.protocol === 'https:' ? 443 : 80));
    let failure: Finding | null = null;
    for (const address of this.#addresses.slice(0, ADDRESSES_MAX)) {
      try {
        const opening = this.#openSocket(address, port);
        await this.#within(SOURCE_TEST_STEP_MS, opening, `no answer within ${SOURCE_TEST_STEP_MS / 1_000} s`);
        return { ok: true, detail: `${address} takes connections on port ${port}` };
      } catch (error) {
        this.#socket?.destroy();
        failure = judgeConnectError(error, address, port);
      }
    }
    return failure ?? { ok: false, detail: 'there is no address to connect to' };
  }

  #openSocket(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port });
      this.#socket = socket;
      socket.once('connect', resolve);
      socket.once('error', reject);
      // After the connection came about nobody listens to what else befalls it.
      socket.on('error', () => undefined);
    });
  }

  async #shakeHands(): Promise<Finding> {
    const { credentials } = this.#target;
    const { clientCertificate = null } = carryCredentials(credentials);
    if (this.#url.protocol === 'http:') {
      if (clientCertificate !== null) {
        const hint = 'use https where the origin has it, or another way to sign in';
        return { ok: null, detail: 'not used: the address is http, where no certificate is shown', hint };
      }
      const hint = credentials === null ? null : 'the credentials go unencrypted: use https where the origin has it';
      return { ok: null, detail: 'not used: the address is http', hint };
    }
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    const check = checkCertificate(this.#socket!, host, this.#services.clock.nowMs(), clientCertificate);
    return this.#within(SOURCE_TEST_STEP_MS, check, 'TLS came to no end');
  }

  /** Asks for the first byte of the file, or for the folder; finds a file in its listing where none was given. */
  async #signIn(): Promise<Finding> {
    const { trySignIn } = this.#services;
    if (trySignIn !== null) return this.#signInToCatalogue(trySignIn);
    if (this.#options.file !== null) return this.#askForFile(this.#options.file);
    const response = await this.#ask('', null);
    const { status } = response;
    const html = status === 200 ? await readText(response, LISTING_BYTES) : '';
    this.#abortBody(response);
    const file = status === 200 ? findListedFile(html, this.#target.url) : null;
    if (file === null) {
      const isAnswer = [200, 206, 403, 404].includes(status);
      return isAnswer ? judgeFolder(response, html, this.#target, this.#isDigest()) : this.#judgeRefusal(response);
    }
    this.#file = file;
    return this.#askForFile(file);
  }

  /** That we are let in is one thing; the file that it shows answers for the steps behind this one. */
  async #signInToCatalogue(trySignIn: (signal: AbortSignal) => Promise<SignInTrial>): Promise<Finding> {
    const { finding, sample } = await trySignIn(this.#abort.signal);
    if (sample === null || finding.ok !== true) return finding;
    this.#upstream = sample.request;
    this.#file = sample.name;
    const file = await this.#askForFile(sample.name);
    if (file.ok !== false) return finding;
    return { ...file, detail: `${finding.detail}, but ${JSON.stringify(sample.name)} does not play: ${file.detail}` };
  }

  async #askForFile(file: string): Promise<Finding> {
    const startedAtMs = this.#services.clock.monotonicMs();
    const range = { kind: 'from', start: 0, end: 1 } as const;
    const response = await this.#ask(file, range);
    this.#abortBody(response);
    const firstByteMs = Math.round(this.#services.clock.monotonicMs() - startedAtMs);
    this.#capabilities = { ...this.#capabilities, firstByteMs };
    const { status } = response;
    if (status === 404 || status === 410) {
      const detail = `there is no ${JSON.stringify(file.slice(0, 200))} below the address (${status})`;
      return { ok: false, detail, hint: 'check the address and the name of the file, as they are in a browser' };
    }
    if (status !== 200 && status !== 206 && status !== 416) return this.#judgeRefusal(response);
    if (status === 416) return { ok: true, detail: `${this.#describeAdmission()}; the file is empty` };
    const head = readOriginHead(response, range, true, this.#services.clock.nowMs());
    this.#head = head;
    const validator = isStrongEtag(head.etag) ? 'strong ETag' : head.lastModified !== null ? 'Last-Modified' : 'none';
    this.#capabilities = {
      ...this.#capabilities,
      validator,
      ranges: head.seekable,
      length: head.totalBytes !== null,
    };
    return {
      ok: true,
      detail: `${this.#describeAdmission()}, asked for ${JSON.stringify(file.slice(0, 200))} (${status})`,
    };
  }

  #isDigest(): boolean {
    const { url, credentials } = this.#target;
    return this.#services.client.asksForDigest({ baseUrl: url, ...carryCredentials(credentials) });
  }

  #describeAdmission(): string {
    return describeAdmission(this.#target.credentials, this.#isDigest());
  }

  #judgeRefusal(response: Response): Finding {
    return judgeRefusal(response, this.#target, this.#services.clock.nowMs());
  }

  async #measureSpeed(): Promise<Finding> {
    if (this.#head === null || this.#file === null) return NO_FILE;
    const { clock } = this.#services;
    const response = await this.#ask(this.#file, { kind: 'from', start: 0, end: SOURCE_TEST_BYTES });
    const startedAtMs = clock.monotonicMs();
    let bytes = 0;
    const isOver = () => bytes >= SOURCE_TEST_BYTES || clock.monotonicMs() - startedAtMs > SOURCE_TEST_STEP_MS;
    const reader = response.body?.getReader();
    while (reader !== undefined && !isOver()) {
      const part = await this.#within(
        SOURCE_TEST_STEP_MS,
        reader.read(),
        `nothing came for ${SOURCE_TEST_STEP_MS / 1_000} s`,
      );
      if (part.done) break;
      bytes += part.value.length;
    }
    void reader?.cancel().catch(() => undefined);
    if (bytes === 0) return { ok: false, detail: 'no byte of the file came', hint: 'open the file in a browser' };
    const ms = Math.max(1, clock.monotonicMs() - startedAtMs);
    const bytesPerSecond = Math.round((bytes * 1_000) / ms);
    this.#capabilities = { ...this.#capabilities, bytesPerSecond };
    return { ok: true, detail: `${describeBytes(bytesPerSecond)}/s over ${describeBytes(bytes)}` };
  }

  async #ask(path: string, range: OriginRequest['range']): Promise<Response> {
    const { url, credentials, local } = this.#target;
    const { client, clock, ownPort } = this.#services;
    const upstream = this.#upstream ?? {
      url: url + encodePath(path),
      ...carryCredentials(credentials),
      baseUrl: url,
      local,
    };
    const request: OriginRequest = {
      ...upstream,
      ownPort,
      range,
      ifRange: null,
      expectsMedia: false,
    };
    // One of its own: the client ends it when the origin is silent, and says so.
    const abort = new AbortController();
    this.#abort.signal.addEventListener('abort', () => abort.abort(), { once: true });
    const response = await client.ask(request, abort);
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.#clockAheadMs = date - clock.nowMs();
    return response;
  }

  #abortBody(response: Response): void {
    if (!response.bodyUsed) void response.body?.cancel().catch(() => undefined);
  }

  /** Settles with `promise`, or fails when the test is over. */
  #aborted<Result>(promise: Promise<Result>): Promise<Result> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const stop = () => reject(new LarderError('stopped', 'the test was called off'));
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  #within<Result>(ms: number, promise: Promise<Result>, message: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = this.#services.clock.after(ms, () => reject(new LarderError('origin-silent', message)));
      promise.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}

/** The beginning of a body as text. */
async function readText(response: Response, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  let bytes = 0;
  while (reader !== undefined && bytes < mostBytes) {
    const part = await reader.read();
    if (part.done) break;
    bytes += part.value.length;
    text += decoder.decode(part.value.subarray(0, mostBytes), { stream: true });
  }
  void reader?.cancel().catch(() => undefined);
  return text;
}
