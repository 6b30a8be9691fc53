'use strict';

// Gives whole tokens to jose and to this package under several policies, and compares accepted
// tokens with the result of JSON.parse. `TOKENS` is the number of tokens and `SEED` selects them; a
// failure names its seed.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, JwtVerifier } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { LAXER, STRICTER, shape } = require('../helpers/token-differences.js');
const { Random, mutateHeader, mutatePayload, respell, write } =
  require('../helpers/token-mutations.js');
const { assertSameReading } = require('../helpers/unverified.js');

const KID = 'k1';
/** Enough tokens for every class to occur. */
const ENOUGH = 15_000;
const TOKENS = Number(process.env.TOKENS ?? ENOUGH);
const SEED = Number(process.env.SEED ?? 5);

const POLICIES = [
  { issuer: 'i', audience: ['a', 'z'], clockTolerance: 0 },
  { issuer: 'i', audience: ['a', 'z'], clockTolerance: 60, maxAge: 3600, typ: 'JWT' },
  { issuer: false, audience: false, clockTolerance: 300 },
  { issuer: 'i', audience: 'a', clockTolerance: 0, requiredClaims: ['sub'], requireExp: false },
  {
    issuer: 'i',
    audience: ['a', 'z'],
    clockTolerance: 0,
    claims: { sub: 's' },
    maxBytes: 32_768,
    padding: 'allow',
  },
];

const rsa = keyPair('rsa', { modulusLength: 2048 });
const ed25519 = keyPair('ed25519');
const secret = crypto.createSecretKey(crypto.randomBytes(64));
const curve = (namedCurve) => keyPair('ec', { namedCurve });
/** Each algorithm with its keys and verifiers. `OFTEN` repeats the fast algorithms. */
const MIX = [
  ...['HS256', 'HS384', 'HS512'].map((alg) => [alg, { privateKey: secret, publicKey: secret }]),
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, rsa]),
  ...[['ES256', 'P-256'], ['ES384', 'P-384'], ['ES512', 'P-521']].map(
    ([alg, name]) => [alg, curve(name)],
  ),
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
].map(([alg, pair]) => side(alg, pair));
const OFTEN = { HS256: 64, ES256: 12, EdDSA: 12 };
const TURNS = MIX.flatMap((entry) => Array(OFTEN[entry.alg] ?? 1).fill(entry));

/**
 * The keys of one algorithm, and our verifier under each policy. jose verifies with `publicKey`.
 */
function side(alg, { privateKey, publicKey }) {
  const key = JwtKey.fromKeyObject(publicKey, { alg, kid: KID });
  const verifiers = POLICIES.map((policy) => new JwtVerifier({ keys: key, ...policy }));
  return { alg, privateKey, publicKey, verifiers };
}

function sign(alg, key, text) {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) return crypto.createHmac(hash, key).update(text).digest('base64url');
  if (alg.startsWith('Ed')) return crypto.sign(null, text, key).toString('base64url');
  const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = crypto.constants;
  const options = {
    RS: {},
    PS: { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST },
    ES: { dsaEncoding: 'ieee-p1363' },
  }[alg.slice(0, 2)];
  return crypto.sign(hash, text, { key, ...options }).toString('base64url');
}

/** Makes a token with up to three changes, which is nearly always signed after them. */
function make({ alg, privateKey }, policy, random) {
  const now = Math.floor(Date.now() / 1000);
  const header = Object.entries({ alg: `"${alg}"`, typ: '"JWT"', kid: `"${KID}"` });
  const payload = Object.entries({
    iss: '"i"',
    aud: '["a","b"]',
    sub: '"s"',
    exp: `${now + 3000}`,
    nbf: `${now - 9}`,
    iat: `${now - 9}`,
    jti: '"j"',
    roles: '[{"x":null,"y":[0.5,"é"]}]',
  });
  const before = [structuredClone(header), structuredClone(payload)];
  for (let changes = random.below(4); changes > 0; changes--) {
    if (random.below(3) === 0) mutateHeader(header, random);
    else mutatePayload(payload, random, now, policy.clockTolerance);
  }
  const segments = [header, payload].map((members) => {
    const segment = write(members, random).toString('base64url');
    return random.below(30) === 0 ? respell(segment, random) : segment;
  });
  const signature = sign(alg, privateKey, Buffer.from(segments.join('.')));
  switch (random.below(20)) {
    case 0:
      return [...segments, respell(signature, random)].join('.');
    case 1: {
      const others = before.map((members) => write(members, random).toString('base64url'));
      return [...others, signature].join('.');
    }
    default:
      return [...segments, signature].join('.');
  }
}

