import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  answerChallenge,
  type DigestChallenge,
  DigestSessions,
  parseDigestChallenge,
} from '../../src/sources/digest-auth.ts';
import { parseChallenges } from '../../src/sources/www-authenticate.ts';
import { runs } from '../support/property.ts';

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const GET = { method: 'GET', target: '/dir/index.html' };

/** RFC 7616 §3.9.1. */
const RFC_7616 =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const RFC_7616_MD5 = RFC_7616.replace('SHA-256', 'MD5');
const CLIENT_NONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

function challenge(header: string): DigestChallenge {
  const parsed = parseDigestChallenge(header);
  if (parsed === null) throw new Error(`not spoken: ${header}`);
  return parsed;
}

function answer(header: string, { credentials = MUFASA, clientNonce = CLIENT_NONCE, count = 1 } = {}) {
  const text = answerChallenge(challenge(header), credentials, GET, { clientNonce, count });
  const [read] = parseChallenges(text);
  expect(read?.scheme).toBe('digest');
  return Object.fromEntries(read?.parameters ?? []);
}

describe('answerChallenge()', () => {
  test('answerChallenge() gives what RFC 7616 §3.9.1 gives, for both algorithms', () => {
    expect(answer(RFC_7616_MD5)).toEqual({
      username: 'Mufasa',
      realm: 'http-auth@example.org',
      uri: '/dir/index.html',
      algorithm: 'MD5',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      nc: '00000001',
      cnonce: CLIENT_NONCE,
      qop: 'auth',
      response: '8ca523f5e9506fed4657c9700eebdbec',
      opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    });
    expect(answer(RFC_7616).response).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  });

  test('answerChallenge() gives what RFC 2617 §3.5 gives, and with neither qop nor algorithm what RFC 2069 does', () => {
    const header = 'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
    const credentials = { username: 'Mufasa', password: 'Circle Of Life' };
    const newer = answer(header, { credentials, clientNonce: '0a4f113b' });
    expect(newer.response).toBe('6629fae49393a05397450978507c4ef1');
    const old = { username: 'Mufasa', password: 'CircleOfLife' };
    const older = answer(header.replace(', qop="auth,auth-int"', ''), { credentials: old });
    // RFC 2069 §2.4 with its erratum 749.
    expect(older.response).toBe('1949323746fe6a43ef61f9606e7febea');
    expect(Object.keys(older).sort()).toEqual(['nonce', 'realm', 'response', 'uri', 'username']);
  });

  test('answerChallenge() counts in eight hexadecimal digits', () => {
    expect([1, 10, 255, 65_536].map((count) => answer(RFC_7616, { count }).nc)).toEqual([
      '00000001',
      '0000000a',
      '000000ff',
      '00010000',
    ]);
  });

  test('answerChallenge() binds -sess to the nonces of both', () => {
    const md5 = (text: string) => new Bun.CryptoHasher('md5').update(text).digest('hex');
    const header = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess';
    const a1 = md5(`${md5('Mufasa:r:Circle of Life')}:n:c`);
    const expected = md5(`${a1}:n:00000001:c:auth:${md5('GET:/dir/index.html')}`);
    expect(answer(header, { clientNonce: 'c' }).response).toBe(expected);
  });

  test('answerChallenge() sends a name in UTF-8, hashed where that is asked for, quoted where it must be', () => {
    const credentials = { username: 'Jäsøn Doe (2)', password: 'Secret' };
    const base = 'Digest realm="ä \\"b\\"", nonce="n", qop="auth", algorithm=SHA-256';
    const bytes = (text: string) => Buffer.from(text).toString('latin1');
    // Realms come from the wire a byte a character, or read as UTF-8 with letters that no byte stands for.
    const plain = answer(base, { credentials });
    expect([plain.username, plain.realm]).toEqual([bytes('Jäsøn Doe (2)'), 'ä "b"']);
    expect(answer(base.replace('ä', '日'), { credentials }).realm).toBe(bytes('日 "b"'));
    const text = answerChallenge(challenge(`${base}, charset=UTF-8`), credentials, GET, { clientNonce: 'c', count: 1 });
    expect(text).toContain("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe%20%282%29, ");
    const hashed = answer(`${base}, charset=UTF-8, userhash=true`, { credentials });
    const expected = new Bun.CryptoHasher('sha256').update(Buffer.from(`${bytes('Jäsøn Doe (2):')}ä "b"`, 'latin1'));
    expect([hashed.username, hashed.userhash]).toEqual([expected.digest('hex'), 'true']);
  });
});

