'use strict';

// The option `claims`: exact values of claims, of any name.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { SECRET, assertRejected, craft, craftClaims, key, now, verifier } = require('../helpers/tokens.js');

/** A token whose payload has these members, as JSON text. */
const craftText = (members) => craft(`{"exp":${now() + 60},${members}}`);

test('a Cognito access token has no aud, but its client and its use', async () => {
  const cognito = verifier({ claims: { token_use: 'access', client_id: ['app', 'web'] } });
  const token = (claims) => craftClaims({ token_use: 'access', client_id: 'web', ...claims });
  assert.equal(cognito.verify(token()).client_id, 'web');
  for (const [change, claim, reason] of [
    [{ token_use: 'id' }, 'token_use', 'mismatch'],
    [{ token_use: undefined }, 'token_use', 'missing'],
    [{ token_use: null }, 'token_use', 'missing'],
    [{ token_use: ['access'] }, 'token_use', 'mismatch'],
    [{ client_id: 'other' }, 'client_id', 'mismatch'],
    [{ client_id: 'WEB' }, 'client_id', 'mismatch'],
    [{ client_id: 'web ' }, 'client_id', 'mismatch'],
    [{ client_id: undefined }, 'client_id', 'missing'],
  ]) {
    const text = token(change);
    assertRejected(cognito, text, 'ERR_JWT_CLAIM', { claim, reason });
    const [{ message, ...many }] = await cognito.verifyMany([text]);
    assert.deepEqual(many, { ok: false, code: 'ERR_JWT_CLAIM', claim, reason });
    assert.ok(message.includes(`"${claim}"`));
  }
});

test('a value is compared as JSON.parse reads it, with its type', () => {
  const values = { text: 'é/"', number: 10, negative: -0.5, yes: true, no: false };
  const own = verifier({ claims: values });
  assert.ok(own.verify(craftClaims(values)));
  for (const [name, others] of Object.entries({
    text: ['e\u0301/"', 'é/', '', 10, ['é/"']],
    number: [11, '10', [10], { 10: 10 }, 10.000001],
    negative: [0.5, '-0.5', -1],
    yes: [false, 1, 'true', {}],
    no: [true, 0, '', []],
  })) {
    for (const value of others) {
      const text = craftClaims({ ...values, [name]: value });
      assertRejected(own, text, 'ERR_JWT_CLAIM', { claim: name, reason: 'mismatch' });
    }
  }
  const spelt = String.raw`"text":"\u00e9\/\"","n\u0075mber":1E+1,"negative":-5e-1,"yes":true,"no":false`;
  assert.ok(own.verify(craftText(spelt)));
});

test('a claim of any name, own members only', () => {
  const claims = JSON.parse('{"__proto__":"p","constructor":"c","https://app.example/tenant":7}');
  const own = verifier({ claims });
  const members = Object.entries(claims).map((member) => member.map((part) => JSON.stringify(part)).join(':'));
  assert.ok(own.verify(craftText(members.join(','))));
  Object.keys(claims).forEach((claim, index) => {
    const text = craftText(members.toSpliced(index, 1).join(','));
    assertRejected(own, text, 'ERR_JWT_CLAIM', { claim, reason: 'missing' });
  });
});

test('a claim that has an option of its own is refused in words', () => {
  for (const [claim, option] of Object.entries({
    iss: 'issuer',
    aud: 'audience',
    exp: 'requireExp',
    iat: 'maxAge',
    nbf: 'clockTolerance',
  })) {
    assert.throws(() => verifier({ claims: { [claim]: 'x' } }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: `claims must not name "${claim}"; use the option ${option}`,
    });
  }
});

test('a value that no claim can have is refused, so that no check is lost', () => {
  for (const [value, code, message] of [
    [undefined, 'ERR_INVALID_ARG_TYPE', /^a value in claims must be a string, a number, a boolean or/],
    [['a', undefined], 'ERR_INVALID_ARG_TYPE', /^a value in claims must be/],
    [NaN, 'ERR_OUT_OF_RANGE', /^a value in claims must be a finite number/],
    [2 ** 53, 'ERR_OUT_OF_RANGE', /^a value in claims must be a number from -\(2 \*\* 53 - 1\)/],
    [[], 'ERR_OUT_OF_RANGE', /^a value in claims must be an array of at least one value/],
    ['', 'ERR_OUT_OF_RANGE', /^a value in claims must be 1 to 2048 bytes long/],
  ]) {
    assert.throws(() => verifier({ claims: { role: value } }), { code, message });
  }
  assert.ok(verifier({ claims: {} }));
  assert.ok(verifier({ claims: { role: 2 ** 53 - 1 } }));
});

test('the values are those of the moment of construction', () => {
  const claims = { role: ['admin'] };
  const own = verifier({ claims, cache: true });
  claims.role.push('guest');
  claims.other = 'x';
  assert.ok(own.verify(craftClaims({ role: 'admin' })));
  const details = { claim: 'role', reason: 'mismatch' };
  assertRejected(own, craftClaims({ role: 'guest' }), 'ERR_JWT_CLAIM', details);
});

test('presets take exact claims as well', async () => {
  const policy = { keys: JwtKey.fromSecret(SECRET, { alg: 'HS256' }), issuer: 'i', audience: 'a' };
  const access = JwtVerifier.accessToken({ ...policy, claims: { client_id: 'app', tenant: 7 } });
  const issuer = new JwtIssuer({ ...policy, expiresIn: 60, typ: 'at+jwt' });
  const sign = (claims) => issuer.sign({ sub: 's', client_id: 'app', tenant: 7, ...claims });
  assert.equal(access.verify(sign()).tenant, 7);
  const details = { claim: 'client_id', reason: 'mismatch' };
  assertRejected(access, sign({ client_id: 'other' }), 'ERR_JWT_CLAIM', details);

  const own = await JwtKey.generate('ES256');
  const workload = new JwtIssuer({ keys: own, audience: 'a', expiresIn: 60 });
  const svids = JwtVerifier.spiffe({
    trustDomain: 'example.org',
    bundle: { keys: [{ ...own.toPublicJwk(), use: 'jwt-svid' }] },
    audience: 'a',
    claims: { sub: 'spiffe://example.org/web' },
  });
  assert.ok(svids.verify(workload.sign({ sub: 'spiffe://example.org/web' })));
  const other = workload.sign({ sub: 'spiffe://example.org/db' });
  assertRejected(svids, other, 'ERR_JWT_CLAIM', { claim: 'sub', reason: 'mismatch' });
});

test('a hundred claims of a hundred values', () => {
  const names = Array.from({ length: 100 }, (_, index) => `claim${index}`);
  const values = Array.from({ length: 100 }, (_, index) => index);
  const own = verifier({ keys: key, claims: Object.fromEntries(names.map((name) => [name, values])) });
  const last = Object.fromEntries(names.map((name, index) => [name, 99 - index]));
  assert.ok(own.verify(craftClaims(last)));
  const details = { claim: 'claim99', reason: 'mismatch' };
  assertRejected(own, craftClaims({ ...last, claim99: 100 }), 'ERR_JWT_CLAIM', details);
});
