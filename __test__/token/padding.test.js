'use strict';

// padding: 'allow', for AWS load balancers, which sign over padded segments.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');

const { JwtKey, verifyJws } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { assertRejected, now, verifier } = require('../helpers/tokens.js');

const { privateKey, publicKey } = keyPair('ec', { namedCurve: 'P-256' });
const key = JwtKey.fromKeyObject(publicKey, { alg: 'ES256', kid: 'k1' });
const whole = (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs as Python does it: `urlsafe_b64encode` pads, and the signature is over the padding. */
function sign(header, claims, pad = whole) {
  const signed = `${pad(encode(header))}.${pad(encode(claims))}`;
  const options = { key: privateKey, dsaEncoding: 'ieee-p1363' };
  return `${signed}.${pad(crypto.sign('sha256', Buffer.from(signed), options).toString('base64url'))}`;
}

const header = { alg: 'ES256', kid: 'k1', signer: 'arn:aws:x', client: 'c1' };
const claims = (extra = '') => ({ sub: 'ann', exp: now() + 60, iss: 'https://idp.example', extra });

test('a padded token is read only where padding is allowed, with its header', async () => {
  const allowed = verifier({ keys: key, padding: 'allow' });
  const strict = verifier({ keys: key });
  for (let length = 0; length < 6; length += 1) {
    const token = sign(header, claims('x'.repeat(length)));
    assert.ok(token.endsWith('=='));
    const result = allowed.tryVerify(token);
    assert.deepEqual(result.header, header);
    assert.equal(result.claims.sub, 'ann');
    assert.deepEqual(await allowed.verifyMany([token]), [result]);
    assertRejected(strict, token, 'ERR_JWT_MALFORMED');
    const options = { algorithms: ['ES256'] };
    assert.throws(() => verifyJws(token, key, options), { code: 'ERR_JWT_MALFORMED' });
    const payload = verifyJws(token, key, { ...options, padding: 'allow' });
    assert.deepEqual(JSON.parse(payload), result.claims);
  }
});

test('tokens without padding are read all the same', () => {
  const token = sign(header, claims(), (text) => text);
  assert.ok(verifier({ keys: key, padding: 'allow' }).verify(token));
});

test('everything else is as strict as ever', () => {
  const allowed = verifier({ keys: key, padding: 'allow' });
  // Each segment needs padding.
  const padded = (value) => encode(value).length % 4 !== 0;
  const extra = ['', 'x'].find((extra) => padded(claims(extra)));
  const client = ['c', 'cc'].find((client) => padded({ ...header, client }));
  const token = sign({ ...header, client }, claims(extra));
  const [head, body, signature] = token.split('.');
  const bare = (text) => text.replaceAll('=', '');
  for (const [text, code] of [
    [`${head}=.${body}.${signature}`, 'ERR_JWT_MALFORMED'],
    [`=${head}.${body}.${signature}`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}.${signature}=`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}.${signature.slice(0, -1)}`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}.${signature.replaceAll('=', '%3D')}`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}. ${signature}`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}.${bare(signature).slice(0, -1)}_==`, 'ERR_JWT_MALFORMED'],
    [`${head}.${body}.+${signature.slice(1)}`, 'ERR_JWT_MALFORMED'],
    // The signature is over the padding, so nobody else can take it off.
    [`${bare(head)}.${body}.${signature}`, 'ERR_JWT_SIGNATURE'],
    [`${head}.${bare(body)}.${signature}`, 'ERR_JWT_SIGNATURE'],
  ]) {
    assertRejected(allowed, text, code);
  }
});

test('with a cache both spellings of a signature are read', () => {
  const cached = verifier({ keys: key, padding: 'allow', cache: true });
  const token = sign(header, claims());
  for (const text of [token, token.slice(0, -2), token, token.slice(0, -2)]) {
    assert.equal(cached.verify(text).sub, 'ann');
  }
});
