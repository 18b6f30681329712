// A process of its own that lists made up files as nginx does; `GET /change` changes every tenth.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [files = 0, folders = 1] = process.argv.slice(2).map(Number);
const perFolder = Math.ceil(files / folders);
let changedEvery = 0;

/** As nginx writes it. */
function listing(path: string): string | null {
  const lines: string[] = [];
  const date = '20-Nov-2026 17:45';
  const folder = /^\/f(\d+)\/$/.exec(path);
  if (path === '/' && folders > 1) {
    for (let index = 0; index < folders; index += 1) lines.push(`<a href="f${index}/">f${index}/</a> ${date} -`);
  } else if (path === '/' || folder !== null) {
    const first = folder === null ? 0 : Number(folder[1]) * perFolder;
    for (let index = first; index < Math.min(files, first + perFolder); index += 1) {
      const name = `A film of some name ${index} (${1950 + (index % 70)}).1080p.mkv`;
      const size = 1_000_000_000 + index + (changedEvery > 0 && index % changedEvery === 0 ? 1 : 0);
      lines.push(`<a href="${encodeURIComponent(name)}">${name.slice(0, 47)}..&gt;</a> ${date} ${size}`);
    }
  } else return null;
  return `<html><head><title>Index of ${path}</title></head><body><pre><a href="../">../</a>\n${lines.join('\n')}\n</pre></body></html>`;
}

const server = createServer((request, response) => {
  if (request.url === '/change') changedEvery = 10;
  const text = request.method === 'GET' ? listing(request.url ?? '/') : null;
  if (text === null) response.writeHead(request.method === 'GET' ? 404 : 405).end();
  else response.writeHead(200, { 'content-type': 'text/html' }).end(text);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
