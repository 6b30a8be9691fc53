'use strict';

// Proofs that are made, read by ours and by another reader.

const assert = require('node:assert/strict');
const { createHash, createPublicKey, verify } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, createDpopProof, unsafeDecode } = require('@nodesec/native');
const { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } = require('jose');
const { coded } = require('../helpers/outcome.js');

const ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512',
];
const URL = 'https://api.example/orders';

test('jose verifies the proofs of every algorithm with the key that they carry', async () => {
  for (const alg of ALGORITHMS) {
    const key = await JwtKey.generate(alg);
    const proof = createDpopProof(key, { method: 'POST', url: `${URL}?a=b#c`, accessToken: 'a.b.c', nonce: 'n' });
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [alg] });
    assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'jwk', 'typ'], alg);
    assert.equal(await calculateJwkThumbprint(protectedHeader.jwk), key.kid, alg);
    const { jti, iat, ...others } = payload;
    assert.match(jti, /^[\da-f-]{36}$/);
    assert.ok(Math.abs(iat - Date.now() / 1000) < 60);
    const ath = createHash('sha256').update('a.b.c').digest('base64url');
    assert.deepEqual(others, { htm: 'POST', htu: URL, ath, nonce: 'n' }, alg);
  }
});

test("Node's crypto verifies a proof, and no two proofs are the same", async () => {
  const key = await JwtKey.generate('ES256');
  const make = () => createDpopProof(key, { method: 'GET', url: URL });
  const [header, payload, signature] = make().split('.');
  const { jwk } = JSON.parse(Buffer.from(header, 'base64url'));
  const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
  const signed = Buffer.from(`${header}.${payload}`);
  assert.ok(verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url')));
  assert.equal(new Set(Array.from({ length: 100 }, () => unsafeDecode(make()).claims.jti)).size, 100);
  assert.equal(unsafeDecode(make()).claims.ath, undefined);
});

test('an address is written in its normal form, and what is none is refused', async () => {
  const key = await JwtKey.generate('EdDSA');
  const htu = (url) => unsafeDecode(createDpopProof(key, { method: 'GET', url })).claims.htu;
  for (const [url, expected] of [
    ['HTTPS://API.Example:443', 'https://api.example/'],
    ['http://api.example:80/A%2f', 'http://api.example/A%2F'],
    ['http://[::1]:3000/x?y', 'http://[::1]:3000/x'],
  ]) {
    assert.equal(htu(url), expected);
  }
  for (const url of [
    '/x', 'api.example', 'ws://api.example/', 'https://a@b/', 'https://a/é', 'https://[::1', 'https://[]/',
    'https://[::1]x/', 'https://a:1:2/', 'http://]:80/', 'https://a:65536/', 'https://a:99999999/',
  ]) {
    assert.throws(() => htu(url), coded('ERR_INVALID_ARG_VALUE'), url);
  }
});
