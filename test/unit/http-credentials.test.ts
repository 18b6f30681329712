import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LarderError } from '../../src/errors.ts';
import { credentialHeaders, credentialKind, parseHttpCredentials } from '../../src/sources/http-credentials.ts';
import { runs } from '../support/property.ts';

function failure(value: unknown): LarderError {
  try {
    parseHttpCredentials(value);
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseHttpCredentials()', () => {
  test('parseHttpCredentials() takes a user name with a password, a token, headers, or nothing', () => {
    for (const none of [null, undefined, {}, { username: '', password: '' }]) {
      expect(parseHttpCredentials(none)).toBeNull();
    }
    const password = parseHttpCredentials({ username: 'me', password: 'pä:ss' });
    expect(credentialHeaders(password)).toEqual({
      authorization: `Basic ${Buffer.from('me:pä:ss').toString('base64')}`,
    });
    const token = parseHttpCredentials({ token: 'abc.DEF-1~2+3/4==' });
    expect(credentialHeaders(token)).toEqual({ authorization: 'Bearer abc.DEF-1~2+3/4==' });
    const headers = parseHttpCredentials({ headers: { 'X-Api-Key': 'a b', Cookie: 'session=1' } });
    expect(credentialHeaders(headers)).toEqual({ 'x-api-key': 'a b', cookie: 'session=1' });
    expect([password, token, headers, null].map(credentialKind)).toEqual(['password', 'token', 'headers', 'none']);
  });

  const wrong: unknown[] = [
    'me:secret1',
    ['secret1'],
    5,
    { username: 'me' },
    { username: 'me', password: 'secret1', token: 'secret1' },
    { username: 'm:e', password: 'secret1' },
    { username: 'me', password: 'secret1\n' },
    { username: 'me', password: 5 },
    { token: '' },
    { token: 'Bearer secret1' },
    { token: 'secret1\r\nX: y' },
    { token: 'x'.repeat(5_000) },
    { headers: {} },
    { headers: { 'bad name': 'secret1' } },
    { headers: { 'X-Key': 'secret1\r\nHost: evil' } },
    { headers: { 'X-Key': ' secret1' } },
    { headers: { 'X-Key': 'sécret1' } },
    { headers: { 'X-Key': 'secret1', 'x-key': 'secret1' } },
    { headers: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`X-${index}`, 'secret1'])) },
    ...[
      'Host',
      'Range',
      'If-Range',
      'connection',
      'TE',
      'Transfer-Encoding',
      'Proxy-Authorization',
      'Accept-Encoding',
    ].map((name) => ({ headers: { [name]: 'secret1' } })),
  ];
  for (const value of wrong) {
    test(`parseHttpCredentials() says what is wrong, and repeats no secret, when it is given ${JSON.stringify(value).slice(0, 60)}`, () => {
      const error = failure(value);
      expect(error.code).toBe('invalid');
      expect(error.hint).toBeString();
      expect(`${error.message} ${error.hint}`).not.toContain('secret1');
    });
  }

  test('property: whatever it takes can be sent as headers', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 12 });
    const values = fc.oneof(
      fc.record({ username: texts, password: texts }),
      fc.record({ token: texts }),
      fc.record({ headers: fc.dictionary(texts, texts, { maxKeys: 4 }) }),
      fc.anything(),
    );
    fc.assert(
      fc.property(values, (value) => {
        try {
          const headers = credentialHeaders(parseHttpCredentials(value));
          expect([...new Headers(headers)].length).toBe(Object.keys(headers).length);
        } catch (error) {
          expect(error).toBeInstanceOf(LarderError);
        }
      }),
      runs(500),
    );
  });
});
