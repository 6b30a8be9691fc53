'use strict';

// The nonces and the times of DPoP proofs, in each framework.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers } = require('@nodesec/native');
const express = require('@nodesec/native/express');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');
const {
  ALGS, client, kindsDuring, middlewareCache, now, olderCache, proofOf, urlOf, withProof,
} = require('../helpers/proofs.js');

before(middlewareCache);

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const guarded = (t, auth, parts) => service(t, { auth, ...parts });

  test(`${version}: with nonces a client repeats its request once, and gets the next nonce in time`, async (t) => {
    let millis = Date.now();
    const clock = () => new Date(millis);
    const { key, token, verifier } = await client({ more: { clock } });
    const { get, port } = await guarded(t, { verifier, dpop: { nonce: true } });
    let answer;
    const kinds = await kindsDuring(async () => {
      answer = await get('/', withProof(key, token, urlOf(port)));
    });
    assert.deepEqual(kinds, ['request.refused dpop-nonce']);
    const asks = `DPoP error="use_dpop_nonce", algs="${ALGS}"`;
    assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, asks]);
    const nonce = answer.headers['dpop-nonce'];
    assert.match(nonce, /^[\w-]{32}$/);
    const fresh = await get('/', withProof(key, token, urlOf(port), { nonce }));
    assert.deepEqual([fresh.status, fresh.headers['dpop-nonce']], [200, undefined]);
    millis += 40_000;
    const due = await get('/', withProof(key, token, urlOf(port), { nonce }));
    assert.equal(due.status, 200);
    const next = due.headers['dpop-nonce'];
    assert.notEqual(next, nonce);
    millis += 30_000;
    // Of a client whose clock is a year behind.
    const behind = proofOf(key, { url: urlOf(port), token }, { claims: { iat: now() - 31_536_000, nonce: next } });
    assert.equal((await get('/', { authorization: `DPoP ${token}`, dpop: behind })).status, 200);
    const over = await get('/', withProof(key, token, urlOf(port), { nonce }));
    assert.equal(over.headers['www-authenticate'], asks);
    for (const forged of ['a', `${next[0] === 'B' ? 'C' : 'B'}${next.slice(1)}`, 'é', `${next}A`]) {
      const refused = await get('/', withProof(key, token, urlOf(port), { nonce: forged }));
      assert.equal(refused.headers['www-authenticate'], asks, forged);
    }
  });

  test(`${version}: the times of proofs are those of the verifier's clock, to the second`, async (t) => {
    const start = Math.floor(Date.now() / 1000);
    let millis = (start - 200) * 1000;
    const { key, token, verifier } = await client({ more: { clock: () => new Date(millis), clockTolerance: 300 } });
    const { get, port } = await guarded(t, { verifier, dpop: { maxAge: '1m' } });
    millis = start * 1000;
    for (const [iat, status] of [[start, 200], [start - 60, 200], [start - 61, 401], [start + 30, 200], [start + 31, 401]]) {
      const dpop = proofOf(key, { url: urlOf(port), token }, { claims: { iat } });
      assert.equal((await get('/', { authorization: `DPoP ${token}`, dpop })).status, status, `${iat - start}`);
    }
  });
}

test('the clock of proofs is that of all verifiers of several issuers', async (t) => {
  let millis = Date.now() - 7_200_000;
  const clock = () => new Date(millis);
  const keys = await JwtKey.generate('HS256');
  const make = (issuer, more) => new JwtVerifier({ keys, issuer, audience: 'api', ...more });
  const [one, two] = ['https://id.example', 'https://id2.example'];
  const verifier = new JwtVerifiers({ [one]: make(one, { clock }), [two]: make(two, { clock }) });
  const key = await JwtKey.generate('ES256');
  const issuer = new JwtIssuer({ keys, issuer: two, audience: 'api', expiresIn: '5m', clock });
  const token = issuer.sign({ sub: 'ann', cnf: { jkt: key.kid } });
  for (const service of Object.values(FRAMEWORKS)) {
    const { get, port } = await service(t, { auth: { verifier, dpop: 'require' } });
    millis += 1000;
    const at = (iat) => ({ authorization: `DPoP ${token}`, dpop: proofOf(key, { url: urlOf(port), token }, { claims: { iat } }) });
    assert.equal((await get('/', at(Math.floor(millis / 1000)))).status, 200);
    assert.equal((await get('/', at(now()))).status, 401);
  }
  for (const more of [{}, { clock: () => new Date() }]) {
    const mixed = new JwtVerifiers({ [one]: make(one, { clock }), [two]: make(two, more) });
    const wrong = () => express.authenticate({ verifier: mixed, dpop: 'require' });
    assert.throws(wrong, coded('ERR_INVALID_ARG_VALUE'));
    express.authenticate({ verifier: mixed, dpop: { replay: olderCache({ maxEntries: 64 }) } });
    express.authenticate({ verifier: mixed });
  }
});
