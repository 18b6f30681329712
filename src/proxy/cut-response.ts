// Ends a response in the middle, whatever was sent of it. By its socket: Bun 1.4.4 sends `HTTP/1.1 200 OK` and nothing
// more when a response without a head is destroyed, which passes for an empty file (CONTRACT.md, promise 9).
import type { ServerResponse } from 'node:http';

export function cutResponse(response: ServerResponse): void {
  const { socket, headersSent } = response;
  if (headersSent || !socket) response.destroy();
  else socket.destroy();
}
