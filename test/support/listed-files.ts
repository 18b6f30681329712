// Files in folders as nginx lists and serves them, made up from a map that a test changes as it likes.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentOf } from './content.ts';

export interface ListedFile {
  seed: number;
  bytes: number;
}

export interface ListedFiles extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<string, ListedFile>;
}

export async function startListedFiles(paths: readonly string[]): Promise<ListedFiles> {
  const files = new Map(paths.map((path, at): [string, ListedFile] => [path, { seed: at + 1, bytes: 10_000 + at }]));

  /** Null where no file lies. */
  function listing(folder: string): string | null {
    const names = new Map<string, string>();
    for (const [path, { bytes }] of files) {
      if (!path.startsWith(folder)) continue;
      const [name = '', ...rest] = path.slice(folder.length).split('/');
      names.set(rest.length > 0 ? `${name}/` : name, rest.length > 0 ? '-' : String(bytes));
    }
    if (names.size === 0 && folder !== '') return null;
    const lines = [...names].map(([name, size]) => {
      const href = name.split('/').map(encodeURIComponent).join('/');
      return `<a href="${href}">${name}</a> 20-Nov-2026 17:45 ${size}`;
    });
    const title = `Index of /${folder}`;
    return `<html><head><title>${title}</title></head><body><h1>${title}</h1><hr><pre><a href="../">../</a>\n${lines.join('\n')}\n</pre><hr></body></html>`;
  }

  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1).replace(/\?.*$/, ''));
    const file = files.get(path);
    if (path === '' || path.endsWith('/')) {
      const text = listing(path);
      return response.writeHead(text === null ? 404 : 200, { 'content-type': 'text/html' }).end(text ?? 'Not Found');
    }
    if (file === undefined) return response.writeHead(404, { 'content-type': 'text/html' }).end('Not Found');
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = to === undefined || to === '' ? file.bytes : Math.min(file.bytes, Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      'content-type': 'video/x-matroska',
      'content-length': end - start,
      'accept-ranges': 'bytes',
      etag: `"${file.seed}"`,
      ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${file.bytes}` }),
    });
    return response.end(request.method === 'HEAD' ? undefined : contentOf(file.seed, start, end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    files,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
