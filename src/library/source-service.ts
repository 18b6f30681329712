// Everything that pages and the API do with sources: one class, so that both do the same.
import { createHash } from 'node:crypto';
import type { SourceHoldings } from '../db/sources.ts';
import { LarderError } from '../errors.ts';
import { PATH_LENGTH_MAX, SOURCE_TESTS_MAX } from '../limits.ts';
import { decodePath, encodePath } from '../sources/media-address.ts';
import type { SourceKind, SourceTarget } from '../sources/media-source.ts';
import type { SourceTestOptions } from '../sources/source-test.ts';
import type { SourceTestReport, TestStep } from '../sources/source-test-report.ts';
import type { ResolvedSettings, SourceFacts, SourceInput, SourceRegistry } from './source-registry.ts';
import type { SourceRemoval } from './source-remover.ts';

/** How a source fares. */
export interface SourceStanding {
  readonly lastSuccessAt: number | null;
  readonly lastErrorAt: number | null;
  readonly lastErrorText: string | null;
  readonly hint: string | null;
  /** Since when every request fails; null while they do not. */
  readonly failingSince: number | null;
}

export interface SourceView extends SourceFacts {
  readonly standing: SourceStanding;
  readonly holdings: SourceHoldings;
}

export interface SourceServiceParts {
  readonly registry: SourceRegistry;
  readonly standingOf: (sourceId: number) => SourceStanding | undefined;
  /** A request of the source was answered or failed. */
  readonly answered: (sourceId: number, error: LarderError | null) => void;
  readonly removals: () => readonly SourceRemoval[];
  readonly test: (settings: ResolvedSettings, options: SourceTestOptions) => Promise<SourceTestReport>;
}

/** What is to be tested: settings as they stand in a form, of a source that there is or of a new one. */
export interface SourceTestRequest {
  /** The source that the settings are changes of; null for a new one. */
  readonly name: string | null;
  readonly input: SourceInput;
  /** A file below the source; empty or left out, one is looked for. */
  readonly file?: string | undefined;
}

const UNKNOWN: SourceStanding = {
  lastSuccessAt: null,
  lastErrorAt: null,
  lastErrorText: null,
  hint: null,
  failingSince: null,
};
const NOTHING: SourceHoldings = { itemCount: 0, entryCount: 0, pinnedCount: 0, cachedBytes: 0 };

/** Tests of unsaved settings that are remembered, to be kept with the source when they are saved. */
const REPORTS_MAX = 16;

export class SourceService {
  readonly #parts: SourceServiceParts;
  readonly #reports = new Map<string, SourceTestReport>();
  #running = 0;

  constructor(parts: SourceServiceParts) {
    this.#parts = parts;
  }

  /** By name. */
  async list(): Promise<SourceView[]> {
    const { registry } = this.#parts;
    const holdings = await registry.holdings();
    return registry.list().map((facts) => this.#view(facts, holdings.get(facts.id)));
  }

  /** Where sources are declared outside, in words; null when none is. */
  declaredBy(): string | null {
    return this.#parts.registry.list().find(({ lockedBy }) => lockedBy !== null)?.lockedBy ?? null;
  }

  /** @throws LarderError `unknown-source` */
  async get(name: string): Promise<SourceView> {
    const { registry } = this.#parts;
    return this.#view(registry.get(name), await registry.holdingsOf(name));
  }

  /** Sources that were removed and whose bytes are still going. */
  removals(): readonly SourceRemoval[] {
    return this.#parts.removals();
  }

  /** @throws LarderError `invalid`, `conflict`, `secret-key` */
  async add(name: string, input: SourceInput): Promise<SourceView> {
    await this.#parts.registry.add(name, input);
    await this.#keepReport(name);
    return this.get(name);
  }

  /** @throws LarderError `unknown-source`, `invalid`, `conflict`, `secret-key` */
  async update(name: string, input: SourceInput): Promise<SourceView> {
    await this.#parts.registry.update(name, input);
    await this.#keepReport(name);
    return this.get(name);
  }

  /** @returns what is lost with it @throws LarderError `unknown-source`, `conflict` */
  remove(name: string): Promise<SourceHoldings> {
    return this.#parts.registry.remove(name);
  }

  /**
   * Tries settings without saving them. What the source as it is saved is found to be is kept with it.
   * @throws LarderError `unknown-source`, `invalid`, `overloaded`, `stopped` when `signal` was aborted
   */
  async test(
    { name, input, file = '' }: SourceTestRequest,
    signal: AbortSignal,
    onStep: (step: TestStep) => void = () => undefined,
  ): Promise<SourceTestReport> {
    const { registry, test } = this.#parts;
    const settings = await registry.resolveSettings(input, name);
    const path = readFilePath(file);
    if (this.#running >= SOURCE_TESTS_MAX) {
      throw new LarderError('overloaded', `${SOURCE_TESTS_MAX} sources are being tested already`, {
        retry: 'soon',
        hint: 'try again when one of them has ended',
      });
    }
    this.#running += 1;
    try {
      const report = await test(settings, { file: path, signal, onStep });
      this.#remember(settings.definition.kind, settings.target, report);
      if (name !== null) await this.#keepReport(name);
      return report;
    } finally {
      this.#running -= 1;
    }
  }

  #view(facts: SourceFacts, holdings: SourceHoldings = NOTHING): SourceView {
    return { ...facts, standing: this.#parts.standingOf(facts.id) ?? UNKNOWN, holdings };
  }

  #remember(kind: SourceKind, target: SourceTarget, report: SourceTestReport): void {
    const key = fingerprint(kind, target);
    this.#reports.delete(key);
    this.#reports.set(key, report);
    const [oldest] = this.#reports.keys();
    if (this.#reports.size > REPORTS_MAX && oldest !== undefined) this.#reports.delete(oldest);
  }

  /** Keeps the newest test of a source's settings as they are saved, and takes it for an answer of the source. */
  async #keepReport(name: string): Promise<void> {
    const { registry, answered } = this.#parts;
    const source = registry.find(name);
    const report = source === undefined ? undefined : this.#reports.get(fingerprint(source.kind, source.target));
    if (source === undefined || report === undefined) return;
    if (registry.get(name).lastTest?.atMs === report.atMs) return;
    await registry.recordTest(name, report);
    const failed = report.steps.find((step) => step.ok === false && !report.ok);
    const hint = failed?.hint ?? undefined;
    answered(
      source.id,
      failed === undefined ? null : new LarderError('origin-failed', failed.detail, hint === undefined ? {} : { hint }),
    );
  }
}

/** Of settings with their secrets: stays in memory. */
function fingerprint(kind: SourceKind, { url, credentials, local }: SourceTarget): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, url, credentials, local]))
    .digest('hex');
}

/** A path as a person types it, `Films/Some Film.mkv`, or pastes it from an address, percent-encoded. */
function readFilePath(text: string): string | null {
  const typed = text.trim().replace(/^\/+/, '');
  if (typed === '') return null;
  try {
    if (typed.length > PATH_LENGTH_MAX) throw new LarderError('bad-address', 'the path is too long');
    const isEncoded = /%[0-9a-f]{2}/i.test(typed) && !/\s/.test(typed);
    return decodePath(isEncoded ? typed : encodePath(typed));
  } catch (error) {
    throw new LarderError('invalid', 'the file to test with is no file below the address', {
      cause: error,
      hint: 'give its path as it follows the address, such as Films/Some Film.mkv',
    });
  }
}