/** Asks both libraries within one second. Returns their results and that second. */
async function judge(jwtVerify, { alg, publicKey, verifiers }, index, token) {
  let result;
  let now;
  do {
    now = Math.floor(Date.now() / 1000);
    result = verifiers[index].tryVerify(token);
  } while (Math.floor(Date.now() / 1000) !== now);
  const { issuer, audience, claims, clockTolerance, maxAge, typ, requiredClaims } = POLICIES[index];
  const theirs = await jwtVerify(token, publicKey, {
    algorithms: alg.startsWith('Ed') ? ['EdDSA', 'Ed25519'] : [alg],
    issuer: issuer || undefined,
    audience: audience || undefined,
    subject: claims?.sub,
    requiredClaims: requiredClaims ?? ['exp'],
    clockTolerance,
    maxTokenAge: maxAge,
    typ,
    currentDate: new Date(now * 1000),
  }).catch((error) => ({ error }));
  return { result, theirs, now };
}

/** Reads the token with Buffer and JSON.parse. Differences are explained from this result. */
function read(text, policy, now) {
  const bytes = text.split('.', 2).map((segment) => Buffer.from(segment, 'base64url'));
  const texts = bytes.map((part) => part.toString().replace(/^\ufeff/, ''));
  const [header, claims] = texts.map((part) => JSON.parse(part));
  const shapes = texts.map(shape);
  return { text, bytes, texts, headerText: texts[0], header, claims, shapes, kid: KID, policy, now };
}

/** Asserts the policy, in the words of RFC 7519, on the values from JSON.parse. */
function assertFits({ text, claims, header, policy, now }) {
  const { issuer, audience, clockTolerance, maxAge = Infinity, typ, requiredClaims } = policy;
  assert.ok(text.length <= (policy.maxBytes ?? 16_384));
  for (const part of text.split('.')) {
    const bare = Buffer.from(part, 'base64url').toString('base64url');
    const padded = bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
    assert.ok(part === bare || (policy.padding === 'allow' && part === padded));
  }
  if (policy.claims) assert.equal(claims.sub, policy.claims.sub);
  // Our clock counts milliseconds, and `now` is the start of its second.
  for (const name of requiredClaims ?? ['exp']) assert.notEqual(claims[name] ?? null, null);
  assert.ok(!(claims.exp <= now - clockTolerance));
  for (const name of ['iat', 'nbf']) assert.ok(!(claims[name] >= now + 1 + clockTolerance), name);
  if (maxAge !== Infinity) assert.ok(now - claims.iat <= maxAge + clockTolerance);
  if (issuer) assert.equal(claims.iss, issuer);
  if (audience) {
    assert.ok([claims.aud].flat().some((name) => [audience].flat().includes(name)));
  }
  if (typ) assert.equal(header.typ.toLowerCase().replace('application/', ''), typ.toLowerCase());
  for (const name of ['iss', 'sub', 'jti', 'sid']) {
    assert.ok(['string', 'undefined'].includes(typeof claims[name]), name);
  }
  for (const name of [claims.aud ?? []].flat()) assert.equal(typeof name, 'string');
}

test('jose and we differ only for known reasons; JSON.parse and we never', async () => {
  const { jwtVerify } = await import('jose');
  const random = new Random(SEED);
  const occurred = new Map();
  for (let round = 0; round < TOKENS; round++) {
    const pair = random.pick(TURNS);
    const index = random.below(POLICIES.length);
    const token = make(pair, POLICIES[index], random);
    const { result, theirs, now } = await judge(jwtVerify, pair, index, token);
    const where = `SEED=${SEED} round ${round}`;
    assertSameReading(token, result, POLICIES[index]);
    let reason = 'both refuse';
    if (result.ok || theirs.error === undefined) {
      try {
        reason = compare(read(token, POLICIES[index], now), result, theirs);
        assert.ok(reason);
      } catch (cause) {
        const said = `${result.code ?? 'accepted'}, jose: ${theirs.error?.code ?? 'accepted'}`;
        assert.fail(`${where}: ${said}\n${token.slice(0, 2000)}\n${cause.stack}`);
      }
    }
    occurred.set(reason, (occurred.get(reason) ?? 0) + 1);
  }
  for (const name of ['both accept', 'both refuse', ...[...STRICTER, ...LAXER].map((c) => c.name)]) {
    if (TOKENS > ENOUGH) console.log(String(occurred.get(name) ?? 0).padStart(9), name);
    else assert.ok(occurred.has(name) || TOKENS < ENOUGH, `SEED=${SEED}: never occurred: ${name}`);
  }
});

function compare(token, result, theirs) {
  if (result.ok) {
    assert.deepEqual(result.claims, token.claims);
    assert.deepEqual(result.header, token.header);
    assertFits(token);
    if (theirs.error) return LAXER.find(({ explains }) => explains(token, theirs.error))?.name;
    assert.deepEqual(result.claims, theirs.payload);
    return 'both accept';
  }
  return STRICTER.find(({ explains }) => explains(token, result))?.name;
}
