// Rounds of kill -9 on one data folder. A round: start, let viewers read at random, kill at a random moment; start with
// the origin gone and have every byte that the rows claim; now and then read a whole film and count what the origin
// had to send again. The first thing that is wrong ends the run with a Violation.
import { RangeSet } from '../../src/bytes/range-set.ts';
import { signedIn } from '../support/owner.ts';
import { createRandom, type Random } from '../support/random.ts';
import {
  type CachedFilm,
  type CacheRows,
  findWrongRow,
  leaveOrphan,
  listChunkFiles,
  readCacheRows,
} from './cache-rows.ts';
import { checkedGet, Violation } from './checked-get.ts';
import { etagOf, type Film, filmAt } from './film.ts';
import { FilmOrigin } from './film-origin.ts';
import { jobsAtKill, lossesOf, sentAgain } from './kill-ledger.ts';
import type { KillRoundsOptions } from './kill-options.ts';
import { emptySummary, type KillSummary, median } from './kill-summary.ts';
import { LarderProcess } from './larder-process.ts';
import { undeliveredBytes } from './tcp-queues.ts';
import { type Watched, watchAtRandom } from './viewer.ts';

const SOURCE = 'films';
const VIEWERS_MAX = 6;
const EARLY_KILL_CHANCE = 0.15;
/** Until the first start was measured. */
const START_GUESS_MS = 200;
/** Starts that also fetch the rest of what was watched by themselves. */
const FILL_CHANCE = 0.3;
/** A removal that was killed between its rows and its file is rarer than it should be in a test: it is made up. */
const ORPHAN_CHANCE = 0.3;
const INTEGRITY_EVERY_ROUNDS = 5;
const WHOLE_READ_EVERY_ROUNDS = 4;
const UNREST_EVERY_ROUNDS = 2;

export class KillRounds {
  readonly summary: KillSummary = emptySummary();
  readonly #options: KillRoundsOptions;
  readonly #random: Random;
  readonly #films: readonly Film[];
  readonly #origin: FilmOrigin;
  readonly #dataFolder: string;
  #rows: CacheRows = { films: new Map(), fileNames: new Set() };
  /** Films that were changed or removed in this life of the process: what is lost of them is no loss. */
  #restless = new Set<string>();
  /** By path: what kills lost of its present version. */
  readonly #lost = new Map<string, RangeSet>();

  constructor(options: KillRoundsOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.#dataFolder = `${options.folder}/data`;
    const names = Array.from({ length: options.filmCount }, (_, index) => `film-${index}.mkv`);
    this.#films = names.map((name) => filmAt(name, options.seed, options.films));
    this.#origin = new FilmOrigin({ seed: options.seed, findFilm: (path) => this.#findFilm(path) ?? null });
  }

  /** @throws Violation at the first thing that is wrong */
  async run(): Promise<void> {
    using _origin = this.#origin;
    const { rounds } = this.#options;
    for (let round = 1; round <= rounds; round++) {
      this.summary.rounds = round;
      const killed = await this.#killOnce(round);
      await this.#verifyWithoutOrigin(round);
      if (round % WHOLE_READ_EVERY_ROUNDS === 0) await this.#readWhole([this.#random.pick(this.#films)]);
      this.#options.report(`round ${round}: ${killed}; ${(this.summary.verifiedBytes / 1e6).toFixed(0)} MB verified`);
    }
    await this.#readWhole(this.#films);
    await this.#verifyWithoutOrigin(0);
  }

