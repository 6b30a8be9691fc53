'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, KeyRing, unsafeDecode } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { KID, key, now, verifier } = require('../helpers/tokens.js');

const issuer = (options) => new JwtIssuer({ keys: key, expiresIn: '15m', ...options });
const claimsOf = (token) => unsafeDecode(token).claims;

test('a token carries what the issuer sets', () => {
  const before = now();
  const { header, claims } = unsafeDecode(
    issuer({ issuer: 'me', audience: 'you' }).sign({ sub: 'subject' }),
  );
  assert.deepEqual(header, { alg: 'HS256', typ: 'JWT', kid: KID });
  const { iat, exp, jti, ...others } = claims;
  assert.deepEqual(others, { iss: 'me', aud: 'you', sub: 'subject' });
  assert.ok(iat >= before && iat <= now());
  assert.equal(exp - iat, 900);
  assert.match(jti, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a token carries no more than it must', () => {
  const { iat, exp, ...others } = claimsOf(issuer({ jti: false }).sign({}));
  assert.equal(exp - iat, 900);
  assert.deepEqual(others, {});
});

test('every token has an id of its own', () => {
  const signer = issuer();
  const ids = new Set(Array.from({ length: 1000 }, () => claimsOf(signer.sign({})).jti));
  assert.equal(ids.size, 1000);
});

test('several audiences are an array, one is a string', () => {
  const audienceOf = (audience) => claimsOf(issuer({ audience }).sign({})).aud;
  assert.deepEqual(audienceOf(['one', 'two']), ['one', 'two']);
  assert.equal(audienceOf(['one']), 'one');
  assert.equal(audienceOf(undefined), undefined);
});

test('the header carries the issuer’s typ', () => {
  assert.equal(unsafeDecode(issuer({ typ: 'at+jwt' }).sign({})).header.typ, 'at+jwt');
});

test('overrides count for one token', () => {
  const signer = issuer({ audience: 'you', jti: false });
  const { iat, ...claims } = claimsOf(
    signer.sign({}, { audience: ['a', 'b'], expiresIn: '1h', notBefore: 60 }),
  );
  assert.deepEqual(claims, { aud: ['a', 'b'], exp: iat + 3600, nbf: iat + 60 });
  const next = claimsOf(signer.sign({}));
  assert.deepEqual(next, { aud: 'you', iat: next.iat, exp: next.iat + 900 });
  assert.equal(verifier().tryVerify(signer.sign({}, { notBefore: 60 })).code, 'ERR_JWT_NOT_ACTIVE');
});

test('a claim that the issuer sets itself is refused', () => {
  const full = issuer({ issuer: 'me', audience: 'you' });
  for (const claims of [
    { iat: 1 },
    { exp: 1 },
    { jti: 'mine' },
    { iss: 'me' },
    { aud: 'you' },
  ]) {
    assert.throws(() => full.sign(claims), coded('ERR_JWT_CLAIM'));
  }
  const bare = issuer({ jti: false });
  assert.throws(() => bare.sign({ nbf: 1 }, { notBefore: 0 }), coded('ERR_JWT_CLAIM'));
  assert.throws(() => bare.sign({ aud: 'a' }, { audience: 'b' }), coded('ERR_JWT_CLAIM'));
  const { iat, exp, ...own } = claimsOf(bare.sign({ iss: 'i', aud: ['a'], jti: 'j', nbf: 1 }));
  assert.deepEqual(own, { iss: 'i', aud: ['a'], jti: 'j', nbf: 1 });
});

test('claims that no verifier would read are refused', () => {
  const deep = (levels) => (levels === 0 ? 1 : { deeper: deep(levels - 1) });
  for (const claims of [{ sub: 1 }, { sid: null }, { nbf: '1' }, deep(33), { a: '\udc00' }]) {
    assert.throws(() => issuer().sign(claims), coded('ERR_JWT_CLAIM'));
  }
  assert.ok(issuer().sign(deep(31)));
});

test('claims that JSON cannot hold are refused', () => {
  const circular = {};
  circular.self = circular;
  const thrown = new Error('mine');
  const throwing = {
    toJSON() {
      throw thrown;
    },
  };
  for (const claims of [circular, { big: 1n }]) {
    assert.throws(() => issuer().sign(claims), (error) => {
      assert.ok(error.cause instanceof TypeError);
      assert.deepEqual(Object.keys(error), ['code']);
      return coded('ERR_JWT_CLAIM')(error);
    });
  }
  assert.throws(
    () => issuer().sign({ throwing }),
    (error) => error === thrown,
  );
});

test('claims come back as they were', () => {
  const claims = {
    text: 'Ünïcödé "quoted" \\ \u2028 \0 🐎',
    'ключ': [1, 1.5, -1e-7, true, null, 'x', { deep: [] }],
    '': '',
    iatx: 1,
  };
  const signer = issuer({ jti: false });
  const { iat, exp, ...back } = verifier().verify(signer.sign(claims));
  assert.deepEqual(back, claims);
  const date = new Date(0);
  assert.equal(verifier().verify(signer.sign({ date })).date, date.toISOString());
});

test('a __proto__ claim is an own member', () => {
  const claims = verifier().verify(issuer().sign(JSON.parse('{"__proto__":{"admin":true}}')));
  assert.equal(claims.admin, undefined);
  assert.deepEqual(Object.getOwnPropertyDescriptor(claims, '__proto__').value, { admin: true });
});

test('a token is at most 16 KiB', () => {
  const ofLength = (length) => issuer().sign({ filler: 'x'.repeat(length) });
  assert.equal(verifier().verify(ofLength(11_000)).filler.length, 11_000);
  for (const length of [13_000, 20_000, 10e6]) {
    assert.throws(() => ofLength(length), coded('ERR_OUT_OF_RANGE'));
  }
});

test('a life beyond what the ring remembers is refused', () => {
  const keys = new KeyRing({ keys: [key], maxTokenTtl: '1h' });
  assert.throws(() => issuer({ keys, expiresIn: 3601 }), coded('ERR_OUT_OF_RANGE'));
  const signer = issuer({ keys, expiresIn: '1h' });
  assert.throws(() => signer.sign({}, { expiresIn: 3601 }), coded('ERR_OUT_OF_RANGE'));
  assert.ok(signer.sign({}, { expiresIn: 3600 }));
});

test('an issuer signs with one key', () => {
  assert.throws(() => issuer({ keys: [] }), coded('ERR_JWT_KEY'));
  assert.throws(() => issuer({ keys: [key, key] }), coded('ERR_JWT_KEY'));
  assert.ok(issuer({ keys: [key] }).sign({}));
});
