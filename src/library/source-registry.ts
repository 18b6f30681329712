// The sources that there are: those declared at the start and those that the owner added, changed at run time. The rows
// are the truth; the `MediaSource` of each is what the engine holds on to, and lives as long as the source does.
//
// Secrets: sealed in the row, in memory in the `MediaSource`, and in nothing that this class gives out.
import type { Clock } from '../clock.ts';
import type { SourceHoldings, SourceRow, SourceTable } from '../db/sources.ts';
import { describeError, LarderError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type AddressLookup, isLocalHost } from '../sources/address-guard.ts';
import { type DeclaredSource, parseSourceName } from '../sources/http-source.ts';
import type {
  MediaSource,
  SourceCredentials,
  SourceKind,
  SourceKindDefinition,
  SourceOptions,
  SourceServices,
  SourceTarget,
} from '../sources/media-source.ts';
import type { FindKind } from '../sources/source-kinds.ts';
import { parseReport, type SourceTestReport } from '../sources/source-test-report.ts';
import type { SourceRemoval } from './source-remover.ts';

export interface SourceRegistryServices {
  readonly table: SourceTable;
  /** Seals credentials. */
  readonly sealer: { seal(text: string): string; open(sealed: string): string };
  readonly findKind: FindKind;
  /** What sources stand on. */
  readonly sourceServices: SourceServices;
  readonly declared: readonly DeclaredSource[];
  /** In words, such as `--source`. */
  readonly declaredBy: string;
  readonly lookup: AddressLookup;
  readonly health: { load(rows: readonly SourceRow[]): void; forget(sourceId: number): void };
  /** A source is new or has other settings: what it said before holds no longer. */
  readonly retargeted: (sourceId: number) => void;
  readonly remover: { add(removal: SourceRemoval): void };
  readonly noteEvent: (kind: string, subject: string, text: string) => unknown;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the owner gives. What is left out stays as it is, or is chosen by Larder. */
export interface SourceInput {
  readonly url?: string | undefined;
  /** Null takes them away. */
  readonly credentials?: unknown;
  /** Whether it may reach private networks; left out, that is as the address is. */
  readonly local?: boolean | undefined;
  /** What its kind can be told besides; those that are given replace those that there are. */
  readonly options?: SourceOptions | undefined;
  /** Of a new source; left out, it is `http`. */
  readonly kind?: SourceKind | undefined;
}

/** Settings as they would be saved. */
export interface ResolvedSettings {
  readonly definition: SourceKindDefinition;
  readonly target: SourceTarget;
}

/** All that is told of a source's settings. */
export interface SourceFacts {
  readonly id: number;
  readonly name: string;
  readonly kind: SourceKind;
  readonly url: string;
  /** In a word; `none` without. */
  readonly credentials: string;
  readonly options: SourceOptions;
  /** They were sealed with a key that is not there any more. */
  readonly credentialsLost: boolean;
  readonly local: boolean | null;
  /** Where its address is set, in words: it cannot be changed or removed here then. */
  readonly lockedBy: string | null;
  /** Its credentials are set there, too. */
  readonly credentialsLocked: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastTest: SourceTestReport | null;
}

interface Known {
  readonly source: MediaSource;
  readonly definition: SourceKindDefinition;
  row: SourceRow;
  credentialsLost: boolean;
}

const NO_HOLDINGS: SourceHoldings = { itemCount: 0, entryCount: 0, pinnedCount: 0, cachedBytes: 0 };
const LOOKUP_MS = 3_000;
const REMOVED_NAME = / \(removed \d+\)$/;

export class SourceRegistry {
  readonly #services: SourceRegistryServices;
  readonly #byName = new Map<string, Known>();
  /** Changes go one after the other. */
  #order: Promise<unknown> = Promise.resolve();
  /** No id is given twice in one life of the program: what is in memory of a removed source is nobody else's. */
  #nextId = 1;

  constructor(services: SourceRegistryServices) {
    this.#services = services;
  }

