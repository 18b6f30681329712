// The few facts of an HTTP/1.1 response head that the load client needs.

export interface ResponseHead {
  readonly status: number;
  readonly contentLength: number | undefined;
  /** First byte of the body's place in the file: from Content-Range, 0 without one. */
  readonly start: number;
  readonly cache: string | undefined;
}

function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*([^\\r\\n]*)`, 'im').exec(text)?.[1]?.trimEnd();
}

/** Reads the head without its empty line. Throws on anything that is not an HTTP/1.1 response. */
export function parseResponseHead(text: string): ResponseHead {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  if (!(status >= 100)) throw new Error(`Not an HTTP/1.1 response: "${text.slice(0, 60)}"`);
  const length = headerOf(text, 'Content-Length');
  const range = headerOf(text, 'Content-Range');
  return {
    status,
    contentLength: length === undefined ? undefined : Number(length),
    start: Number(/^bytes (\d+)-/.exec(range ?? '')?.[1] ?? 0),
    cache: headerOf(text, 'X-Cache'),
  };
}
