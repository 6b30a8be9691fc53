'use strict';

// The checks before a token's claims are read: segments, header, signature.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { KID, SECRET, assertRejected, craft, craftClaims, key, now, segment, verifier } =
  require('../helpers/tokens.js');

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const issue = (keys) => new JwtIssuer({ keys, expiresIn: '15m' }).sign({ sub: 'subject' });

test('any value may be given to tryVerify', () => {
  const hostile = new Proxy({}, { get: () => assert.fail('read') });
  for (const value of [
    undefined,
    null,
    42,
    NaN,
    1n,
    true,
    Symbol('token'),
    {},
    [],
    () => 'token',
    Object(craftClaims({})),
    Buffer.from(craftClaims({})),
    { toString: () => craftClaims({}) },
    hostile,
    '',
    '.',
    '..',
    '...',
    'garbage',
    '\ud800',
    '\0',
    'é.é.é',
  ]) {
    assertRejected(verifier(), value, 'ERR_JWT_MALFORMED');
  }
});

test('tokens of any length are answered', () => {
  for (const token of [
    'a'.repeat(10e6),
    '.'.repeat(10e6),
    'é'.repeat(10e6),
    `${segment({ alg: 'HS256' })}.${'a'.repeat(10e6)}.`,
    craftClaims({ filler: 'x'.repeat(10e6) }),
    craftClaims({}, { alg: 'HS256', kid: KID, filler: 'x'.repeat(6500) }),
  ]) {
    assertRejected(verifier(), token, 'ERR_JWT_MALFORMED');
  }
  const filler = 'x'.repeat(11_000);
  assert.equal(verifier().verify(craftClaims({ filler })).filler, filler);
});

for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA']) {
  test(`${alg}: no character can be changed`, async () => {
    const generated = await JwtKey.generate(alg);
    const token = issue(generated);
    const verifier = new JwtVerifier({ keys: generated, issuer: false, audience: false });
    assert.equal(verifier.verify(token).sub, 'subject');
    for (let at = 0; at < token.length; at++) {
      const next = ALPHABET[(ALPHABET.indexOf(token[at]) + 1) % ALPHABET.length];
      const tampered = token.slice(0, at) + next + token.slice(at + 1);
      assert.equal(verifier.tryVerify(tampered).ok, false, `character ${at}`);
    }
    const [header, payload, signature] = token.split('.');
    for (const tampered of [
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      `${payload}.${header}.${signature}`,
      `${token}.`,
      `${token}.${signature}`,
      `${token}=`,
      `${token}A`,
      ` ${token}`,
      `${token}\n`,
      `${token}\0`,
      token.slice(0, -1),
      token.replaceAll('.', '\u2024'),
    ]) {
      assert.equal(verifier.tryVerify(tampered).ok, false, tampered);
    }
    assert.equal(verifier.verify(token).sub, 'subject');
  });
}

test('a signature by another key is refused', () => {
  const token = craft({ exp: now() + 1000 }, { alg: 'HS256', kid: KID }, Buffer.alloc(32, 1));
  assertRejected(verifier(), token, 'ERR_JWT_SIGNATURE');
});

test('alg: none and any unknown algorithm are refused', () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'hs256', 'HS256 ', 'HS384', 'ES256K']) {
    assertRejected(verifier(), craftClaims({}, { alg, kid: KID }), 'ERR_JWT_ALGORITHM');
    const bare = `${segment({ alg, kid: KID })}.${segment({ exp: now() + 1000 })}.`;
    assertRejected(verifier(), bare, 'ERR_JWT_ALGORITHM');
  }
});

test('an algorithm that the verifier does not accept is refused', () => {
  const only = verifier({ algorithms: ['RS256'] });
  assertRejected(only, craftClaims({}), 'ERR_JWT_ALGORITHM');
});

