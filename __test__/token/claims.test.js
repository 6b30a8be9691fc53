'use strict';

// The checks of claims by a verifier.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationList } = require('@nodesec/native');
const { KID, assertRejected, craft, craftClaims, now, verifier } = require('../helpers/tokens.js');

const HOUR = 3600;
const rejection = (claim, reason) => ['ERR_JWT_CLAIM', { claim, reason }];

test('exp, nbf and iat are checked', () => {
  for (const [claims, code, details] of [
    [{ exp: now() - 1 }, 'ERR_JWT_EXPIRED'],
    [{ exp: 0 }, 'ERR_JWT_EXPIRED'],
    [{ exp: -1e300 }, 'ERR_JWT_EXPIRED'],
    [{ exp: undefined }, ...rejection('exp', 'missing')],
    // Milliseconds taken for seconds would never expire.
    [{ exp: Date.now() }, ...rejection('exp', 'type')],
    [{ exp: 1e308 }, ...rejection('exp', 'type')],
    [{ iat: Date.now() }, ...rejection('iat', 'type')],
    [{ nbf: Date.now() }, ...rejection('nbf', 'type')],
    [{ nbf: now() + HOUR }, 'ERR_JWT_NOT_ACTIVE'],
    [{ iat: now() + HOUR }, ...rejection('iat', 'mismatch')],
  ]) {
    assertRejected(verifier(), craftClaims(claims), code, details);
  }
  for (const claims of [
    { exp: now() + 0.5 + HOUR },
    { exp: 1e11 },
    { nbf: now() - 1 },
    { nbf: -1 },
    { iat: undefined },
  ]) {
    assert.ok(verifier().verify(craftClaims(claims)));
  }
});

test('clockTolerance is added to every time', () => {
  const tolerant = verifier({ clockTolerance: 300 });
  for (const near of [{ exp: now() - 200 }, { nbf: now() + 200 }, { iat: now() + 200 }]) {
    assert.ok(tolerant.verify(craftClaims(near)));
    assert.equal(verifier().tryVerify(craftClaims(near)).ok, false);
  }
  assertRejected(tolerant, craftClaims({ exp: now() - 400 }), 'ERR_JWT_EXPIRED');
  assertRejected(tolerant, craftClaims({ nbf: now() + 400 }), 'ERR_JWT_NOT_ACTIVE');
});

test('maxAge refuses a token that is older', () => {
  const fresh = verifier({ maxAge: '10m' });
  assert.ok(fresh.verify(craftClaims({ iat: now() - 500 })));
  assertRejected(fresh, craftClaims({ iat: now() - 700 }), 'ERR_JWT_EXPIRED');
  assertRejected(fresh, craftClaims({ iat: undefined }), ...rejection('iat', 'missing'));
  const tolerant = verifier({ maxAge: 600, clockTolerance: 200 });
  assert.ok(tolerant.verify(craftClaims({ iat: now() - 700 })));
});

test('the issuer must be one that is named', () => {
  for (const [issuer, iss, details] of [
    ['me', 'me'],
    [['you', 'me'], 'me'],
    [false, undefined],
    [false, 'anybody'],
    ['me', undefined, { claim: 'iss', reason: 'missing' }],
    ['me', 'Me', { claim: 'iss', reason: 'mismatch' }],
    ['me', 'me ', { claim: 'iss', reason: 'mismatch' }],
    ['me', '', { claim: 'iss', reason: 'mismatch' }],
    [['you', 'me'], 'you,me', { claim: 'iss', reason: 'mismatch' }],
  ]) {
    const token = craftClaims({ iss });
    if (details) assertRejected(verifier({ issuer }), token, 'ERR_JWT_CLAIM', details);
    else assert.equal(verifier({ issuer }).verify(token).iss, iss);
  }
});

