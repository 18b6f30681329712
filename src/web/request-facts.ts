// What the access rules look at of a request of node:http.
import type { IncomingMessage } from 'node:http';
import type { AccessRequest } from '../access/access-control.ts';

export function factsOf(request: IncomingMessage): AccessRequest {
  const { socket, headers, method } = request;
  return {
    headers,
    method: method ?? 'GET',
    remoteAddress: socket.remoteAddress ?? '',
    isEncrypted: 'encrypted' in socket && socket.encrypted === true,
  };
}
