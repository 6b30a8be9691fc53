'use strict';

// A verifier with a cache gives the same answers as one without.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, RevocationList } = require('@nodesec/native');
const { assertRejected, craft, craftClaims, key, now, verifier } = require('../helpers/tokens.js');

const cached = (options) => verifier({ cache: true, ...options });

/** Verifies a token often enough that the cache keeps it. */
function remember(verifier, token) {
  for (let time = 0; time < 3; time += 1) assert.ok(verifier.verify(token));
  return token;
}

test('claims are frozen, so that nobody can change what others are given', () => {
  const remembering = cached();
  const token = craftClaims({ sub: 'a', roles: [{ name: 'user' }], deep: { n: 1 } });
  const expected = verifier().verify(token);
  for (let time = 0; time < 4; time += 1) {
    const claims = [remembering.verify(token), remembering.tryVerify(token).claims][time % 2];
    assert.throws(() => (claims.sub = 'root'), TypeError);
    assert.throws(() => claims.roles.push('admin'), TypeError);
    assert.throws(() => (claims.roles[0].name = 'admin'), TypeError);
    assert.throws(() => delete claims.deep.n, TypeError);
    assert.throws(() => Object.setPrototypeOf(claims, { admin: true }), TypeError);
    assert.deepEqual(claims, expected);
  }
  const { header } = remembering.tryVerify(token);
  assert.throws(() => (header.alg = 'none'), TypeError);
});

test('a call that runs out of stack leaves no other’s claims behind', () => {
  const remembering = cached({ cache: { maxEntries: 1 } });
  const [mine, other] = [craftClaims({ sub: 'mine' }), craftClaims({ sub: 'other' })];
  const dive = (token) => {
    try {
      dive(token);
    } catch {
      // Each level above has a little more stack, until there is just enough.
    }
    try {
      assert.equal(remembering.verify(token).sub, token === mine ? 'mine' : 'other');
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  };
  for (const token of [mine, other, mine, other]) {
    dive(token);
    assert.equal(remembering.verify(token).sub, token === mine ? 'mine' : 'other');
  }
});

test('verifyMany and verify share what they remember, not whose it is', async () => {
  const remembering = cached({ cache: { maxEntries: 3 } });
  const tokens = Array.from({ length: 7 }, (_, n) => craftClaims({ n }));
  for (let round = 0; round < 30; round += 1) {
    const many = remembering.verifyMany(tokens);
    for (const step of [1, 3, 5]) {
      const n = (round * step) % tokens.length;
      assert.equal(remembering.verify(tokens[n]).n, n);
    }
    for (const [n, { claims }] of (await many).entries()) {
      assert.equal(claims.n, n);
      assert.ok(Object.isFrozen(claims));
    }
  }
});

test('every kind of token is given as it was', () => {
  const [remembering, plain] = [cached(), verifier()];
  const tokens = [
    craftClaims({ 'é': '\u2028', __proto__: null, n: 1e300 }),
    craftClaims({ big: 'x'.repeat(11_000) }),
    craft(`{"exp":${now() + 1000},"__proto__":{"admin":true},"a":"\\u0000"}`),
    craftClaims({}, { alg: 'HS256' }),
  ];
  for (const token of [...tokens, ...tokens, ...tokens]) {
    assert.deepEqual(remembering.tryVerify(token), plain.tryVerify(token));
    assert.ok(remembering.tryVerify(token).ok);
  }
});

test('no change of a remembered token is accepted', () => {
  const remembering = cached();
  const token = remember(remembering, craftClaims({ sub: 'a' }));
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'A' ? 'B' : 'A';
    const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
    const { code, ok } = remembering.tryVerify(changed);
    assert.deepEqual([ok, code], [false, verifier().tryVerify(changed).code]);
  }
  for (const other of [`${token}A`, ` ${token}`, `${token} `, token.slice(0, -1), token.repeat(2)]) {
    assert.equal(remembering.tryVerify(other).ok, false);
  }
  // The last code unit has the same lower byte, but another upper byte.
  assert.equal(remembering.tryVerify(`${token.slice(0, -1)}${String.fromCharCode(token.charCodeAt(token.length - 1) + 256)}`).ok, false);
  assertRejected(remembering, `${token}${'A'.repeat(10e6)}`, 'ERR_JWT_MALFORMED');
  assert.ok(remembering.verify(token));
});

