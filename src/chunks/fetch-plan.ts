// Decides, for one file, which upstream fetches there should be: pure, from what is wanted, what is known and what
// runs. Two rules make the rest: live fetches never cover the same byte, and each want is served at its first gaps.
import type { RangeSet } from '../bytes/range-set.ts';
import {
  PROGRESS_BYTES,
  READ_AHEAD_START_BYTES,
  REOPEN_COST_MS,
  STRIPE_MAX_BYTES,
  STRIPE_MIN_BYTES,
} from '../limits.ts';
import { Priority } from './fetch-scheduler.ts';

/** Bytes somebody wants in order, from `start` on. */
export interface Want {
  readonly start: number;
  /** How far is wanted now, exclusive; may be infinite. */
  readonly until: number;
  /** What is asked for ends here for good (a bounded client range), or null. */
  readonly limit: number | null;
  readonly priority: Priority;
  /** With more than this many bytes known ahead no new fetch is opened; a running one goes on. */
  readonly slackBytes: number;
}

export interface LiveFetch {
  /** Next byte that will arrive. */
  readonly position: number;
  /** End of the upstream request, exclusive; null is the file's end. */
  readonly requestEnd: number | null;
  /** Null until the first bytes came. */
  readonly bytesPerMs: number | null;
  /** Measured or expected time from asking to the first byte. */
  readonly firstByteMs: number;
}

export interface FetchTerms {
  priority: Priority;
  /** Read up to here, exclusive. */
  credit: number;
  /** Stop here: bytes behind it are known or come by another fetch. Infinite while the length is not known. */
  end: number;
}

export interface NewFetch extends FetchTerms {
  readonly position: number;
  requestEnd: number | null;
  /** One beside those that are needed: without it the same bytes come all the same, later. */
  readonly isHelper?: boolean;
}

export interface FetchPlan<Live extends LiveFetch> {
  readonly keep: ReadonlyMap<Live, FetchTerms>;
  readonly stop: readonly Live[];
  readonly create: readonly NewFetch[];
}

export interface PlanInput<Live extends LiveFetch> {
  readonly wants: readonly Want[];
  readonly live: readonly Live[];
  /** Recorded bytes and those that running fetches have written. */
  readonly known: RangeSet;
  readonly totalBytes: number | null;
  /** Whether the origin serves from any offset. If not, there is one fetch, from the start. */
  readonly seekable: boolean;
  /** Fetches that the most urgent want may have beside the one that it needs: its source gives one connection little. */
  readonly helpers?: number;
}

/** A want's next gap is opened before the one ahead of it is closed, so that no reader stands at a seam. */
const GAPS_SERVED = 2;

const NO_CARRIER = { live: null, created: null };

/** Waiting for `fetch` to get to `offset` costs no more than asking anew (DESIGN.md §6, Seek). */
function isNear(fetch: LiveFetch, offset: number): boolean {
  const gap = offset - fetch.position;
  if (gap <= PROGRESS_BYTES) return true;
  if (fetch.bytesPerMs === null) return gap <= READ_AHEAD_START_BYTES;
  return gap <= fetch.bytesPerMs * (fetch.firstByteMs + REOPEN_COST_MS);
}

function fetchEnd(fetch: LiveFetch, totalBytes: number | null): number {
  return fetch.requestEnd ?? totalBytes ?? Number.POSITIVE_INFINITY;
}

