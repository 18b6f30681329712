// Whether sources answer: asked for the purpose before a start, and known from playing while Larder runs.
import type { Clock } from '../../clock.ts';
import { describeError, LarderError } from '../../errors.ts';
import { carryCredentials } from '../../sources/http-credentials.ts';
import { type DeclaredSource, parseSourceSetting } from '../../sources/http-source.ts';
import { OriginClient } from '../../sources/origin-client.ts';
import { describeAge } from '../../words.ts';
import type { SourceState } from '../source-health.ts';
import { type Check, type Finding, failed, ok, unknown, warning } from './finding.ts';

const TITLE = 'Sources';

/** Asks each declared source for its base address. */
export function declaredSourcesAnswer(declared: readonly string[], clock: Clock): Check {
  const name = 'sources';
  return {
    name,
    title: TITLE,
    run: async () => {
      if (declared.length === 0) return ok('no source is declared on the command line');
      const client = new OriginClient(clock);
      return Promise.all(
        declared.map(async (text) => ({ name, ...(await askSource(client, parseSourceSetting(text), clock)) })),
      );
    },
  };
}

async function askSource(client: OriginClient, source: DeclaredSource, clock: Clock): Promise<Omit<Finding, 'name'>> {
  const startedAtMs = clock.monotonicMs();
  const abort = new AbortController();
  const took = () => `${(clock.monotonicMs() - startedAtMs).toFixed(0)} ms`;
  try {
    const { url } = source;
    await client.open(
      {
        url,
        ...carryCredentials(source.credentials),
        baseUrl: url,
        ownPort: 0,
        local: null,
        range: null,
        ifRange: null,
        expectsMedia: false,
      },
      abort,
    );
    return ok(`source ${source.name} answers in ${took()}`);
  } catch (error) {
    // A server without listings answers 403 or 404 to its folder, and still streams the files in it.
    if (error instanceof LarderError && (error.originStatus === 404 || error.originStatus === 403)) {
      return ok(`source ${source.name} answers in ${took()}, and lists no files (${error.originStatus})`);
    }
    const hint = error instanceof LarderError ? error.hint : undefined;
    return failed(`source ${source.name}: ${describeError(error)}`, hint ?? 'check its address, and that it is on');
  } finally {
    abort.abort();
  }
}

export interface KnownSource {
  readonly name: string;
  readonly state: SourceState | undefined;
}

/** What playing has told of each source; nothing is asked. */
export function knownSources(sources: () => readonly KnownSource[], clock: Clock): Check {
  const name = 'sources';
  return {
    name,
    title: TITLE,
    run: () => {
      const known = sources();
      if (known.length === 0) return Promise.resolve(warning('there is no source yet', 'add one on the page Sources'));
      return Promise.resolve(known.map((source) => ({ name, ...describeSource(source, clock.nowMs()) })));
    },
  };
}

function describeSource({ name, state }: KnownSource, nowMs: number): Omit<Finding, 'name'> {
  if (state === undefined || (state.lastSuccessAt === null && state.failingSince === null)) {
    return unknown(
      `source ${name} was not asked for anything yet`,
      'test it on the page Sources, or play something of it',
    );
  }
  if (state.failingSince !== null) {
    return failed(
      `source ${name} fails, the first time ${describeAge(nowMs - state.failingSince)}: ${state.lastErrorText ?? 'no reason is known'}`,
      state.hint ?? 'Larder tries again with each play; test it on the page Sources',
    );
  }
  return ok(`source ${name} answered ${describeAge(nowMs - (state.lastSuccessAt ?? nowMs))}`);
}
