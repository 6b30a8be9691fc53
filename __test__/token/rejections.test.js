'use strict';

// The error codes of tokens and keys: each comes from its cause, and its error reveals nothing
// else.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');

const { JwtError, JwtIssuer, JwtKey, JwtVerifier, KeyRing, NodesecError, RevocationList } =
  require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { KID, craft, craftClaims, key, now, verifier } = require('../helpers/tokens.js');

const HEADER = { alg: 'HS256', kid: KID };
const ring = (options) => new KeyRing({ alg: 'EdDSA', ...options });

/** For each code, a call that causes it. */
const WAYS = {
  ERR_JWT_ALGORITHM: () => verifier().verify(craftClaims({}, { ...HEADER, alg: 'HS512' })),
  ERR_JWT_CLAIM: () => verifier().verify(craftClaims({ sub: 1 })),
  ERR_JWT_CRITICAL: () => verifier().verify(craftClaims({}, { ...HEADER, crit: ['x'] })),
  ERR_JWT_EXPIRED: () => verifier().verify(craftClaims({ exp: now() - 1 })),
  ERR_JWT_KEY: () => JwtKey.fromPem('no PEM', { alg: 'ES256' }),
  ERR_JWT_KEY_NOT_FOUND: () => verifier().verify(craftClaims({}, { ...HEADER, kid: 'k2' })),
  ERR_JWT_MALFORMED: () => verifier().verify('no token'),
  ERR_JWT_NOT_ACTIVE: () => verifier().verify(craftClaims({ nbf: now() + 100 })),
  ERR_JWT_REVOKED: async () => {
    const revocations = new RevocationList({ maxTokenTtl: '1h' });
    try {
      await revocations.revokeSubject('s');
      verifier({ revocations }).verify(craftClaims({ jti: 'j', sub: 's' }));
    } finally {
      await revocations.close();
    }
  },
  ERR_JWT_SIGNATURE: () => verifier().verify(craft({ exp: now() + 9 }, HEADER, Buffer.alloc(32))),
  ERR_KEYRING_DUPLICATE: () => ring({ keys: [key, key] }),
  ERR_KEYRING_NO_ACTIVE_KEY: () => new JwtIssuer({ keys: ring(), expiresIn: 60 }).sign({}),
  ERR_KEYRING_NOT_PUBLISHED: async () => {
    const keys = ring();
    await keys.rotate();
    await keys.rotate();
  },
  ERR_KEYRING_UNKNOWN_KEY: () => ring().revoke('nobody'),
};

for (const [code, way] of Object.entries(WAYS)) {
  test(`${code} has a way to it`, async () => {
    await assert.rejects(async () => way(), (error) => {
      assert.ok(error instanceof JwtError);
      return coded(code)(error);
    });
  });
}

const NEEDLE = 'aGVsbG8gbmVlZGxl';

/** Asserts that no part of a value contains the needle, plain or as the token encodes it. */
function assertSilent(value, token) {
  const own = Reflect.ownKeys(value).map((name) => `${String(name)} ${inspect(value[name])}`);
  const all = `${inspect(value, { depth: 9, showHidden: true })} ${own} ${value.stack} ${value.cause}`;
  for (const text of [NEEDLE, ...token.split('.').filter((part) => part.length > 8)]) {
    assert.ok(!all.includes(text), all);
  }
}

test('no error quotes a refused token', () => {
  const needles = { sub: NEEDLE, [NEEDLE]: NEEDLE };
  const header = { ...HEADER, [NEEDLE]: NEEDLE };
  const strict = verifier({ issuer: 'i', requiredClaims: ['tenant'], cache: true });
  for (const token of [
    // The signature is checked first, so the verifier has not read this payload.
    craft({ ...needles, exp: now() + 9 }, header, Buffer.alloc(32)),
    craft({ ...needles, exp: NEEDLE }, header, Buffer.alloc(32)),
    craft(`{"${NEEDLE}"`, header, Buffer.alloc(32)),
    craftClaims({ ...needles, exp: 1 }, header),
    craftClaims({ ...needles, iss: NEEDLE }, header),
    craftClaims({ ...needles, iss: 'i', tenant: null }, header),
    craftClaims({ ...needles, jti: [NEEDLE] }, header),
    craftClaims(needles, { ...header, kid: NEEDLE }),
    craftClaims(needles, { ...header, alg: NEEDLE }),
    craftClaims(needles, { ...header, crit: [NEEDLE] }),
    craft(`{"${NEEDLE}":1`, header),
    `${NEEDLE}.${NEEDLE}.${NEEDLE}`,
  ]) {
    const result = strict.tryVerify(token);
    assertSilent(result, token);
    assert.throws(() => strict.verify(token), (error) => {
      assert.ok(error instanceof NodesecError);
      assertSilent(error, token);
      const { code, message, claim, reason } = error;
      const { ok, ...said } = result;
      assert.deepEqual({ code, message, ...(claim && { claim, reason }) }, { ...said });
      return !ok;
    });
  }
});

test('with a bad signature the payload makes no difference', () => {
  const forged = (payload) => craft(payload, HEADER, Buffer.alloc(32, 1));
  const strict = new JwtVerifier({ keys: key, issuer: 'i', audience: 'a', cache: true });
  const results = [
    { exp: now() + 9, iss: 'i', aud: 'a' },
    { exp: 1 },
    { exp: 'text' },
    '{',
    '',
    Buffer.of(0xff),
    `{"a":1,"a":2}`,
    '['.repeat(1000),
  ].map((payload) => strict.tryVerify(forged(payload)));
  for (const result of results) {
    assert.deepEqual(result, {
      ok: false,
      code: 'ERR_JWT_SIGNATURE',
      message: "the token's signature does not verify",
    });
  }
});