test('a public key is no HMAC secret', () => {
  for (const type of ['rsa', 'ed25519']) {
    const { publicKey } = keyPair(type, { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const jwk = JSON.stringify(publicKey.export({ format: 'jwk' }));
    for (const text of [pem, jwk, ` \n${pem}`, ` ${jwk}`]) {
      assert.throws(
        () => JwtKey.fromSecret(Buffer.from(text), { alg: 'HS256' }),
        coded('ERR_JWT_KEY'),
      );
    }
    assert.throws(() => JwtKey.fromPem(pem, { alg: 'HS256' }), coded('ERR_JWT_KEY'));
    assert.throws(() => JwtKey.fromKeyObject(publicKey, { alg: 'HS256' }), coded('ERR_JWT_KEY'));
    assert.throws(
      () => JwtKey.fromJwk(JSON.parse(jwk), { alg: 'HS256' }),
      coded('ERR_JWT_KEY'),
    );
  }
});

test('an HS256 token that names a public key is refused', () => {
  const { publicKey } = keyPair('rsa', { modulusLength: 2048 });
  const rsa = JwtKey.fromKeyObject(publicKey, { alg: 'RS256', kid: KID });
  const ring = new KeyRing();
  ring.add(rsa, { state: 'retired' });
  for (const format of ['pem', 'der']) {
    const secret = publicKey.export({ type: 'spki', format });
    for (const header of [{ alg: 'HS256', kid: KID }, { alg: 'PS256', kid: KID }]) {
      const token = craft({ exp: now() + 1000 }, header, secret);
      assertRejected(verifier({ keys: rsa }), token, 'ERR_JWT_ALGORITHM');
      assertRejected(verifier({ keys: ring }), token, 'ERR_JWT_ALGORITHM');
    }
    const nameless = craft({ exp: now() + 1000 }, { alg: 'HS256' }, secret);
    assertRejected(verifier({ keys: rsa }), nameless, 'ERR_JWT_KEY_NOT_FOUND');
  }
});

test('a token does not say where its key is', () => {
  const { publicKey, privateKey } = keyPair('ed25519');
  const own = JwtKey.fromKeyObject(privateKey, { alg: 'EdDSA', kid: 'theirs' });
  const [, payload, signature] = issue(own).split('.');
  const jwk = publicKey.export({ format: 'jwk' });
  for (const extra of [{ jwk }, { jku: 'https://example.com/jwks' }, { x5c: ['AAAA'] }]) {
    const header = segment({ alg: 'EdDSA', ...extra });
    assertRejected(verifier(), `${header}.${payload}.${signature}`, 'ERR_JWT_KEY_NOT_FOUND');
    // Parameters that the verifier does not read do no harm.
    assert.ok(verifier().verify(craftClaims({}, { alg: 'HS256', kid: KID, ...extra })));
  }
});

test('a header that is malformed, critical or of an unknown key is refused', () => {
  const plain = { alg: 'HS256', kid: KID };
  for (const [header, code] of [
    [{ ...plain, crit: ['exp'] }, 'ERR_JWT_CRITICAL'],
    [{ ...plain, crit: [] }, 'ERR_JWT_CRITICAL'],
    [{ ...plain, crit: ['b64'], b64: false }, 'ERR_JWT_CRITICAL'],
    [{ ...plain, b64: false }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, b64: true }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, zip: 'DEF' }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, enc: 'A256GCM' }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, alg: ['HS256'] }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, kid: 1 }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, typ: null }, 'ERR_JWT_MALFORMED'],
    [{ kid: KID }, 'ERR_JWT_MALFORMED'],
    [{ ...plain, kid: 'other' }, 'ERR_JWT_KEY_NOT_FOUND'],
    [{ ...plain, kid: '' }, 'ERR_JWT_KEY_NOT_FOUND'],
    [{ ...plain, kid: 'k'.repeat(300) }, 'ERR_JWT_KEY_NOT_FOUND'],
    [[plain], 'ERR_JWT_MALFORMED'],
    ['null', 'ERR_JWT_MALFORMED'],
    ['{"alg":"HS256"', 'ERR_JWT_MALFORMED'],
    ['{"alg":"RS256","alg":"HS256","kid":"k1"}', 'ERR_JWT_MALFORMED'],
    ['{"alg":"HS256","kid":"k1","\\u0063rit":["exp"]}', 'ERR_JWT_MALFORMED'],
    [Buffer.from('{"alg":"HS256","kid":"k1","x":"\xff"}', 'latin1'), 'ERR_JWT_MALFORMED'],
  ]) {
    assertRejected(verifier(), craftClaims({}, header), code);
  }
});

test('without a kid, a token is for the one key of its algorithm', () => {
  const nameless = craftClaims({}, { alg: 'HS256' });
  assert.ok(verifier().verify(nameless));
  const twin = JwtKey.fromSecret(SECRET, { alg: 'HS256', kid: 'k2' });
  assertRejected(verifier({ keys: [key, twin] }), nameless, 'ERR_JWT_KEY_NOT_FOUND');
  assert.ok(verifier({ keys: [key, twin] }).verify(craftClaims({})));
});

test('a verifier that could not work is refused', () => {
  assert.throws(() => verifier({ keys: [] }), coded('ERR_JWT_KEY'));
  assert.throws(() => verifier({ keys: [key, key] }), coded('ERR_KEYRING_DUPLICATE'));
});

test('tryVerify gives a header that is frozen and shared', () => {
  const extra = { alg: 'HS256', kid: KID, nested: { list: [1] } };
  const one = verifier().tryVerify(craftClaims({}, extra));
  assert.deepEqual(one.header, extra);
  const same = verifier();
  const headers = [1, 2].map((n) => same.tryVerify(craftClaims({ n }, extra)).header);
  assert.equal(headers[0], headers[1]);
  for (const value of [one.header, one.header.nested, one.header.nested.list]) {
    assert.ok(Object.isFrozen(value));
  }
  assert.equal(Object.isFrozen(one.claims), false);
});

test('more kinds of header than are remembered are read all the same', () => {
  const policy = verifier();
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 200; n++) {
      const header = { alg: 'HS256', kid: KID, n };
      assert.equal(policy.tryVerify(craftClaims({}, header)).header.n, n);
    }
  }
});