  /** Reads the rows and goes on with removals that a stop cut off. To be called once, after the declared ones are rows. */
  async load(): Promise<void> {
    const rows = await this.#services.table.list();
    const holdings = await this.#services.table.holdings();
    for (const row of rows) {
      this.#nextId = Math.max(this.#nextId, row.id + 1);
      if (row.removedAt !== null) this.#startRemoval(row.id, row.name.replace(REMOVED_NAME, ''), holdings.get(row.id));
      else await this.#know(row);
    }
  }

  find(name: string): MediaSource | undefined {
    return this.#byName.get(name)?.source;
  }

  /** Name of a source by its id. */
  nameOf(id: number): string {
    for (const { source } of this.#byName.values()) if (source.id === id) return source.name;
    return 'a removed source';
  }

  /** Sources in use, by name. */
  sources(): MediaSource[] {
    return this.#sorted().map(({ source }) => source);
  }

  list(): SourceFacts[] {
    return this.#sorted().map((known) => this.#factsOf(known));
  }

  /** @throws LarderError `unknown-source` */
  get(name: string): SourceFacts {
    return this.#factsOf(this.#require(name));
  }

  /** What removing a source would lose. @throws LarderError `unknown-source` */
  async holdingsOf(name: string): Promise<SourceHoldings> {
    const { source } = this.#require(name);
    return (await this.holdings()).get(source.id) ?? NO_HOLDINGS;
  }

  /** Of all sources, by id. */
  holdings(): Promise<Map<number, SourceHoldings>> {
    return this.#services.table.holdings();
  }

  /** @throws LarderError `invalid`, `conflict` when the name is taken, `secret-key` when secrets cannot be kept */
  add(name: string, input: SourceInput): Promise<SourceFacts> {
    return this.#inOrder(async () => {
      const { table, clock, log, noteEvent } = this.#services;
      parseSourceName(name);
      if (this.#byName.has(name)) throw nameTaken(name);
      const { definition, target } = await this.resolveSettings(input, null);
      const settings = { kind: definition.kind, ...this.#settingsRow(target) };
      const row = await table.add(name, settings, this.#nextId, clock.nowMs());
      if (row === null) throw nameTaken(name);
      const known = await this.#know(row);
      this.#services.retargeted(row.id);
      log.info('a source was added', { source: name, url: target.url });
      noteEvent('source', name, `Added, at ${target.url}`);
      return this.#factsOf(known);
    });
  }

  /**
   * What is kept stays kept, also when the address changes.
   * @throws LarderError `unknown-source`, `invalid`, `conflict` when it is set outside, `secret-key`
   */
  update(name: string, input: SourceInput): Promise<SourceFacts> {
    return this.#inOrder(async () => {
      const { table, clock, log, noteEvent, retargeted } = this.#services;
      const known = this.#require(name);
      const facts = this.#factsOf(known);
      const { target } = await this.resolveSettings(input, name);
      if (facts.lockedBy !== null && target.url !== known.source.url) throw setOutside(name, 'address', facts.lockedBy);
      if (facts.credentialsLocked && input.credentials !== undefined) {
        throw setOutside(name, 'user and password', facts.lockedBy!);
      }
      const row = await table.update(known.source.id, this.#settingsRow(target, known), clock.nowMs());
      if (row === null) throw unknownSource(name);
      const wasAt = known.source.url;
      known.row = row;
      if (input.credentials !== undefined) known.credentialsLost = false;
      known.source.retarget(target);
      this.#services.health.load([row]);
      retargeted(row.id);
      log.info('a source was changed', { source: name, url: target.url });
      noteEvent(
        'source',
        name,
        wasAt === target.url ? 'Changed' : `Changed: it is at ${target.url} now, it was at ${wasAt}`,
      );
      return this.#factsOf(known);
    });
  }

  /**
   * Its readers are cut, its name is free at once; its bytes go in the background.
   * @returns what is lost with it
   * @throws LarderError `unknown-source`, `conflict` when it is set outside
   */
  remove(name: string): Promise<SourceHoldings> {
    return this.#inOrder(async () => {
      const { table, health, clock, log, noteEvent } = this.#services;
      const known = this.#require(name);
      const { lockedBy } = this.#factsOf(known);
      if (lockedBy !== null) {
        throw new LarderError('conflict', `the source ${JSON.stringify(name)} is declared by ${lockedBy}`, {
          hint: 'take it out there and start Larder again; then it can be removed here',
        });
      }
      const { id } = known.source;
      const holdings = (await table.holdings()).get(id) ?? NO_HOLDINGS;
      await table.markRemoved(id, `${name} (removed ${id})`, clock.nowMs());
      this.#byName.delete(name);
      known.source.remove();
      health.forget(id);
      log.info('a source is being removed', { source: name, bytes: holdings.cachedBytes });
      noteEvent('source', name, 'Removed by the owner; what was kept of it goes');
      this.#startRemoval(id, name, holdings);
      return holdings;
    });
  }

