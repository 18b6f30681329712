// Reads WWW-Authenticate: challenges, each a scheme with parameters, all in one list (RFC 9110 §11.6.1).

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case; values without quotes and escapes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const CHALLENGES_MAX = 16;
const HEADER_LENGTH_MAX = 16_384;

/** RFC 9110 §5.6.2, §5.6.4. */
const SEPARATORS = /[\s,]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const PARAMETER = /\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))/sy;
const TOKEN68 = /\s+[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;

/** What can be read of it: from the first thing on that is no challenge, nothing is. */
export function parseChallenges(header: string | null): Challenge[] {
  const challenges: Challenge[] = [];
  if (header === null || header.length > HEADER_LENGTH_MAX) return challenges;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (challenges.length < CHALLENGES_MAX) {
    take(SEPARATORS);
    const scheme = take(TOKEN)?.[0].toLowerCase();
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    if (take(TOKEN68) === null) {
      for (let match = take(PARAMETER); match !== null; match = take(PARAMETER)) {
        const [, name = '', quoted, plain = ''] = match;
        const value = quoted === undefined ? plain : quoted.replace(/\\(.)/gs, '$1');
        if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
        take(SEPARATORS);
      }
    }
    challenges.push({ scheme, parameters });
  }
  return challenges;
}