  async #killOnce(round: number): Promise<string> {
    const jobsBefore = this.#origin.jobs.length;
    this.#restless = new Set();
    await using larder = this.#start(true);
    const dead = new AbortController();
    const viewers: Promise<Watched>[] = [];
    let delayMs: number;
    const isEarly = this.#random.chance(EARLY_KILL_CHANCE);
    if (isEarly) {
      delayMs = this.#random.between(0, Math.ceil(median(this.summary.startMs) || START_GUESS_MS));
      await waitMs(delayMs);
    } else {
      const port = await larder.listening();
      const count = this.#random.between(1, VIEWERS_MAX);
      for (let index = 0; index < count; index++) viewers.push(this.#watch(port, round * 100 + index, dead.signal));
      // What one of them finds is heard of after the kill.
      for (const viewer of viewers) viewer.catch(() => undefined);
      delayMs = this.#random.between(0, this.#options.killWithinMs);
      const unrestMs = round % UNREST_EVERY_ROUNDS === 0 ? this.#random.between(0, delayMs) : delayMs;
      await waitMs(unrestMs);
      if (round % UNREST_EVERY_ROUNDS === 0) this.#unrest(port);
      await waitMs(delayMs - unrestMs);
    }
    larder.freeze();
    // In this same turn of the loop, so that the origin sends nothing between.
    const jobs = jobsAtKill(this.#origin.jobs.slice(jobsBefore), undeliveredBytes(this.#origin.port));
    dead.abort();
    this.#note(larder, isEarly);
    await larder.kill();
    for (const watched of await Promise.all(viewers)) this.summary.verifiedBytes += watched.bytes;
    await this.#look(false, round % INTEGRITY_EVERY_ROUNDS === 0);
    const lossText = this.#settleLosses(jobs.filter((job) => !this.#restless.has(job.path)));
    return `killed ${delayMs} ms after ${isEarly ? 'its start' : 'it listened'}, ${viewers.length} viewers, ${lossText}`;
  }

  #settleLosses(jobs: ReturnType<typeof jobsAtKill>): string {
    const { boundBytes, seed } = this.#options;
    const losses = lossesOf(jobs, this.#rows, seed, (path) => this.#findFilm(path)!);
    const largest = losses.reduce((most, loss) => Math.max(most, loss.bytes), 0);
    this.summary.jobsAtKills += jobs.length;
    this.summary.largestLossBytes = Math.max(this.summary.largestLossBytes, largest);
    for (const { job, bytes } of losses) {
      if (bytes > boundBytes) {
        throw new Violation(
          `the kill lost ${bytes} bytes of the job from ${job.start} to ${job.end} of ${job.path}: more than ${boundBytes}`,
        );
      }
      const stored = RangeSet.of(this.#rows.films.get(job.path)?.ranges ?? []);
      const lost = this.#lost.get(job.path) ?? new RangeSet();
      for (const gap of stored.gaps(job.start, job.end)) lost.add(gap.start, gap.end);
      this.#lost.set(job.path, lost);
    }
    return `${jobs.length} jobs, ${(largest / 1024).toFixed(0)} KiB lost of one at most`;
  }

  /** Everything that the rows claim is served with the origin gone, and what is not there is never made up. */
  async #verifyWithoutOrigin(round: number): Promise<void> {
    const before = this.#rows;
    if (this.#random.chance(ORPHAN_CHANCE)) await leaveOrphan(this.#dataFolder, SOURCE);
    const isDown = this.#random.chance(0.7);
    if (isDown) this.#origin.goDown();
    else this.#origin.isRefusing = true;
    await using larder = this.#start(this.#random.chance(0.5));
    const port = await larder.listening();
    const done = new AbortController();
    const wanderers = [1, 2].map((index) => this.#watch(port, -round * 100 - index, done.signal, false));
    await Promise.all([...before.films.values()].map((film) => this.#verifyFilm(port, film)));
    done.abort();
    for (const watched of await Promise.all(wanderers)) this.summary.verifiedBytes += watched.bytes;
    const killsAgain = round > 0 && this.#random.chance(0.2);
    this.#note(larder, false, killsAgain);
    if (killsAgain) await larder.kill();
    else await this.#stop(larder);
    await this.#look(!killsAgain, round % INTEGRITY_EVERY_ROUNDS === 0);
    for (const film of before.films.values()) {
      const now = RangeSet.of(this.#rows.films.get(film.path)?.ranges ?? []);
      const gone = film.ranges.find((range) => !now.contains(range.start, range.end));
      if (gone) throw new Violation(`${film.path} [${gone.start}, ${gone.end}) was there before a start and not after`);
    }
    if (isDown) this.#origin.comeBack();
    this.#origin.isRefusing = false;
  }

  async #verifyFilm(port: number, stored: CachedFilm): Promise<void> {
    const film = this.#findFilm(stored.path)!;
    for (const range of stored.ranges) {
      // Ranges of a film of unknown length cannot be asked for: it is read from its start, as far as it is there.
      const isRanged = stored.totalBytes !== null;
      const asked = isRanged ? { range } : { leaveAfter: range.end };
      const result = await checkedGet({ port, source: SOURCE, film, seed: this.#options.seed, ...asked });
      const etag = result.version === null ? null : etagOf(film, this.#options.seed, result.version);
      const isAll = isRanged ? result.ending === 'whole' && result.status === 206 : result.bodyBytes >= range.end;
      if (!isAll || etag !== stored.etag || (isRanged && result.cache !== 'HIT')) {
        throw new Violation(
          `${film.path} [${range.start}, ${range.end}) of ${stored.etag} is claimed, and got ${JSON.stringify(result)}`,
        );
      }
      this.summary.verifiedBytes += result.bodyBytes;
    }
  }

  /** Whole films through Larder; what was there may not be asked for again. */
  async #readWhole(films: readonly Film[]): Promise<void> {
    const before = this.#rows;
    const jobsBefore = this.#origin.jobs.length;
    await using larder = this.#start(true);
    const port = await larder.listening();
    await Promise.all(films.map((film) => this.#readFilm(port, film, before.films.get(film.path))));
    this.#note(larder, false, false);
    await this.#stop(larder);
    await this.#look(true, true);
    for (const film of films) {
      const stored = before.films.get(film.path);
      const jobs = this.#origin.jobs.slice(jobsBefore).filter((job) => job.path === film.path);
      // A sequential origin starts at zero again, and another version is another film.
      if (film.kind === 'seekable' && stored?.etag === this.#currentEtag(film)) {
        const again = sentAgain(jobs, RangeSet.of(stored.ranges));
        if (again > 0) throw new Violation(`the origin had to send ${again} bytes of ${film.path} that were there`);
        this.summary.resentBytes += sentAgain(jobs, this.#lost.get(film.path) ?? new RangeSet());
      }
      this.#lost.delete(film.path);
      const now = this.#rows.films.get(film.path);
      if (now === undefined || now.totalBytes === null || !RangeSet.of(now.ranges).contains(0, now.totalBytes)) {
        throw new Violation(`${film.path} was read whole and is not there whole: ${JSON.stringify(now?.ranges)}`);
      }
    }
  }

  async #readFilm(port: number, film: Film, stored: CachedFilm | undefined): Promise<void> {
    const get = () => checkedGet({ port, source: SOURCE, film, seed: this.#options.seed });
    let result = await get();
    // The change is noticed where the stored bytes end: that response is cut, and the next one is of the new version.
    if (result.ending === 'cut' && stored !== undefined && stored.etag !== this.#currentEtag(film))
      result = await get();
    if (result.status !== 200 || result.ending !== 'whole') {
      throw new Violation(`${film.path} was asked for whole, and got ${JSON.stringify(result)}`);
    }
    this.summary.verifiedBytes += result.bodyBytes;
    this.summary.wholeReads += 1;
  }

  #currentEtag(film: Film): string {
    return etagOf(film, this.#options.seed, this.#origin.currentVersion(film.path));
  }

  /** A film changes at the origin, or somebody removes an entry, without waiting for what comes of it. */
  #unrest(port: number): void {
    const film = this.#random.pick(this.#films);
    this.#restless.add(film.path);
    this.#lost.delete(film.path);
    const entryId = this.#rows.films.get(film.path)?.entryId;
    if (entryId === undefined || this.#random.chance(0.4)) {
      this.#origin.change(film.path);
      return;
    }
    const remove = signedIn(this.#dataFolder).then(({ headers }) =>
      fetch(`http://localhost:${port}/entries/${entryId}/remove`, { method: 'POST', redirect: 'manual', headers }),
    );
    remove.catch(() => undefined); // killed meanwhile
  }

  async #watch(port: number, salt: number, signal: AbortSignal, mustSucceed = true): Promise<Watched> {
    const random = createRandom(this.#options.seed * 100_003 + salt);
    // A change at the origin is noticed when the next bytes are asked for, and cuts who reads then.
    const isOld = (film: Film) => {
      const stored = this.#rows.films.get(film.path);
      return stored !== undefined && stored.etag !== this.#currentEtag(film);
    };
    const isExcused = (film: Film) => !mustSucceed || this.#restless.has(film.path) || isOld(film);
    const { seed } = this.#options;
    return watchAtRandom({
      port,
      sourceOf: () => SOURCE,
      seed,
      random,
      pickFilm: () => random.pick(this.#films),
      signal,
      isExcused,
    });
  }

  #start(declaresSource: boolean): LarderProcess {
    const isKnown = this.#rows.films.size > 0 && !declaresSource;
    const source = isKnown ? [] : ['--source', `${SOURCE}=${this.#origin.url}`];
    const fill = this.#random.chance(FILL_CHANCE) ? ['--background-fill', 'on'] : [];
    return new LarderProcess(this.#dataFolder, [...source, ...fill]);
  }

  async #stop(larder: LarderProcess): Promise<void> {
    this.summary.longestStopMs = Math.max(this.summary.longestStopMs, await larder.terminate());
  }

  #note(larder: LarderProcess, isEarly: boolean, isKill = true): void {
    if (larder.startMs !== null) this.summary.startMs.push(larder.startMs);
    if (isKill) this.summary.kills += 1;
    if (isEarly && larder.startMs === null) this.summary.killsBeforeListening += 1;
  }

  /** Reads the rows and compares them with the files. */
  async #look(isSettled: boolean, checkIntegrity: boolean): Promise<void> {
    const scratchFile = `${this.#options.folder}/look.db`;
    const [mistake] = this.#origin.mistakes;
    if (mistake !== undefined) throw new Violation(mistake);
    this.#rows = await readCacheRows({ dataFolder: this.#dataFolder, scratchFile, source: SOURCE, checkIntegrity });
    for (const film of this.#rows.films.values()) {
      const wrong = await findWrongRow(film, this.#dataFolder);
      if (wrong !== null) throw new Violation(`the rows of ${film.path} name ${wrong}`);
    }
    if (!isSettled) return;
    const orphan = (await listChunkFiles(this.#dataFolder)).find(
      (file) => !this.#rows.fileNames.has(file.replace(/\.larder\.json(\.new)?$/, '')),
    );
    if (orphan !== undefined) throw new Violation(`no row names the chunk file ${orphan} after a start has settled`);
  }

  #findFilm(path: string): Film | undefined {
    return this.#films.find((film) => film.path === path);
  }
}

function waitMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