  /** Keeps what a test of the source as it is now said. */
  async recordTest(name: string, report: SourceTestReport): Promise<void> {
    const known = this.#require(name);
    const test = { testedAt: report.atMs, testResult: JSON.stringify(report) };
    await this.#services.table.recordTest(known.source.id, test);
    known.row = { ...known.row, ...test };
  }

  /**
   * What a source would be asked at with this input, saved or not.
   * @throws LarderError `invalid`, `unknown-source`
   */
  async resolveSettings(input: SourceInput, name: string | null): Promise<ResolvedSettings> {
    const known = name === null ? null : this.#require(name);
    const before = known?.source.target ?? null;
    if (known !== null && input.kind !== undefined && input.kind !== known.source.kind) {
      throw new LarderError('invalid', `the source is of kind ${known.source.kind}, which cannot be changed`, {
        hint: 'add another source with the new kind',
      });
    }
    const definition = known?.definition ?? (await this.#services.findKind(input.kind ?? 'http'));
    if (input.url === undefined && before === null) {
      throw new LarderError('invalid', 'the address is missing', {
        hint: 'give the address of the server, or of the folder that holds the files',
      });
    }
    const parsed =
      input.url === undefined ? { url: before!.url, credentials: null } : definition.parseUrl(input.url.trim());
    let credentials: SourceCredentials | null;
    if (input.credentials !== undefined) {
      credentials = definition.parseCredentials(input.credentials);
      if (credentials !== null && parsed.credentials !== null) {
        throw new LarderError('invalid', 'user and password stand in the address, and there are other credentials', {
          hint: 'take them out of the address',
        });
      }
      credentials ??= parsed.credentials;
    } else credentials = parsed.credentials ?? before?.credentials ?? null;
    const isElsewhere = before !== null && new URL(before.url).origin !== new URL(parsed.url).origin;
    const isKept = credentials !== null && credentials === before?.credentials;
    if (isElsewhere && isKept) {
      throw new LarderError(
        'invalid',
        'the address is at another host, and the credentials were given for the old one',
        {
          hint: 'enter them again, or take them away',
        },
      );
    }
    // Of one that was taken up from labels nobody has said it yet: who gives its address does.
    const isKnown = before !== null && !isElsewhere && (before.local !== null || input.url === undefined);
    const local = input.local ?? (isKnown ? before.local : await this.#isLocal(parsed.url));
    const chosen = input.options === undefined ? (before?.options ?? {}) : { ...before?.options, ...input.options };
    const options = definition.parseOptions(chosen, before?.options ?? null, this.#services.sourceServices.randomId);
    return { definition, target: { url: parsed.url, credentials, local, options } };
  }

  /** Whether the host is one of a private network. A name that cannot be looked up now says nothing: it is not, then. */
  async #isLocal(url: string): Promise<boolean> {
    const { lookup, clock } = this.#services;
    const late = new Promise<boolean>((resolve) => clock.after(LOOKUP_MS, () => resolve(false)));
    return Promise.race([isLocalHost(new URL(url), lookup).catch(() => false), late]);
  }

  #settingsRow(target: SourceTarget, known?: Known): Pick<SourceRow, 'url' | 'credentials' | 'options'> {
    const { url, credentials, local, options } = target;
    const isUnchanged = known !== undefined && credentials === known.source.target.credentials;
    let sealed = known?.row.credentials ?? null;
    if (!isUnchanged) sealed = credentials === null ? null : this.#services.sealer.seal(JSON.stringify(credentials));
    return { url, credentials: sealed, options: JSON.stringify(local === null ? options : { ...options, local }) };
  }

  async #know(row: SourceRow): Promise<Known> {
    this.#nextId = Math.max(this.#nextId, row.id + 1);
    const declared = this.#declaredOf(row.name);
    const definition = await this.#services.findKind(row.kind);
    let credentials: SourceCredentials | null = declared?.credentials ?? null;
    let credentialsLost = false;
    if (credentials === null && row.credentials !== null) {
      try {
        credentials = definition.parseCredentials(JSON.parse(this.#services.sealer.open(row.credentials)));
      } catch (error) {
        credentialsLost = true;
        this.#services.log.warning('the credentials of a source cannot be read: enter them again', {
          source: row.name,
          error: describeError(error),
        });
      }
    }
    const target = { url: row.url, credentials, ...readOptions(row.options) };
    const source = definition.create(row.id, row.name, target, this.#services.sourceServices);
    const known = { source, definition, row, credentialsLost };
    this.#byName.set(row.name, known);
    this.#services.health.load([row]);
    return known;
  }

  #factsOf({ source, definition, row, credentialsLost }: Known): SourceFacts {
    const declared = this.#declaredOf(row.name);
    return {
      id: row.id,
      name: row.name,
      kind: row.kind,
      url: row.url,
      credentials: definition.credentialKind(source.target.credentials),
      options: source.target.options,
      credentialsLost,
      local: source.target.local,
      lockedBy: declared === undefined ? null : this.#services.declaredBy,
      credentialsLocked: declared !== undefined && declared.credentials !== null,
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
      lastTest: parseReport(row.testResult),
    };
  }

