// Headers that an add-on wants sent with a stream (`behaviorHints.proxyHeaders.request`, Stremio/stremio-addon-sdk
// docs/api/responses/stream.md). They may be secrets: they live in memory and are asked for again, never written down.
import {
  HEADER_NAME,
  HEADER_VALUE,
  HEADERS_COUNT_MAX,
  RESERVED_HEADERS,
  TEXT_LENGTH_MAX,
} from '../http-credentials.ts';
import { recordOf, textOf } from './json-values.ts';

/** Names in lower case. One that cannot be sent, or is Larder's own to send, is left out. */
export function readProxyHeaders(hints: unknown): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const request = recordOf(recordOf(recordOf(hints)?.proxyHeaders)?.request) ?? {};
  for (const [name, value] of Object.entries(request).slice(0, HEADERS_COUNT_MAX)) {
    const lowerCase = name.toLowerCase();
    const text = textOf(value, TEXT_LENGTH_MAX);
    if (text === null || !HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) continue;
    if (!RESERVED_HEADERS.has(lowerCase)) headers[lowerCase] = text;
  }
  return headers;
}