test('every revocation counts at once', () => {
  const claims = { jti: 'j', sid: 's', sub: 'u', iss: 'i', iat: now() - 5 };
  for (const revoke of [
    (list) => list.revokeId('j', now() + 2000),
    (list) => list.revokeId('j', now() + 2000, { issuer: 'i' }),
    (list) => list.revokeSession('s', now() + 2000),
    (list) => list.revokeSubject('u'),
    (list) => list.revokeKey('k1'),
  ]) {
    const revocations = new RevocationList();
    const remembering = cached({ revocations });
    const token = remember(remembering, craftClaims(claims));
    revocations.revokeId('j', now() + 2000, { issuer: 'other' });
    remember(remembering, token);
    revoke(revocations);
    assertRejected(remembering, token, 'ERR_JWT_REVOKED');
  }
  const revocations = new RevocationList();
  const remembering = cached({ revocations });
  const token = remember(remembering, craftClaims(claims));
  revocations.close();
  assertRejected(remembering, token, 'ERR_REVOCATION_CLOSED');
});

test('rotation keeps a remembered token and the revocation of its key ends it', async () => {
  const keys = new KeyRing({ alg: 'EdDSA' });
  await keys.rotate();
  const issuer = new JwtIssuer({ keys, expiresIn: 60 });
  const remembering = new JwtVerifier({ keys, issuer: false, audience: false, cache: true });
  const token = remember(remembering, issuer.sign({}));
  const { kid } = remembering.tryVerify(token).header;
  await keys.rotate({ force: true });
  const next = remember(remembering, issuer.sign({}));
  remember(remembering, token);
  keys.revoke(kid);
  assertRejected(remembering, token, 'ERR_JWT_REVOKED');
  remember(remembering, next);
});

test('a token expires while it is remembered', async () => {
  const remembering = cached();
  const exp = Date.now() / 1000 + 0.05;
  const token = craftClaims({ exp });
  // An answer is predictable if the call ends before `exp` or begins after it, however slow the
  // machine is.
  for (;;) {
    const before = Date.now() / 1000;
    const { ok } = remembering.tryVerify(token);
    if (Date.now() / 1000 < exp) assert.ok(ok);
    if (before > exp) {
      assert.equal(ok, false);
      break;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  assertRejected(remembering, token, 'ERR_JWT_EXPIRED');
});

test('more tokens than have room are verified all the same', () => {
  const tokens = Array.from({ length: 60 }, (_, n) => craftClaims({ n, pad: 'x'.repeat(n * 100) }));
  for (const maxEntries of [1, 2, 59, 60, 100_000]) {
    const remembering = cached({ cache: { maxEntries } });
    for (let time = 0; time < 3; time += 1) {
      for (const [n, token] of tokens.entries()) {
        assert.equal(remembering.verify(token).n, n);
        assert.equal(remembering.verify(tokens[0]).n, 0);
      }
    }
  }
});

test('policies do not share what they remember', () => {
  const token = craftClaims({ iss: 'a', aud: 'b' });
  remember(cached(), token);
  assertRejected(cached({ issuer: 'b' }), token, 'ERR_JWT_CLAIM', { claim: 'iss', reason: 'mismatch' });
  assertRejected(cached({ requiredClaims: ['x'] }), token, 'ERR_JWT_CLAIM', { claim: 'x', reason: 'missing' });
  const other = JwtKey.fromSecret(Buffer.alloc(32, 9), { alg: 'HS256', kid: key.kid });
  assertRejected(cached({ keys: other }), token, 'ERR_JWT_SIGNATURE');
  for (const off of [false, undefined]) assert.ok(verifier({ cache: off }).verify(token));
});
