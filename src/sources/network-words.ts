// What the system says of a connection or a name that came to nothing, in words for who owns the source.
import { describeError, systemCode } from '../errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it broke the connection off',
  EPIPE: 'it broke the connection off',
  ECONNABORTED: 'the connection was broken off',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  EHOSTDOWN: 'the machine is down',
  EADDRNOTAVAIL: 'this machine has no address to ask from',
  EACCES: 'this machine does not allow the connection',
  EPERM: 'this machine does not allow the connection',
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  EAI_AGAIN: 'the name server does not answer',
  ESERVFAIL: 'the name server failed',
  ETIMEOUT: 'the name server does not answer',
};

/** As the system puts it where there are no better words. */
export function describeNetworkError(error: unknown): string {
  return WORDS[systemCode(error) ?? ''] ?? describeError(error);
}
