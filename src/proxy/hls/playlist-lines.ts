// Lines of an HLS playlist (RFC 8216 §4.1) and the attributes of its tags (§4.2), read so that nothing in them can pass
// for a name of ours or lead past Larder. Pure.
import { LarderError } from '../../errors.ts';

/** Name and value as it stands there, quotes included. */
export type Attribute = readonly [name: string, value: string];

/** Six hours in pieces of two seconds have 11,000; nobody's playlist has ten times that. */
const LINES_MAX = 200_000;
/** An address with a signature has a few thousand characters, a key in the text itself some more. */
const LINE_LENGTH_MAX = 64 * 1024;
const VARIABLES_MAX = 100;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]+/g;
const ATTRIBUTE = /\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^",]*)(?:,|$)/y;
const VARIABLE = /\{\$([A-Za-z0-9_-]+)\}/g;
/** What leads to a server: a scheme with one, or `//host`. */
const ADDRESS = /:\/\/|(?:^|["'=,\s])\/\/[^/]/;

/**
 * Its lines without empty ones, comments and white space around them, with variables put in.
 * @throws LarderError `origin-lied` when it is no playlist
 */
export function readLines(text: string, url: string): string[] {
  const raw = text.replace(/^\uFEFF/, '').split(/\r?\n/, LINES_MAX + 1);
  if (raw.length > LINES_MAX) throw lied(`has more than ${LINES_MAX} lines`);
  if (!/^\s*#EXTM3U(?:\s|$)/.test(raw[0] ?? '')) throw lied('does not begin as a playlist does');
  const variables = new Map<string, string>();
  const lines = ['#EXTM3U'];
  for (const part of raw.slice(1)) {
    if (part.length > LINE_LENGTH_MAX) throw lied('has a line that is too long to be one');
    // Names of ours stand in such brackets: what comes from elsewhere has none.
    const line = substitute(part.replace(CONTROL, ' ').replaceAll('<larder:', '<.').trim(), variables);
    if (line.startsWith('#EXT-X-DEFINE:')) define(line, url, variables);
    else if (line !== '' && (!line.startsWith('#') || line.startsWith('#EXT'))) lines.push(line);
  }
  return lines;
}

export function tagOf(line: string): string {
  const colon = line.indexOf(':');
  return colon < 0 ? line : line.slice(0, colon);
}

/** Up to where it is none. */
export function readAttributes(line: string): Attribute[] {
  const attributes: Attribute[] = [];
  ATTRIBUTE.lastIndex = line.indexOf(':') + 1;
  while (ATTRIBUTE.lastIndex < line.length) {
    const match = ATTRIBUTE.exec(line);
    if (match === null) break;
    attributes.push([match[1]!, match[2]!.trim()]);
  }
  ATTRIBUTE.lastIndex = 0;
  return attributes;
}

export function writeTag(tag: string, attributes: readonly Attribute[]): string {
  return `${tag}:${attributes.map(([name, value]) => `${name}=${value}`).join(',')}`;
}

/** Without quotes; null where there is none. */
export function attributeOf(attributes: readonly Attribute[], name: string): string | null {
  const value = attributes.find(([candidate]) => candidate === name)?.[1];
  return value === undefined ? null : value.replace(/^"|"$/g, '');
}

/** Whether a player could find a server in it. */
export function holdsAddress(text: string): boolean {
  return ADDRESS.test(text);
}

export function lied(what: string): LarderError {
  return new LarderError('origin-lied', `what came as a playlist ${what}`, {
    hint: 'the source may answer with an error page: test it on its page',
  });
}

/** RFC 8216bis §4.4.2.3. Those of another playlist are not known here. */
function define(line: string, url: string, variables: Map<string, string>): void {
  const attributes = readAttributes(line);
  const name = attributeOf(attributes, 'NAME');
  const parameter = attributeOf(attributes, 'QUERYPARAM');
  if (variables.size >= VARIABLES_MAX) throw lied('has more variables than any has');
  if (name !== null) variables.set(name, attributeOf(attributes, 'VALUE') ?? '');
  else if (parameter !== null) variables.set(parameter, new URL(url).searchParams.get(parameter) ?? '');
  else throw lied('takes variables from another one, which is not supported');
}

function substitute(line: string, variables: ReadonlyMap<string, string>): string {
  if (variables.size === 0 || !line.includes('{$')) return line;
  const substituted = line.replace(VARIABLE, (whole, name: string) => variables.get(name) ?? whole);
  if (substituted.length > LINE_LENGTH_MAX) throw lied('has a line that is too long to be one');
  return substituted;
}