describe('parseDigestChallenge()', () => {
  test('parseDigestChallenge() takes the first that can be answered, among others', () => {
    const many =
      'Negotiate, Basic realm="a, Digest b", NTLM TlRMTVNTUAAB==, Digest realm="x", nonce="1", algorithm=SHA-512-256, ' +
      'digest REALM = "y" , nonce="2", algorithm=sha-256-SESS, qop="auth-int, auth", stale=TRUE, Digest nonce="3"';
    expect(challenge(many)).toMatchObject({ realm: 'y', nonce: '2', hash: 'sha256', isSession: true, isStale: true });
    expect(parseChallenges(many).map(({ scheme }) => scheme)).toEqual([
      'negotiate',
      'basic',
      'ntlm',
      'digest',
      'digest',
      'digest',
    ]);
  });

  for (const header of [
    null,
    '',
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest realm="x", nonce="1", qop="auth-int"',
    'Digest realm="x", nonce="1", algorithm=SHA-1',
    'Digest realm="x", nonce="unclosed',
    `Digest realm="x", nonce="${'n'.repeat(5_000)}"`,
    `Digest ${'a="b", '.repeat(4_000)}nonce="1"`,
    `${'Basic a, '.repeat(20)}Digest nonce="1"`,
  ]) {
    test(`parseDigestChallenge() speaks none in ${String(header).slice(0, 60)}`, () => {
      expect(parseDigestChallenge(header)).toBeNull();
    });
  }

  test('property: whatever comes, it comes to an end, and the answer can be sent', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 20 });
    const headers = fc.oneof(
      texts,
      fc.tuple(texts, texts).map(([a, b]) => `Digest nonce="${a}", realm=${b}, qop=auth`),
    );
    fc.assert(
      fc.property(headers, texts, (header, username) => {
        let sent: string;
        try {
          sent = new Headers({ 'www-authenticate': header }).get('www-authenticate') ?? '';
        } catch {
          return; // no header can hold it
        }
        const digest = parseDigestChallenge(sent);
        if (digest === null || /\p{Cc}/u.test(username)) return;
        const authorization = answerChallenge(digest, { username, password: 'x' }, GET, { clientNonce: 'c', count: 1 });
        expect(new Headers({ authorization }).has('authorization')).toBe(true);
      }),
      runs(500),
    );
  });
});

describe('DigestSessions', () => {
  test('answer() counts up with each request, and begins anew with each nonce', () => {
    const sessions = new DigestSessions();
    const counts = () => /nonce="(.*?)".*nc=(\d+)/.exec(sessions.answer('a', MUFASA, GET) ?? '')?.slice(1);
    expect([sessions.answer('a', MUFASA, GET), sessions.has('a')]).toEqual([null, false]);
    sessions.note('a', 'nextnonce="x"');
    expect(sessions.has('a')).toBe(false);
    sessions.learn('a', challenge('Digest realm="r", nonce="1", qop="auth"'));
    expect([counts(), counts()]).toEqual([
      ['1', '00000001'],
      ['1', '00000002'],
    ]);
    sessions.note('a', 'rspauth="0", qop=auth, nextnonce="2"');
    expect(counts()).toEqual(['2', '00000001']);
    sessions.note('a', 'rspauth="0"');
    sessions.note('a', null);
    expect(counts()).toEqual(['2', '00000002']);
    sessions.learn('a', challenge('Digest realm="r", nonce="3", qop="auth", algorithm=MD5-sess'));
    sessions.note('a', 'nextnonce="4"');
    expect(counts()).toEqual(['3', '00000001']);
  });

  test('learn() forgets whom it was longest not asked for when there are many', () => {
    const sessions = new DigestSessions();
    const one = challenge('Digest realm="r", nonce="1"');
    for (let index = 0; index < 64; index++) sessions.learn(`k${index}`, one);
    sessions.answer('k0', MUFASA, GET);
    sessions.learn('k64', one);
    expect(['k0', 'k1', 'k2', 'k64'].map((key) => sessions.has(key))).toEqual([true, false, true, true]);
  });
});
