// The unlimited origin: nginx with sendfile over real files, which carries more than any peer can take (about 3 GB/s on
// the machine the bench grew up on, a quarter more than a Bun process with Bun.file). What it gave is counted from
// its access log, which nginx writes at the end of each request, so counts are read once the origin has fallen quiet.
import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchFile, fillContent } from '../content.ts';
import { Child } from '../system/child.ts';
import { findFreePort, waitUntilListening } from '../system/listening.ts';
import { nginxConfiguration } from '../system/nginx-configuration.ts';
import { requiredCommand } from '../system/required-command.ts';
import type { Origin, OriginCount } from './origin.ts';

const FILL_BYTES = 4 * 1024 * 1024;

/** Writes the content of a file once; later calls with the same size and seed give the same path. */
export async function ensureContentFile(folder: string, file: BenchFile): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `content-${file.sizeBytes}-${file.seed}`);
  const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) return path;
  const buffer = new Uint8Array(FILL_BYTES);
  for (let offset = 0; offset < file.sizeBytes; offset += FILL_BYTES) {
    fillContent(buffer, offset, file.seed);
    await handle.write(buffer, 0, Math.min(FILL_BYTES, file.sizeBytes - offset));
  }
  await handle.close();
  return path;
}

class FileOrigin implements Origin {
  readonly url: string;
  readonly port: number;
  readonly #child: Child;
  readonly #logFile: string;
  readonly #counts = new Map<string, { requests: number; bodyBytes: number }>();
  #logOffset = 0;
  #partialLine = '';

  constructor(child: Child, port: number, logFile: string) {
    this.#child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/`;
    this.#logFile = logFile;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async count(fileName?: string): Promise<OriginCount> {
    await this.#readLog();
    if (fileName !== undefined) return this.#counts.get(`/${fileName}`) ?? { requests: 0, bodyBytes: 0 };
    const total = { requests: 0, bodyBytes: 0 };
    for (const count of this.#counts.values()) {
      total.requests += count.requests;
      total.bodyBytes += count.bodyBytes;
    }
    return total;
  }

  async #readLog(): Promise<void> {
    const text = await Bun.file(this.#logFile).slice(this.#logOffset).text();
    this.#logOffset += text.length; // Names are ASCII, so characters are bytes.
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) {
      const [path = '', bodyBytes = '0'] = line.split('\t');
      const count = this.#counts.get(path) ?? { requests: 0, bodyBytes: 0 };
      count.requests++;
      count.bodyBytes += Number(bodyBytes);
      this.#counts.set(path, count);
    }
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

export interface FileOriginOptions {
  /** Its own, fresh. */
  readonly folder: string;
  /** Shared by all origins of a run: where the real bytes are. */
  readonly contentFolder: string;
  readonly files: readonly BenchFile[];
  readonly adopt: (child: Child) => void;
}

export async function startFileOrigin(options: FileOriginOptions): Promise<Origin> {
  const { folder } = options;
  const root = join(folder, 'files');
  await mkdir(root, { recursive: true });
  for (const file of options.files) {
    await symlink(await ensureContentFile(options.contentFolder, file), join(root, file.name));
  }
  const port = await findFreePort();
  const logFile = join(folder, 'access.log');
  const configuration = nginxConfiguration(folder, [
    "log_format counts '$uri\\t$body_bytes_sent';",
    `access_log ${logFile} counts buffer=64k flush=50ms;`,
    `server { listen 127.0.0.1:${port} backlog=1024; root ${root}; autoindex on; }`,
  ]);
  await writeFile(join(folder, 'nginx.conf'), configuration);
  const child = new Child({ command: [requiredCommand('nginx'), '-p', folder, '-c', 'nginx.conf'], folder });
  options.adopt(child);
  await waitUntilListening(port, () => child.isAlive);
  return new FileOrigin(child, port, logFile);
}