test('an audience must be one that is named', () => {
  for (const [audience, aud, details] of [
    ['api', 'api'],
    ['api', ['web', 'api']],
    [['api', 'app'], 'app'],
    [['api', 'app'], ['web', 'app']],
    [false, ['anybody']],
    [false, undefined],
    ['api', undefined, { claim: 'aud', reason: 'missing' }],
    ['api', [], { claim: 'aud', reason: 'mismatch' }],
    ['api', 'apis', { claim: 'aud', reason: 'mismatch' }],
    ['api', ['web', 'apis'], { claim: 'aud', reason: 'mismatch' }],
    ['api', ['web', ['api']], { claim: 'aud', reason: 'type' }],
    ['api', { api: 'api' }, { claim: 'aud', reason: 'type' }],
  ]) {
    const token = craftClaims({ aud });
    if (details) assertRejected(verifier({ audience }), token, 'ERR_JWT_CLAIM', details);
    else assert.deepEqual(verifier({ audience }).verify(token).aud, aud);
  }
});

test('typ must be the one that is named, by any of its spellings', () => {
  const typed = verifier({ typ: 'at+jwt' });
  const of = (typ) => craftClaims({}, { alg: 'HS256', kid: KID, typ });
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+JWT']) {
    assert.ok(typed.verify(of(typ)), typ);
  }
  for (const typ of ['JWT', 'at', '', 'text/at+jwt']) {
    assertRejected(typed, of(typ), ...rejection('typ', 'mismatch'));
  }
  assertRejected(typed, of(undefined), ...rejection('typ', 'missing'));
  assert.ok(verifier().verify(of(undefined)));
});

test('a claim of the wrong type is refused, asked for or not', () => {
  for (const [claim, values] of Object.entries({
    exp: ['1', null, true, [1], {}],
    nbf: ['1', null],
    iat: ['1', null, {}],
    iss: [1, null, ['me']],
    sub: [1, null, ['subject']],
    jti: [1, null, {}],
    sid: [1, null],
    aud: [1, null, true, [1], ['a', null]],
  })) {
    for (const value of values) {
      assertRejected(verifier(), craftClaims({ [claim]: value }), ...rejection(claim, 'type'));
    }
  }
  const infinite = craft(`{"exp":1e400,"iat":1}`);
  assertRejected(verifier(), infinite, ...rejection('exp', 'type'));
});

test('a payload that two readers could read differently is refused', () => {
  const exp = now() + HOUR;
  for (const payload of [
    `{"exp":${exp},"sub":"a","sub":"b"}`,
    `{"exp":1,"exp":${exp}}`,
    `{"exp":${exp},"\\u0065xp":1}`,
    `{"exp":${exp},"a":{"b":1,"b":2}}`,
    `{"exp":${exp},"a":[{"b":1,"b":2}]}`,
    `{"exp":${exp},"a":"\\ud800"}`,
    `{"exp":${exp},"a":${'['.repeat(40)}${']'.repeat(40)}}`,
    `{"exp":${exp}}x`,
    `{"exp":${exp},}`,
    `{"exp":0${exp}}`,
    `{'exp':${exp}}`,
    `\ufeff{"exp":${exp}}`,
    `[{"exp":${exp}}]`,
    `"${exp}"`,
    'null',
    '',
    Buffer.from(`{"exp":${exp},"a":"\xff"}`, 'latin1'),
  ]) {
    assertRejected(verifier(), craft(payload), 'ERR_JWT_MALFORMED');
  }
});

test('an unusual payload that all readers read alike is accepted', () => {
  const exp = now() + HOUR;
  for (const [payload, claims] of [
    [` {\n"exp" :\t${exp} } `, { exp }],
    [`{"\\u0065xp":${exp}}`, { exp }],
    [`{"exp":${exp}.5e0}`, { exp: exp + 0.5 }],
    [`{"exp":${exp},"":0,"ключ":"знач\\u0435ние 🐎"}`, { exp, '': 0, ключ: 'значение 🐎' }],
    [`{"exp":${exp},"a":"\\ud83d\\udc0e\\n\\u0000"}`, { exp, a: '🐎\n\0' }],
    [`{"exp":${exp},"big":12345678901234567890}`, { exp, big: 12345678901234567000 }],
  ]) {
    assert.deepEqual(verifier().verify(craft(payload)), claims);
  }
});

