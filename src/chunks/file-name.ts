// Names of chunk files: readable for a person who looks into the folder, safe on any file system.

/** Room for the id and the longest extension within the 255 bytes that file systems allow. */
const STEM_BYTES_MAX = 160;

/** One path segment made of any text: no separators, no control characters, no leading or trailing dots or spaces. */
export function safeSegment(text: string): string {
  const replaced = text
    .normalize('NFC')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
    .replace(/[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\ufffd\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '_')
    .replace(/\p{Surrogate}/gu, '_');
  const bytes = new TextEncoder().encode(replaced);
  let kept = replaced;
  if (bytes.length > STEM_BYTES_MAX) {
    // A cut inside a character decodes to U+FFFD at the end, which is dropped.
    kept = new TextDecoder().decode(bytes.subarray(0, STEM_BYTES_MAX)).replace(/\ufffd+$/, '');
  }
  return kept.replace(/^[. ]+|[. ]+$/g, '') || '_';
}

/** `<source>/<readable name>-<id>.<extension>`, relative to the folder of the chunk store. */
export function chunkFileName(source: string, path: string, id: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const extension = /\.[a-z0-9]{1,8}$/i.exec(name)?.[0] ?? '';
  const stem = extension === '' ? name : name.slice(0, -extension.length);
  return `${safeSegment(source)}/${safeSegment(stem)}-${id}${extension.toLowerCase()}`;
}