export function planFetches<Live extends LiveFetch>(input: PlanInput<Live>): FetchPlan<Live> {
  const { known, live, totalBytes, seekable, helpers = 0 } = input;
  const keep = new Map<Live, FetchTerms>();
  const create: NewFetch[] = [];
  const fileEnd = totalBytes ?? Number.POSITIVE_INFINITY;

  function claim(terms: FetchTerms, want: Want): void {
    if (want.priority < terms.priority) terms.priority = want.priority;
    terms.credit = Math.max(terms.credit, want.until);
  }

  function nextStart(offset: number): number {
    let next = Math.min(fileEnd, known.nextKnown(offset) ?? fileEnd);
    for (const fetch of live) if (fetch.position > offset) next = Math.min(next, fetch.position);
    for (const fetch of create) if (fetch.position > offset) next = Math.min(next, fetch.position);
    return next;
  }

  /** The fetch that will get to `offset`: the last one that is not yet past it. */
  function findCarrier(offset: number): { live: Live | null; created: NewFetch | null } {
    let best: { live: Live | null; created: NewFetch | null; position: number } | null = null;
    for (const fetch of live) {
      if (fetch.position > offset || offset >= fetchEnd(fetch, totalBytes)) continue;
      // It stops where known bytes begin, and those are before `offset`.
      if (seekable && (known.nextKnown(fetch.position) ?? offset) < offset) continue;
      if (best === null || fetch.position > best.position)
        best = { live: fetch, created: null, position: fetch.position };
    }
    for (const fetch of create) {
      if (fetch.position > offset || offset >= fetchEnd({ ...fetch, bytesPerMs: null, firstByteMs: 0 }, totalBytes))
        continue;
      if (best === null || fetch.position > best.position)
        best = { live: null, created: fetch, position: fetch.position };
    }
    // Another one begins in between, and the best one will stop there.
    if (best === null || (seekable && best.position < offset && nextStart(best.position) <= offset)) return NO_CARRIER;
    return best;
  }

  const wants = [...input.wants].sort((left, right) => left.priority - right.priority || left.start - right.start);
  /** Makes one fetch responsible for the bytes from `gap` on. */
  function serve(want: Want, gap: number, until: number, isFirstGap: boolean): void {
    const carrier = findCarrier(gap);
    if (carrier.live !== null && (!seekable || isNear(carrier.live, gap))) {
      let terms = keep.get(carrier.live);
      if (terms === undefined) {
        terms = { priority: want.priority, credit: until, end: fileEnd };
        keep.set(carrier.live, terms);
      }
      claim(terms, { ...want, until });
      return;
    }
    // Far enough ahead for now.
    if (gap >= until || (isFirstGap && gap - want.start > want.slackBytes)) return;
    const boundary = nextStart(gap);
    const { created } = carrier;
    if (created !== null && (!seekable || gap - created.position <= READ_AHEAD_START_BYTES)) {
      claim(created, { ...want, until });
      if (created.requestEnd !== null) created.requestEnd = Math.max(created.requestEnd, Math.min(until, boundary));
      return;
    }
    const limit = Math.min(want.limit ?? Number.POSITIVE_INFINITY, boundary);
    create.push({
      // A sequential origin begins at zero again: one request serves all.
      position: seekable ? gap : known.contiguousEnd(0),
      priority: want.priority,
      credit: until,
      end: boundary,
      requestEnd: seekable && limit < fileEnd ? limit : null,
    });
  }

  function serveGaps(want: Want, count: number): void {
    const until = Math.min(want.until, fileEnd);
    const wantEnd = Math.min(want.limit ?? fileEnd, fileEnd);
    let from = want.start;
    for (let index = 0; index < count; index++) {
      const gap = known.contiguousEnd(from);
      // The fetch that goes on at the end of what is wanted for now pauses, and is kept.
      if (gap >= wantEnd) break;
      const isFirst = index === 0;
      const priority = isFirst || want.priority > Priority.high ? want.priority : Priority.high;
      serve({ ...want, priority }, gap, until, isFirst);
      from = nextStart(gap);
      if (from >= until || !seekable) break;
    }
  }

  /** What no fetch covers behind the ones that serve a want is fetched beside them, in pieces with an end. */
  function accelerate(want: Want): void {
    const until = Math.min(want.until, want.limit ?? fileEnd, fileEnd);
    const gap = known.contiguousEnd(want.start);
    const share = Math.floor((until - gap) / (helpers + 1));
    const stripe = Math.min(STRIPE_MAX_BYTES, share);
    if (stripe < STRIPE_MIN_BYTES) return;
    const serving = new Set<LiveFetch | NewFetch>();
    let from = gap;
    while (serving.size <= helpers) {
      const at = known.contiguousEnd(from);
      if (at + STRIPE_MIN_BYTES > until) return;
      const carrier = findCarrier(at);
      const fetch = carrier.live ?? carrier.created;
      const isServing = fetch !== null && !serving.has(fetch) && (carrier.live === null || isNear(carrier.live, at));
      if (!isServing) {
        const boundary = Math.min(until, nextStart(at));
        // A remainder that is worth no request would be one all the same, at the very end.
        const end = boundary - at < stripe + STRIPE_MIN_BYTES ? boundary : at + stripe;
        const piece = { position: at, priority: Math.max(want.priority, Priority.high) as Priority, credit: end, end };
        const created = { ...piece, requestEnd: end < fileEnd ? end : null, isHelper: true };
        create.push(created);
        serving.add(created);
        from = end;
        continue;
      }
      serving.add(fetch);
      if (carrier.live !== null && !keep.has(carrier.live)) {
        const priority = Math.max(want.priority, Priority.high) as Priority;
        keep.set(carrier.live, { priority, credit: until, end: fileEnd });
      }
      // One that is no piece leaves what is behind its share to the others.
      const ownEnd = fetch.requestEnd ?? Number.POSITIVE_INFINITY;
      const isPiece = ownEnd - fetch.position <= STRIPE_MAX_BYTES;
      from = Math.min(isPiece ? ownEnd : Math.max(at, fetch.position) + stripe, nextStart(fetch.position));
    }
  }
  for (const want of wants) serveGaps(want, GAPS_SERVED);
  const [first] = wants;
  if (helpers > 0 && seekable && first !== undefined) {
    accelerate(first);
    // A piece may stand between somebody and the fetch that was to come to them.
    for (const want of wants) serveGaps(want, 1);
  }

  // Where one fetch stops is where known bytes or another fetch begin.
  for (const [fetch, terms] of keep) terms.end = Math.min(fetchEnd(fetch, totalBytes), nextStart(fetch.position));
  for (const fetch of create) fetch.end = Math.min(fetch.requestEnd ?? fileEnd, nextStart(fetch.position));
  return { keep, stop: live.filter((fetch) => !keep.has(fetch)), create };
}
