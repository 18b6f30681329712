// Takes the chunked framing off a body (RFC 9112 §7.1) as it arrives in pieces.

export class ChunkedBody {
  readonly #give: (data: Buffer) => void;
  #state: 'size' | 'data' | 'data-end' | 'ended' = 'size';
  #line = '';
  #left = 0;

  constructor(give: (data: Buffer) => void) {
    this.#give = give;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#state !== 'ended'; ) {
      if (this.#state === 'data') {
        const part = bytes.subarray(at, at + this.#left);
        this.#give(part);
        at += part.length;
        this.#left -= part.length;
        if (this.#left === 0) this.#state = 'data-end';
        continue;
      }
      this.#line += String.fromCharCode(bytes[at]!);
      at += 1;
      if (this.#line.endsWith('\r\n')) this.#endLine(this.#line.slice(0, -2));
    }
  }

  #endLine(line: string): void {
    this.#line = '';
    if (this.#state === 'data-end') {
      if (line !== '') throw new Error(`a chunk is longer than it said: ${JSON.stringify(line)}`);
      this.#state = 'size';
      return;
    }
    this.#left = Number.parseInt(line, 16);
    if (!(this.#left >= 0)) throw new Error(`not the size of a chunk: ${JSON.stringify(line)}`);
    this.#state = this.#left === 0 ? 'ended' : 'data';
  }
}
