// A request with a DPoP proof, beside express-oauth2-jwt-bearer. It remembers no proof; ours does.
// A proof counts once, so each round has new ones, which are made before the clock starts.

import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

import { JwtKey, createDpopProof } from '@nodesec/native';

import { URL, answered, handlers, isLetIn, issuer, requestOf } from '../../__test__/helpers/dpop-peers.js';
import { now, proofOf } from '../../__test__/helpers/proofs.js';
import { report } from '../lib/report.mjs';

const ROUNDS = { quick: 15, full: 101 };
const REQUESTS = 100;

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
  const key = await JwtKey.generate(alg);
  const middleware = handlers();
  // In its first second, the cache of ours refuses every proof.
  await setTimeout(1100);
  await assertEqualAnswers(Object.values(middleware), key);
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
async function assertEqualAnswers(all, key) {
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
    for (const handle of all) {
      assert.equal(await isLetIn(handle, make()), expected, make.toString());
    }
  }
}

function oldProof(key, token, age) {
  return proofOf(key, { url: URL, token }, { claims: { iat: now() - age } });
}
