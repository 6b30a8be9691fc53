'use strict';

// JWKs as other libraries write them, and the errors about the others.

const assert = require('node:assert/strict');
const { createPublicKey } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');

const KINDS = [
  ['RS256', keyPair('rsa', { modulusLength: 2048 })],
  ['ES256', keyPair('ec', { namedCurve: 'P-256' })],
  ['ES384', keyPair('ec', { namedCurve: 'P-384' })],
  ['ES512', keyPair('ec', { namedCurve: 'P-521' })],
  ['EdDSA', keyPair('ed25519')],
].map(([alg, { privateKey, publicKey }]) => ({
  alg,
  privateJwk: privateKey.export({ format: 'jwk' }),
  publicJwk: publicKey.export({ format: 'jwk' }),
}));
const OCT = { kty: 'oct', k: Buffer.alloc(32, 7).toString('base64url') };
/** A JWK of each kind, with an algorithm for it. */
const ALL = [
  ...KINDS.flatMap(({ alg, privateJwk, publicJwk }) => [
    [alg, privateJwk],
    [alg, publicJwk],
  ]),
  ['HS256', OCT],
];

const zeros = (text) =>
  Buffer.concat([Buffer.alloc(2), Buffer.from(text, 'base64url')]).toString('base64url');
const standard = (text) => Buffer.from(text, 'base64url').toString('base64');

test('a number of a JWK may have leading zeros in every member, private ones too', () => {
  for (const { alg, privateJwk, publicJwk } of KINDS.filter((kind) => kind.alg !== 'EdDSA')) {
    const published = JwtKey.fromJwk(publicJwk, { alg }).toPublicJwk();
    for (const jwk of [publicJwk, privateJwk]) {
      for (const name of ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'x', 'y']) {
        if (jwk[name] === undefined) continue;
        const key = JwtKey.fromJwk({ ...jwk, [name]: zeros(jwk[name]) }, { alg });
        assert.deepEqual(key.toPublicJwk(), published, `${alg} ${name}`);
      }
    }
  }
});

test('the public members may be standard base64 with padding, as Node reads them', () => {
  for (const { alg, privateJwk, publicJwk } of KINDS) {
    const published = JwtKey.fromJwk(publicJwk, { alg }).toPublicJwk();
    const given = Object.fromEntries(
      ['n', 'e', 'x', 'y'].filter((name) => publicJwk[name]).map((name) => [name, standard(publicJwk[name])]),
    );
    for (const jwk of [publicJwk, privateJwk]) {
      assert.deepEqual(JwtKey.fromJwk({ ...jwk, ...given }, { alg }).toPublicJwk(), published);
    }
    const node = createPublicKey({ key: { ...publicJwk, ...given }, format: 'jwk' });
    assert.deepEqual(node.export({ format: 'jwk' }), publicJwk);
  }
});

test('members that are null or empty count as missing in fromJwk as in fromJwks', () => {
  for (const nothing of [null, '']) {
    for (const [alg, jwk] of ALL) {
      const words = { use: nothing, key_ops: nothing, kid: nothing, x5c: nothing };
      const given = { ...jwk, ...words, alg };
      const key = JwtKey.fromJwk(given);
      assert.deepEqual([key.alg, key.private], [alg, jwk.d !== undefined || jwk.kty === 'oct']);
      assert.equal(JwtKey.fromJwk({ ...given, alg: nothing }, { alg }).alg, alg);
      assert.throws(() => JwtKey.fromJwk({ ...given, alg: nothing }), coded('ERR_MISSING_OPTION'));
      if (jwk.d !== undefined || jwk.kty === 'oct') continue;
      const [imported] = JwtKey.fromJwks({ keys: [{ ...given, d: nothing, k: nothing }] });
      assert.deepEqual(imported.toPublicJwk(), key.toPublicJwk());
      assert.equal(JwtKey.fromJwk({ ...given, d: nothing, k: nothing }).private, false);
    }
  }
});

