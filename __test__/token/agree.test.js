'use strict';

// A token gets the same answer in every call: plain, from a cache, or among many. Some tokens come
// back, changed or not, and some are revoked in between.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, JwtVerifier, RevocationList } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { Random, mutateHeader, mutatePayload, respell, write } =
  require('../helpers/token-mutations.js');

const TOKENS = 6000;
const SEED = Number(process.env.SEED ?? 7);
/** The number of recent tokens that may come back. */
const RECENT = 150;

const secret = Buffer.alloc(32, 'agreed');
const pair = keyPair('ed25519');
const keys = [
  JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k1' }),
  JwtKey.fromKeyObject(pair.publicKey, { alg: 'EdDSA', kid: 'k1' }),
];
/** The time on the clock that all verifiers read. The mutations put no time near it. */
const start = Math.floor(Date.now() / 1000);

/** The members of the header and of the payload, in the form that `write` takes. */
function members(random) {
  const alg = random.pick(['HS256', 'EdDSA']);
  const header = { alg: `"${alg}"`, typ: '"JWT"', kid: '"k1"' };
  const payload = {
    iss: '"i"',
    aud: '["a","b"]',
    sub: `"s${random.below(40)}"`,
    exp: `${start + 100_000}`,
    iat: `${start - 20_000 + random.below(1000)}`,
    jti: `"j${random.below(100)}"`,
    sid: `"d${random.below(40)}"`,
    ['__proto__']: '{"admin":[true,{}]}',
  };
  return [alg, Object.entries(header), Object.entries(payload)];
}

function make(random) {
  const [alg, header, payload] = members(random);
  for (let changes = random.below(3); changes > 0; changes -= 1) {
    if (random.below(3) === 0) mutateHeader(header, random);
    // Times are hours away from all limits, so no answer changes while a second passes.
    else mutatePayload(payload, random, start + random.pick([-50_000, 50_000]), 0);
  }
  const signed = [header, payload].map((part) => write(part, random).toString('base64url')).join('.');
  const signature =
    alg === 'HS256'
      ? crypto.createHmac('sha256', secret).update(signed).digest('base64url')
      : crypto.sign(null, Buffer.from(signed), pair.privateKey).toString('base64url');
  return `${signed}.${random.below(12) === 0 ? respell(signature, random) : signature}`;
}

function revoke(list, random) {
  const until = start + 200_000;
  const name = (letter, limit) => `${letter}${random.below(limit)}`;
  random.pick([
    () => list.revokeId(name('j', 100), until),
    () => list.revokeId(name('j', 100), until, { issuer: 'i' }),
    () => list.revokeSession(name('d', 40), until),
    () => list.revokeSubject(name('s', 40), start - 20_000 + random.below(1000)),
  ])();
}

test('plain, cached and many at once give the same answers', async () => {
  const random = new Random(SEED);
  const revocations = new RevocationList();
  const policies = [
    { issuer: 'i', audience: ['a', 'z'] },
    { issuer: false, audience: false, clockTolerance: 300 },
    { issuer: 'i', audience: 'a', requiredClaims: ['sub', '__proto__'], requireExp: false },
    { issuer: false, audience: false, revocations },
    {
      issuer: 'i',
      audience: 'a',
      claims: { sub: Array.from({ length: 30 }, (_, index) => `s${index}`) },
      maxBytes: 40_000,
      padding: 'allow',
    },
  ];
  const all = policies.map((policy) => {
    const verifier = (cache) => new JwtVerifier({ keys, ...policy, cache });
    return [false, { maxEntries: 30 }, { maxEntries: 2 }, true].map(verifier);
  });
  const recent = [];
  const codes = new Map();
  for (let round = 1; round <= TOKENS; round += 1) {
    const isBack = recent.length > 0 && random.below(2) === 0;
    const token = isBack ? random.pick(recent) : make(random);
    if (!isBack && recent.push(token) > RECENT) recent.shift();
    const [plain, ...cached] = random.pick(all);
    const expected = plain.tryVerify(token);
    const what = () => `SEED=${SEED} round ${round}: ${token.slice(0, 2000)}`;
    for (const verifier of cached) assert.deepStrictEqual(verifier.tryVerify(token), expected, what());
    const code = expected.code ?? (isBack ? 'again' : 'accepted');
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (random.below(200) === 0) revoke(revocations, random);
    if (round % 500 === 0) {
      const one = recent.map((each) => plain.tryVerify(each));
      for (const verifier of [plain, ...cached]) {
        assert.deepStrictEqual(await verifier.verifyMany(recent), one, what());
      }
    }
  }
  const reached = ['accepted', 'again', 'ERR_JWT_REVOKED', 'ERR_JWT_EXPIRED', 'ERR_JWT_NOT_ACTIVE'];
  for (const code of [...reached, 'ERR_JWT_CLAIM', 'ERR_JWT_SIGNATURE', 'ERR_JWT_MALFORMED']) {
    assert.ok(codes.get(code) > 10, `SEED=${SEED}: ${code} came ${codes.get(code)} times`);
  }
});
