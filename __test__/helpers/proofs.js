'use strict';

// Clients of a service that demands DPoP proofs, proofs with faults, and the answers to them.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { setTimeout: wait } = require('node:timers/promises');

const { DpopReplayCache, JwtKey, createDpopProof, signJws, uuidv4 } = require('@nodesec/native');
const { authenticate } = require('@nodesec/native/express');
const { heard } = require('./heard.js');
const { tokens } = require('./web.js');

/** The algorithms that a challenge names. */
const ALGS = 'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512';
/** The challenges after a bad proof and a bad token. */
const PROOF = `DPoP error="invalid_dpop_proof", algs="${ALGS}"`;
const TOKEN = `DPoP error="invalid_token", algs="${ALGS}"`;

const now = () => Math.floor(Date.now() / 1000);
const urlOf = (port, path = '/') => `http://127.0.0.1:${port}${path}`;
const hashOf = (token) => createHash('sha256').update(token).digest('base64url');

/** The members of a public key alone, as a proof has them. */
function bareJwk(key) {
  const { alg: _alg, kid: _kid, use: _use, ...jwk } = key.toPublicJwk();
  return jwk;
}

/** A proof that is made by hand: `header` and `claims` replace members, undefined removes them. */
function proofOf(key, { method = 'GET', url, token }, { header = {}, claims = {}, signer = key } = {}) {
  const all = {
    jti: uuidv4(),
    htm: method,
    htu: url,
    iat: now(),
    ath: hashOf(token),
    ...claims,
  };
  const head = { typ: 'dpop+jwt', jwk: bareJwk(key), ...header };
  return signJws(JSON.stringify(all), signer, { kid: false, header: head });
}

/** A client with a key, a token that is bound to it, and the verifier of the service. */
async function client({ more = {}, claims = {}, alg = 'ES256' } = {}) {
  const key = await JwtKey.generate(alg);
  const { issuer, verifier } = await tokens(more);
  const bound = issuer.sign({ sub: 'ann', cnf: { jkt: key.kid }, ...claims });
  return { key, issuer, verifier, token: bound };
}

/** A cache that began a second ago: in its first second it refuses every proof. */
function olderCache(options) {
  let lag = 1000;
  const replay = new DpopReplayCache({ ...options, clock: () => new Date(Date.now() - lag) });
  lag = 0;
  return replay;
}

/** Resolves in the next second, in which a cache of this one takes proofs. */
async function nextSecond() {
  for (const present = now(); now() === present; ) await wait(1000 - (Date.now() % 1000));
}

/** The headers of a request with a new proof. */
function withProof(key, token, url, { method = 'GET', nonce } = {}) {
  const proof = createDpopProof(key, { method, url, accessToken: token, nonce });
  return { authorization: `DPoP ${token}`, dpop: proof };
}

/** Makes the cache of all middleware of this process. Resolves when it takes proofs. */
async function middlewareCache() {
  const { verifier } = await tokens();
  authenticate({ verifier, dpop: 'require' });
  await nextSecond();
}

/** The kinds of the events of refused requests. No event has one of the secrets. */
async function kindsDuring(fn, ...secrets) {
  const events = await heard(fn);
  const text = JSON.stringify(events);
  for (const secret of secrets) assert.ok(!text.includes(secret), text);
  return events.map(({ event, kind }) => (kind === undefined ? event : `${event} ${kind}`));
}

module.exports = {
  ALGS, PROOF, TOKEN, bareJwk, client, hashOf, kindsDuring, middlewareCache, nextSecond, now,
  olderCache, proofOf, urlOf, withProof,
};