const LONG = 'A'.repeat(10_000_000);
/** Members that no JWK may have. */
const WRONG = [
  ...['none', 'RSA-OAEP', 'es256', 7, true, {}, ['ES256'], LONG].map((alg) => ({ alg })),
  ...['enc', 7, ['sig'], {}].map((use) => ({ use })),
  ...['verify', {}, 7, ['encrypt'], []].map((operations) => ({ key_ops: operations })),
  ...[7, {}, 'k'.repeat(257), '\ud800', LONG].map((kid) => ({ kid })),
  ...['oct ', 'AKP', 7, {}].map((kty) => ({ kty })),
  { other: 7n },
];

test('every fault of a JWK is ERR_JWT_KEY, of any kind and any member', () => {
  for (const [alg, jwk] of ALL) {
    const numbers = ['n', 'e', 'x', 'y', 'd', 'k'].filter((name) => jwk[name] !== undefined);
    const broken = numbers.flatMap((name) =>
      [null, 7, {}, '!', 'A', '\ud800', ` ${jwk[name]}`, LONG].map((value) => ({ [name]: value })),
    );
    for (const change of [...WRONG, ...broken]) {
      // Node ignores white space in private members, and private JWKs have no other members.
      if (jwk.d !== undefined && (change.d?.[0] === ' ' || 'other' in change)) continue;
      // Without `d` this is a public key.
      if (change.d === null || (jwk.kty === 'oct' && 'other' in change)) continue;
      const make = () => JwtKey.fromJwk({ alg, ...jwk, ...change });
      const name = `${alg} ${Object.keys(change)[0]} ${String(Object.values(change)[0]).slice(0, 20)}`;
      assert.throws(make, (error) => coded('ERR_JWT_KEY')(error) && error.message.length < 200, name);
    }
  }
});

test('a fault of the options is the caller’s error, also beside a JWK with an `alg`', () => {
  for (const [alg, jwk] of ALL) {
    const given = { ...jwk, alg };
    assert.throws(() => JwtKey.fromJwk(given, { alg: null }), coded('ERR_INVALID_ARG_TYPE'));
    assert.throws(() => JwtKey.fromJwk(given, { alg: 'none' }), coded('ERR_INVALID_ARG_VALUE'));
    assert.throws(() => JwtKey.fromJwk(given, { kid: '' }), coded('ERR_OUT_OF_RANGE'));
    assert.throws(() => JwtKey.fromJwk(jwk), coded('ERR_MISSING_OPTION'));
  }
});

/** Numbers that look random and are the same in every run. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

// A long run has JWKS=1000000 SEED=7.
test('Node reads each changed JWK that fromJwk reads as the same key', () => {
  const random = numbers(Number(process.env.SEED ?? 13));
  const below = (limit) => random.next().value % limit;
  const spellings = [
    zeros,
    standard,
    (text) => Buffer.from(text, 'base64url').subarray(1).toString('base64url'),
    (text) => text.slice(below(3)),
    (text) => `${text}${'=A \n'[below(4)]}`,
    (text) => text.slice(0, -1),
    (text, at = below(text.length)) => `${text.slice(0, at)}${'A+/-_=!'[below(7)]}${text.slice(at + 1)}`,
  ];
  let read = 0;
  for (let round = 0; round < Number(process.env.JWKS ?? 3000); round += 1) {
    const { alg, publicJwk } = KINDS[below(KINDS.length)];
    const jwk = { ...publicJwk };
    for (let change = below(3); change >= 0; change -= 1) {
      const name = ['n', 'e', 'x', 'y'].filter((member) => jwk[member])[below(2)];
      if (name !== undefined) jwk[name] = spellings[below(spellings.length)](jwk[name]);
    }
    let published;
    try {
      published = JwtKey.fromJwk(jwk, { alg }).toPublicJwk();
    } catch (error) {
      coded('ERR_JWT_KEY')(error);
      continue;
    }
    read += 1;
    const node = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' });
    const { kty, crv, n, e, x, y } = published;
    assert.deepEqual({ ...node }, JSON.parse(JSON.stringify({ kty, crv, n, e, x, y })), JSON.stringify(jwk));
  }
  assert.ok(read > 100);
});
