'use strict';

// Proofs with random faults, judged by ours and by express-oauth2-jwt-bearer, which reads them with
// jose. Ours accepts no proof that it refuses. `STRICT` lists the reverse.

const assert = require('node:assert/strict');
const { generateKeyPairSync, sign } = require('node:crypto');
const { before, test } = require('node:test');

const { JwtKey } = require('@nodesec/native');
const peers = require('../helpers/dpop-peers.js');
const { bareJwk, hashOf, nextSecond, now } = require('../helpers/proofs.js');

const { URL: AT, issuer } = peers;
const { '@nodesec/native': ours, 'express-oauth2-jwt-bearer': theirs } = peers.handlers();
const PROOFS = Number(process.env.PROOFS ?? 1500);

/** Values of claims and parameters, of which both say the same. */
const CLAIMS = {
  jti: [undefined, '', 'a', '\u0000', 'é'],
  htm: [undefined, '', 'POST', 'GETS', 5],
  htu: [
    undefined, '', '/orders', 'https://api.example/', 'http://api.example/orders', `${AT}/`,
    `${AT}?page=2#x`, 'HTTPS://API.EXAMPLE:443/orders', 'https://api.example:444/orders', 7,
  ],
  iat: [undefined, 0, -1, '1', null],
  ath: [undefined, '', hashOf('another'), 1],
  exp: ['1', 1, null],
  nbf: [1e10, 'x'],
};
const HEADER = {
  typ: [undefined, 'JWT', 'dpop', 'jwt'],
  crit: [['exp'], []],
  jwk: [undefined, {}, { kty: 'oct', k: 'AAAA' }],
};
/** Claims that ours alone refuses: another spelling of the method or the address, odd ids. */
const STRICT = [
  ['htm', 'get'],
  ['htu', 'https://api.example/x/../orders'],
  ['htu', 'https://api.example/%6Frders'],
  ['jti', 5],
  ['jti', 'a'.repeat(300)],
  ['nonce', 5],
];

/** A xorshift generator. */
function randomFrom(seed) {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A proof whose header may be one that no signer of ours would make. */
function signed(privateKey, header, claims) {
  const parts = [{ ...header, alg: 'ES256' }, claims];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function isLetIn(handle, token, dpop) {
  return peers.isLetIn(handle, peers.requestOf(token, dpop));
}

/** A private key, the same as a JwtKey, and a token that is bound to it. */
function pair() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = JwtKey.fromPem(privateKey.export({ type: 'pkcs8', format: 'pem' }), { alg: 'ES256' });
  return { privateKey, key, token: issuer.sign({ sub: 'ann', cnf: { jkt: key.kid } }) };
}

function partsOf({ key, token }, jti) {
  return {
    header: { typ: 'dpop+jwt', jwk: bareJwk(key) },
    claims: { jti, htm: 'GET', htu: AT, iat: now(), ath: hashOf(token) },
  };
}

before(nextSecond); // In its first second, the cache of ours refuses every proof.

test(`ours accepts none of ${PROOFS} proofs that express-oauth2-jwt-bearer refuses, and refuses as much`, async () => {
  const random = randomFrom(Number(process.env.SEED ?? 7));
  const [own, thief] = [pair(), pair()];
  const counts = { accepted: 0, refused: 0 };
  for (let number = 0; number < PROOFS; number += 1) {
    const { header, claims } = partsOf(own, 'id');
    const faults = random(4);
    for (let fault = 0; fault < faults; fault += 1) {
      const [target, table] = random(4) === 0 ? [header, HEADER] : [claims, CLAIMS];
      const name = Object.keys(table)[random(Object.keys(table).length)];
      target[name] = table[name][random(table[name].length)];
    }
    // A proof that was accepted is a replay the second time, which the peer does not know.
    if (typeof claims.jti === 'string' && claims.jti !== '') claims.jti += ` ${number}`;
    if (random(20) === 0) header.jwk = bareJwk(thief.key);
    const signer = random(20) === 0 ? thief : own;
    const dpop = signed(signer.privateKey, header, claims);
    const isAccepted = await isLetIn(ours, own.token, dpop);
    assert.equal(isAccepted, await isLetIn(theirs, own.token, dpop), JSON.stringify({ header, claims }));
    counts[isAccepted ? 'accepted' : 'refused'] += 1;
  }
  assert.ok(counts.accepted > PROOFS / 10 && counts.refused > PROOFS / 10, JSON.stringify(counts));
});

for (const [name, value] of STRICT) {
  test(`ours refuses the claim ${name} ${JSON.stringify(value).slice(0, 40)}, which express-oauth2-jwt-bearer accepts`, async () => {
    const own = pair();
    const { header, claims } = partsOf(own, `${name} ${value}`.slice(0, 20));
    const dpop = signed(own.privateKey, header, { ...claims, [name]: value });
    assert.equal(await isLetIn(theirs, own.token, dpop), true);
    assert.equal(await isLetIn(ours, own.token, dpop), false);
  });
}