  #declaredOf(name: string): DeclaredSource | undefined {
    return this.#services.declared.find((source) => source.name === name);
  }

  #startRemoval(sourceId: number, name: string, holdings: SourceHoldings = NO_HOLDINGS): void {
    const { entryCount, cachedBytes } = holdings;
    this.#services.remover.add({ sourceId, name, entryCount, cachedBytes });
  }

  #sorted(): Known[] {
    return [...this.#byName.values()].sort((left, right) => (left.row.name < right.row.name ? -1 : 1));
  }

  #require(name: string): Known {
    const known = this.#byName.get(name);
    if (known === undefined) throw unknownSource(name);
    return known;
  }

  #inOrder<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#order.then(change);
    this.#order = result.catch(() => undefined);
    return result;
  }
}

function readOptions(text: string): { local: boolean | null; options: SourceOptions } {
  try {
    const { local, ...options } = JSON.parse(text) as Record<string, unknown>;
    return { local: typeof local === 'boolean' ? local : null, options };
  } catch {
    return { local: null, options: {} }; // not ours: as if nothing was chosen
  }
}

function unknownSource(name: string): LarderError {
  return new LarderError('unknown-source', `there is no source named ${JSON.stringify(name.slice(0, 80))}`, {
    hint: 'the page of sources lists those that there are',
  });
}

function nameTaken(name: string): LarderError {
  return new LarderError('conflict', `there is a source named ${JSON.stringify(name)} already`, {
    hint: 'choose another name, or change the one that is there',
  });
}

function setOutside(name: string, what: string, where: string): LarderError {
  return new LarderError('conflict', `the ${what} of source ${JSON.stringify(name)} is set by ${where}`, {
    hint: 'change it there and start Larder again',
  });
}
