'use strict';

// Clients of a service that demands DPoP proofs, and proofs with faults.

const { createHash } = require('node:crypto');
const { setTimeout: wait } = require('node:timers/promises');

const { DpopReplayCache, JwtKey, createDpopProof, signJws, uuidv4 } = require('@nodesec/native');
const { tokens } = require('./web.js');

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
    iat: Math.floor(Date.now() / 1000),
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
  const second = () => Math.floor(Date.now() / 1000);
  for (const present = second(); second() === present; ) await wait(1000 - (Date.now() % 1000));
}

/** The headers of a request with a new proof. */
function withProof(key, token, url, { method = 'GET', nonce } = {}) {
  const proof = createDpopProof(key, { method, url, accessToken: token, nonce });
  return { authorization: `DPoP ${token}`, dpop: proof };
}

module.exports = { bareJwk, client, hashOf, nextSecond, olderCache, proofOf, withProof };
