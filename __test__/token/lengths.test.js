'use strict';

// maxBytes: verifiers of tokens that are longer or shorter than usual.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtKey, JwtVerifier, signJws, verifyJws } = require('@nodesec/native');
const { SECRET, assertRejected, craft, craftClaims, key, verifier } = require('../helpers/tokens.js');

const ofLength = (length, more) => craftClaims({ filler: 'x'.repeat(length), ...more });

test('a verifier reads tokens of up to maxBytes', async () => {
  const tokens = [500, 11_000, 13_000, 100_000, 780_000].map((length) => ofLength(length));
  for (const cache of [false, true]) {
    for (const maxBytes of [1024, 16_384, 32_768, 200_000, 2 ** 20]) {
      const own = verifier({ maxBytes, cache });
      for (const token of tokens) {
        for (let twice = 0; twice < 2; twice += 1) {
          if (token.length > maxBytes) assertRejected(own, token, 'ERR_JWT_MALFORMED');
          else assert.ok(own.verify(token).filler);
        }
      }
      const results = await own.verifyMany(tokens);
      assert.deepEqual(results.map(({ ok }) => ok), tokens.map(({ length }) => length <= maxBytes));
    }
  }
});

test('maxBytes is exact, and 16 KiB if it is left out', () => {
  const token = signJws('x'.repeat(15_000), key);
  const read = (maxBytes) => verifyJws(token, key, { algorithms: ['HS256'], maxBytes }).length;
  assert.equal(read(token.length), 15_000);
  for (const maxBytes of [token.length - 1, undefined]) {
    assert.throws(() => read(maxBytes), { code: 'ERR_JWT_MALFORMED' });
  }
});

test('a notification of 19 KiB with certificates in its header is read', async () => {
  const { CompactSign } = await import('jose');
  const secret = new Uint8Array(64).fill(5);
  const own = JwtKey.fromSecret(secret, { alg: 'HS512' });
  const x5c = [1700, 1100, 900].map((length) => Buffer.alloc(length, length).toString('base64'));
  const nested = `${'a'.repeat(4000)}.${'b'.repeat(2500)}.${'c'.repeat(86)}`;
  const payload = JSON.stringify({ data: { signedTransactionInfo: nested, signedRenewalInfo: nested.slice(5000) } });
  const token = await new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'HS512', x5c })
    .sign(secret);
  assert.ok(token.length > 16_384 && token.length < 20_480, `${token.length}`);
  const algorithms = ['HS512'];
  assert.throws(() => verifyJws(token, own, { algorithms }), { code: 'ERR_JWT_MALFORMED' });
  assert.equal(verifyJws(token, own, { algorithms, maxBytes: 20_480 }).toString(), payload);
  // A header may take nearly the whole token.
  const chain = { x5c: x5c.concat(x5c), typ: 'x' };
  const long = signJws('{}', own, { header: chain });
  assert.ok(long.indexOf('.') > 12_000);
  assert.throws(() => verifyJws(long, own, { algorithms }), { code: 'ERR_JWT_MALFORMED' });
  assert.equal(verifyJws(long, own, { algorithms, maxBytes: 16_385 }).toString(), '{}');
});

test('headers of any length come with the claims, and only short ones are kept', () => {
  const own = verifier({ maxBytes: 2 ** 20 });
  for (const length of [10, 10_000]) {
    const header = { alg: 'HS256', x: 'x'.repeat(length) };
    const token = craft({ exp: 1e11 }, header);
    const [one, two] = [own.tryVerify(token).header, own.tryVerify(token).header];
    assert.deepEqual(one, header);
    assert.ok(Object.isFrozen(one) && Object.isFrozen(two));
    assert.equal(one === two, length === 10);
  }
});

test('many long tokens are verified in parts of a few megabytes, all of them', async () => {
  const tokens = Array.from({ length: 12 }, (_, n) => ofLength(700_000, { n }));
  tokens.splice(3, 0, 'x'.repeat(2 ** 21), 7, craftClaims({ n: 'short' }));
  const own = verifier({ maxBytes: 2 ** 20 });
  const results = await own.verifyMany(tokens);
  assert.deepEqual(
    results.map(({ claims, code }) => claims?.n ?? code),
    [0, 1, 2, 'ERR_JWT_MALFORMED', 'ERR_JWT_MALFORMED', 'short', 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
});

test('a forged long token is refused for its signature, other characters for their form', () => {
  const own = verifier({ maxBytes: 2 ** 20 });
  const token = ofLength(50_000);
  const other = craft({ exp: 1e11, filler: 'x'.repeat(50_000) }, undefined, Buffer.alloc(32));
  assertRejected(own, other, 'ERR_JWT_SIGNATURE');
  for (const text of [`${token}é`, `${token}\ud800`, `${token} `, `${token}.`, 'x'.repeat(2 ** 20), 'x'.repeat(10e6)]) {
    assertRejected(own, text, 'ERR_JWT_MALFORMED');
  }
  const nested = craft(`{"exp":1,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`);
  assertRejected(own, nested, 'ERR_JWT_MALFORMED');
});

test('an access token may be long, and padded', () => {
  const policy = { keys: JwtKey.fromSecret(SECRET, { alg: 'HS256' }), issuer: 'i', audience: 'a' };
  const own = JwtVerifier.accessToken({ ...policy, maxBytes: 40_000, padding: 'allow' });
  const claims = { iss: 'i', aud: 'a', sub: 's', client_id: 'c', jti: 'j', groups: 'g'.repeat(20_000) };
  const token = craftClaims(claims, { alg: 'HS256', typ: 'at+jwt' });
  assert.equal(own.verify(`${token}=`).groups.length, 20_000);
  assertRejected(JwtVerifier.accessToken(policy), token, 'ERR_JWT_MALFORMED');
});
