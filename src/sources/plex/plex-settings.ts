// What an owner enters for a Plex server: its address as it is copied from a browser, a token, and how to convert.
import { LarderError } from '../../errors.ts';
import { parseLadder, parseTranscodeWay } from '../ladder.ts';
import type { ParsedSourceUrl, SourceCredentials, SourceOptions } from '../media-source.ts';
import { asFields } from './plex-fields.ts';

const URL_LENGTH_MAX = 4_096;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;
const IDENTIFIER = /^[\w.-]{1,128}$/;

/** Where what a browser shows of a server begins: its pages, and what "View XML" opens. */
const PASTED_TAIL = /\/(?:web|desktop|identity|library|hubs|status|:)(?:\/.*)?$/;

function invalid(problem: string, hint = 'give the address of the server, for example http://nas:32400'): LarderError {
  return new LarderError('invalid', problem, { hint });
}

/** @throws LarderError `invalid`; no message repeats the text, which may hold a token */
export function parsePlexUrl(text: string): ParsedSourceUrl {
  const typed = text.trim();
  if (typed.length > URL_LENGTH_MAX) throw invalid(`the address is longer than ${URL_LENGTH_MAX} characters`);
  // A name with a port reads as a scheme: `nas:32400`.
  if (!URL.canParse(typed) || !typed.includes('://')) {
    const canOffer = /^[\w.-]+(?::\d{1,5})?\/?$/.test(typed) && URL.canParse(`http://${typed}`);
    throw invalid('the address is not a URL', canOffer ? `write http://${typed}, or https:// before it` : undefined);
  }
  const url = new URL(typed);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid('the address is not one of http or https');
  if (url.username !== '' || url.password !== '') {
    throw invalid('the address holds a user name or a password', 'leave them out: Plex is signed in to by a token');
  }
  if (/(^|\.)plex\.tv$/.test(url.hostname)) {
    throw invalid(
      "the address is that of Plex's own pages and not of a server",
      'sign in to Plex and choose the server, or give its own address, for example http://nas:32400',
    );
  }
  const token = url.searchParams.get('X-Plex-Token') ?? tokenIn(url.hash);
  const path = url.pathname.replace(PASTED_TAIL, '/').replace(/\/*$/, '/');
  return {
    url: `${url.origin}${path}`,
    credentials: token === null ? null : parsePlexCredentials({ token }),
  };
}

function tokenIn(fragment: string): string | null {
  const query = fragment.indexOf('?');
  return query < 0 ? null : new URLSearchParams(fragment.slice(query)).get('X-Plex-Token');
}

/** @throws LarderError `invalid`; no message repeats a value */
export function parsePlexCredentials(value: unknown): SourceCredentials | null {
  const hint = 'give {"token": "…"}, or null for none';
  if (value === null || value === undefined) return null;
  const fields = asFields(value);
  if (fields === null) throw invalid('the credentials are not an object', hint);
  const keys = Object.keys(fields);
  if (keys.length === 0) return null;
  if (keys.some((key) => key !== 'token')) throw invalid('a Plex server takes a token and nothing else', hint);
  if (typeof fields.token !== 'string' || !TOKEN.test(fields.token)) {
    throw invalid('the token cannot be sent', 'paste it without spaces, as it stands after X-Plex-Token=');
  }
  return { token: fields.token };
}

/**
 * `clientId` is what identifies us at Plex, random and kept; `machineIdentifier` names the server that was chosen, where
 * one was; `transcode` and `ladder` are those of all kinds. What is left out stays what it was.
 * @throws LarderError `invalid`
 */
export function parsePlexOptions(value: unknown, before: SourceOptions | null, randomId: () => string): SourceOptions {
  const given = asFields(value ?? {});
  const hint = 'give {"transcode": "growing", "hls" or "off", "ladder": {"720p": 4000000}}';
  if (given === null) throw invalid('the options are not an object', hint);
  const unknown = Object.keys(given).find(
    (name) => !['clientId', 'machineIdentifier', 'transcode', 'ladder'].includes(name),
  );
  if (unknown !== undefined) {
    throw invalid(`a Plex server has no option ${JSON.stringify(unknown.slice(0, 40))}`, hint);
  }
  const { clientId, machineIdentifier, transcode, ladder } = { ...before, ...given };
  for (const [name, identifier] of Object.entries({ clientId, machineIdentifier })) {
    if (identifier === undefined || identifier === null) continue;
    if (typeof identifier === 'string' && IDENTIFIER.test(identifier)) continue;
    throw invalid(`${name} is no identifier`, 'leave it out, and it is chosen');
  }
  parseLadder(ladder);
  return {
    clientId: clientId ?? randomId(),
    transcode: parseTranscodeWay(transcode),
    ...(ladder === undefined || ladder === null ? {} : { ladder }),
    ...(machineIdentifier === undefined || machineIdentifier === null ? {} : { machineIdentifier }),
  };
}