test('__proto__ is a claim like any other', () => {
  const payload = `{"exp":${now() + HOUR},"__proto__":{"admin":true},"constructor":1,"toString":2}`;
  for (const claims of [
    verifier().verify(craft(payload)),
    verifier().tryVerify(craft(payload)).claims,
  ]) {
    assert.equal(claims.admin, undefined);
    assert.equal(Object.getPrototypeOf(claims), Object.prototype);
    assert.ok(Object.hasOwn(claims, '__proto__'));
    assert.equal({}.admin, undefined);
  }
});

test('every call gives claims of its own', () => {
  const token = craftClaims({ roles: ['user'] });
  const policy = verifier();
  policy.verify(token).roles.push('admin');
  assert.deepEqual(policy.verify(token).roles, ['user']);
});

test('each of requiredClaims must be there', () => {
  const strict = verifier({ requiredClaims: ['client_id', 'sub', 'b"\\é'] });
  const all = { client_id: '', sub: 's', 'b"\\é': false };
  assert.deepEqual(strict.verify(craftClaims(all)).client_id, '');
  assert.ok(strict.verify(craftClaims({ ...all, client_id: 0 })));
  for (const claim of Object.keys(all)) {
    assertRejected(strict, craftClaims({ ...all, [claim]: undefined }), ...rejection(claim, 'missing'));
  }
  assertRejected(strict, craftClaims({ ...all, client_id: null }), ...rejection('client_id', 'missing'));
  assertRejected(strict, craftClaims({ ...all, sub: null }), ...rejection('sub', 'type'));
  // Only the payload's own members count, by their decoded names.
  assertRejected(strict, craftClaims({ ...all, client_id: undefined, a: all }), ...rejection('client_id', 'missing'));
  const members = `"exp":${now() + HOUR},"sub":"s"`;
  assert.ok(strict.verify(craft(`{${members},"\\u0063lient_id":1,"b\\"\\\\\\u00e9":{}}`)));
  assertRejected(strict, craft(`{${members},"client_id\\u0000":1,"b\\"\\\\\\u00e9":{}}`), ...rejection('client_id', 'missing'));
});

test('a hundred claims may be required, some of them twice', () => {
  const names = Array.from({ length: 98 }, (_, n) => `claim ${n}`);
  const strict = verifier({ requiredClaims: [...names, 'claim 3', 'claim 97'] });
  const claims = Object.fromEntries(names.map((name) => [name, true]));
  assert.ok(strict.verify(craftClaims(claims)));
  for (const name of names) {
    assertRejected(strict, craftClaims({ ...claims, [name]: undefined }), ...rejection(name, 'missing'));
  }
});

test('requireExp: false accepts a token without exp', () => {
  const lasting = verifier({ requireExp: false });
  assert.equal(lasting.verify(craftClaims({ exp: undefined })).exp, undefined);
  assertRejected(lasting, craftClaims({ exp: now() - 1 }), 'ERR_JWT_EXPIRED');
  assertRejected(lasting, craftClaims({ exp: null }), ...rejection('exp', 'type'));
  const aged = verifier({ requireExp: false, maxAge: 60 });
  assertRejected(aged, craftClaims({ exp: undefined, iat: now() - 100 }), 'ERR_JWT_EXPIRED');
  const named = verifier({ requireExp: false, requiredClaims: ['exp'] });
  assertRejected(named, craftClaims({ exp: undefined }), ...rejection('exp', 'missing'));
  const revocable = verifier({ requireExp: false, revocations: new RevocationList() });
  assertRejected(revocable, craftClaims({ exp: undefined, jti: 'j' }), ...rejection('exp', 'missing'));
});
