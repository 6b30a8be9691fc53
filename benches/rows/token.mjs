import assert from 'node:assert/strict';

import { JwtIssuer, JwtVerifier } from '@nodesec/native';

import { loadExample } from '../../scripts/lib/example.mjs';
import { AUDIENCE, claimsFor, ISSUER, SIZES, TTL } from '../lib/claims.mjs';
import { assertSameTokens, assertSameVerdicts } from '../lib/token-checks.mjs';
import { makeKey, signersOf, verifiersOf } from '../lib/token-peers.mjs';
import { repeat } from '../lib/work.mjs';

/** The ratio of the fastest peer's time to ours that must be reached, at all sizes or at one. */
const TARGETS = {
  HS256: { sign: { 150: 4 }, verify: { 150: 3.5 } },
  EdDSA: { sign: 3, verify: 1.3 },
  RS256: { sign: 1, verify: 1.35 },
  ES256: { sign: 1.3, verify: 1.25 },
};

const LIMIT =
  'limit: the crate’s HMAC or signature, key parsed, looped natively on the same bytes, plus';

const peers = Object.entries(TARGETS).flatMap(([alg, targets]) =>
  SIZES.flatMap((size) => [
    {
      name: `tokens: sign ${alg}, ${size} bytes`,
      setting: `issuer, audience, expiry, jti; ${LIMIT} JSON.stringify`,
      target: { best: at(targets.sign, size) },
      prepare: () => signing(alg, size),
    },
    {
      name: `tokens: verify ${alg}, ${size} bytes`,
      setting: `issuer, audience and expiry checked, no cache; ${LIMIT} JSON.parse`,
      target: { best: at(targets.verify, size) },
      prepare: () => verifying(alg, size),
    },
  ]),
);

const exact = {
  name: 'tokens: verify HS256 with claims of two members',
  setting: '150 bytes; issuer, audience and expiry checked, no cache',
  atMost: 1.05,
  prepare: () => {
    const key = makeKey('HS256').own;
    const expected = { keys: key, issuer: ISSUER, audience: AUDIENCE };
    const checking = new JwtVerifier({
      ...expected,
      claims: { role: ['user', 'admin'], sub: 'u-12345' },
    });
    const trusting = new JwtVerifier(expected);
    const issuer = new JwtIssuer({ ...expected, expiresIn: TTL });
    const claims = claimsFor(150);
    const token = issuer.sign(claims);
    assert.deepEqual(checking.verify(token), trusting.verify(token));
    for (const wrong of [{ role: 'guest' }, { sub: 'u-12346' }, { role: undefined }]) {
      const other = issuer.sign({ ...claims, ...wrong });
      trusting.verify(other);
      assert.throws(() => checking.verify(other), { code: 'ERR_JWT_CLAIM' });
    }
    return [
      { name: '@nodesec/native', run: repeat(() => checking.verify(token)) },
      { name: '@nodesec/native, no claims', run: repeat(() => trusting.verify(token)) },
    ];
  },
};

export const rows = [...peers, exact];

const keys = {};
let native;

async function signing(alg, size) {
  const key = (keys[alg] ??= makeKey(alg));
  const claims = claimsFor(size);
  const signers = signersOf(key, claims);
  await assertSameTokens(signers, size);
  const { primitive, payload } = await bare(key, await signers['@nodesec/native']());
  const whole = JSON.parse(payload);
  return [
    ...contestants(signers),
    {
      name: 'limit',
      limit: true,
      run: (n) => {
        primitive.sign(n);
        for (let i = 0; i < n; i += 1) JSON.stringify(whole);
      },
    },
  ];
}

async function verifying(alg, size) {
  const key = (keys[alg] ??= makeKey(alg));
  const token = await signersOf(key, claimsFor(size))['@nodesec/native']();
  const verifiers = verifiersOf(key);
  await assertSameVerdicts(verifiers, token, key);
  const { primitive, payload } = await bare(key, token);
  return [
    ...contestants(verifiers, token),
    {
      name: 'limit',
      limit: true,
      run: (n) => {
        primitive.verify(n);
        for (let i = 0; i < n; i += 1) JSON.parse(payload);
      },
    },
  ];
}

async function bare({ alg, raw }, token) {
  native ??= await loadExample('primitives');
  const signed = token.slice(0, token.lastIndexOf('.'));
  const primitive = new native.Primitive(alg, raw, Buffer.from(signed));
  return { primitive, payload: Buffer.from(signed.split('.')[1], 'base64url').toString() };
}

function contestants(peers, token) {
  return Object.entries(peers).map(([name, operation]) => ({
    name,
    run: repeat(() => operation(token)),
  }));
}

function at(target, size) {
  return typeof target === 'number' ? target : target[size];
}
