// A request with a DPoP proof, beside express-oauth2-jwt-bearer. It remembers no proof; ours does.
// A proof counts once, so each round has new ones, which are made before the clock starts.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { JwtIssuer, JwtKey, JwtVerifier, createDpopProof, signJws } from '@nodesec/native';
import { authenticate } from '@nodesec/native/express';
import { auth } from 'express-oauth2-jwt-bearer';

import { AUDIENCE, ISSUER, TTL, seconds } from '../lib/claims.mjs';
import { report } from '../lib/report.mjs';

const SECRET = 's'.repeat(32);
const URL = 'https://api.example/orders';
const ROUNDS = { quick: 15, full: 101 };
const REQUESTS = 100;
const names = { issuer: ISSUER, audience: AUDIENCE };

export const rows = [
  ['ES256', 2],
  ['RS256', 2],
  ['EdDSA', undefined],
].map(([alg, best]) => ({
  name: `dpop: authenticate with a proof, ${alg}`,
  setting: 'an HS256 token and a new proof in each request; no cache of tokens; ours remembers the proofs',
  observe: ({ quick }) => observed(alg, best, ROUNDS[quick ? 'quick' : 'full']),
}));

async function observed(alg, best, rounds) {
  const keys = JwtKey.fromSecret(Buffer.from(SECRET), { alg: 'HS256' });
  const issuer = new JwtIssuer({ keys, ...names, expiresIn: TTL });
  const key = await JwtKey.generate(alg);
  const middleware = {
    '@nodesec/native': authenticate({ verifier: new JwtVerifier({ keys, ...names }), dpop: 'require' }),
    'express-oauth2-jwt-bearer': auth({
      ...names,
      secret: SECRET,
      tokenSigningAlg: 'HS256',
      dpop: { enabled: true, required: true, iatOffset: 60, iatLeeway: 30 },
    }),
  };
  // In its first second, the cache of ours refuses every proof.
  await setTimeout(1100);
  await assertEqualAnswers(Object.values(middleware), issuer, key);
  const contestants = Object.entries(middleware).map(([name, handle]) => ({ name, handle, samples: [] }));
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % contestants.length;
    for (const { handle, samples } of [...contestants.slice(turn), ...contestants.slice(0, turn)]) {
      const requests = Array.from({ length: REQUESTS }, (_, n) => {
        const token = issuer.sign({ sub: `u-${n}`, cnf: { jkt: key.kid } });
        return requestOf(token, createDpopProof(key, { method: 'GET', url: URL, accessToken: token }));
      });
      const start = process.hrtime.bigint();
      for (const request of requests) await answered(handle, request);
      samples.push(Number(process.hrtime.bigint() - start) / REQUESTS);
    }
  }
  return report(contestants, { target: best === undefined ? {} : { best } });
}

/** Both let the same requests in, and no others. */
async function assertEqualAnswers(handlers, issuer, key) {
  const token = issuer.sign({ sub: 'ann', cnf: { jkt: key.kid } });
  const other = issuer.sign({ sub: 'bob', cnf: { jkt: key.kid } });
  const thief = await JwtKey.generate('ES256');
  const proof = (by, more = {}) => createDpopProof(by, { method: 'GET', url: URL, accessToken: token, ...more });
  const requests = [
    [true, () => requestOf(token, proof(key))],
    [true, () => requestOf(token, proof(key, { url: `${URL}?page=2` }))],
    [false, () => requestOf(token, proof(key, { method: 'POST' }))],
    [false, () => requestOf(token, proof(key, { url: `${URL}/1` }))],
    [false, () => requestOf(token, proof(key, { accessToken: other }))],
    [false, () => requestOf(token, proof(thief))],
    [false, () => requestOf(token, undefined)],
    [false, () => requestOf(token, 'a.b.c')],
    [false, () => requestOf(token, proof(key), 'Bearer')],
    [false, () => requestOf(issuer.sign({ sub: 'ann' }), proof(key))],
    [false, () => requestOf(token, oldProof(key, token, 120))],
    [true, () => requestOf(token, oldProof(key, token, 0))],
  ];
  for (const [expected, make] of requests) {
    for (const handle of handlers) {
      const isIn = await answered(handle, make()).then(() => true, () => false);
      assert.equal(isIn, expected, make.toString());
    }
  }
}

function oldProof(key, token, age) {
  const { kty, crv, x, y, n, e } = key.toPublicJwk();
  const ath = createHash('sha256').update(token).digest('base64url');
  const claims = { jti: `${age}-${Math.random()}`, htm: 'GET', htu: URL, iat: seconds() - age, ath };
  const header = { typ: 'dpop+jwt', jwk: JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) };
  return signJws(JSON.stringify(claims), key, { kid: false, header });
}

function answered(handle, request) {
  return new Promise((resolve, reject) => {
    handle(request, { setHeader() {}, set() {} }, (error) => (error === undefined ? resolve(request.auth) : reject(error)));
  });
}

/** A request as far as middleware looks at it. */
function requestOf(token, dpop, scheme = 'DPoP') {
  const headers = { host: 'api.example', authorization: `${scheme} ${token}`, ...(dpop && { dpop }) };
  return {
    headers,
    rawHeaders: Object.entries(headers).flat(),
    method: 'GET',
    url: '/orders',
    originalUrl: '/orders',
    protocol: 'https',
    socket: { encrypted: true },
    query: {},
    get: (name) => headers[name.toLowerCase()],
    is: () => false,
  };
}
