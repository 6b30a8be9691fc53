'use strict';

// signJws makes what protocols other than JWT ask for, and jose reads it.

const assert = require('node:assert/strict');
const { createHash, randomUUID } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, KeyRing, signJws, unsafeDecode, verifyJws } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');
const { now } = require('../helpers/tokens.js');

const key = JwtKey.generate('ES256', { kid: 'k1' });
const headerOf = (token) => JSON.parse(Buffer.from(token.split('.', 1)[0], 'base64url'));
const payloadOf = (token) => Buffer.from(token.split('.')[1], 'base64url');

/** RFC 9449 section 4.2. */
function dpopProof(key, method, url, accessToken) {
  const { kty, crv, x, y } = key.toPublicJwk();
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: url,
    iat: now(),
    ath: createHash('sha256').update(accessToken).digest('base64url'),
  };
  const header = { typ: 'dpop+jwt', jwk: { kty, crv, x, y } };
  return signJws(JSON.stringify(claims), key, { header, kid: false });
}

test('a DPoP proof carries its public key, which verifies it', async () => {
  const { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } = await import('jose');
  const own = await key;
  const proof = dpopProof(own, 'POST', 'https://server.example/token', 'access token');
  const options = { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: 60 };
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options);
  assert.equal(payload.htu, 'https://server.example/token');
  assert.deepEqual(Object.keys(protectedHeader), ['alg', 'typ', 'jwk']);
  const { alg, use, kid, ...jwk } = own.toPublicJwk();
  assert.deepEqual([alg, use, kid], ['ES256', 'sig', 'k1']);
  assert.equal(await calculateJwkThumbprint(protectedHeader.jwk), await calculateJwkThumbprint(jwk));
  // A server that is given the key reads it here.
  assert.deepEqual(JSON.parse(verifyJws(proof, own, { algorithms: ['ES256'] })), payload);
});

test('a security event token has its own typ, and several subjects in its events', async () => {
  const { createLocalJWKSet, jwtVerify } = await import('jose');
  const own = await key;
  // RFC 8417 section 2, RFC 9493.
  const event = {
    iss: 'https://idp.example',
    aud: 'https://rp.example',
    jti: randomUUID(),
    iat: now(),
    txn: 8675309,
    sub_id: { format: 'email', email: 'ann@example.com' },
    events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': { reason: 'hijacking' } },
  };
  const token = signJws(JSON.stringify(event), own, { header: { typ: 'secevent+jwt' } });
  const keys = createLocalJWKSet({ keys: [own.toPublicJwk()] });
  const options = { typ: 'secevent+jwt', issuer: event.iss, audience: event.aud };
  const { payload, protectedHeader } = await jwtVerify(token, keys, options);
  assert.deepEqual(payload, event);
  assert.deepEqual(protectedHeader, { alg: 'ES256', kid: 'k1', typ: 'secevent+jwt' });
});

test('ACME asks for a url and a nonce, and first for the key, later for the account', async () => {
  const { EmbeddedJWK, compactVerify } = await import('jose');
  const own = await key;
  const { kty, crv, x, y } = own.toPublicJwk();
  // RFC 8555 sections 6.2 and 7.3.
  const url = 'https://ca.example/new-account';
  const first = signJws('{"termsOfServiceAgreed":true}', own, {
    header: { nonce: '5XJ1L3lEkMG7tR6pA00clA', url, jwk: { kty, crv, x, y } },
    kid: false,
  });
  assert.equal((await compactVerify(first, EmbeddedJWK)).protectedHeader.url, url);
  assert.equal(headerOf(first).kid, undefined);
  // The kid is the account's URL, known from the answer, and POST-as-GET has an empty payload
  // (section 6.3).
  const kid = 'https://ca.example/acct/1';
  const header = { nonce: 'x', url: 'https://ca.example/order/1', kid };
  const later = signJws('', own, { header, kid: false });
  assert.deepEqual(headerOf(later), { alg: 'ES256', ...header });
  const account = JwtKey.fromJwk({ ...own.toPublicJwk(), kid });
  assert.equal(verifyJws(later, account, { algorithms: ['ES256'] }).length, 0);
  for (const names of [undefined, true]) {
    assert.throws(() => signJws('', own, { header, kid: names }), coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('any bytes come back as they were, under every algorithm', async () => {
  const { CompactSign, compactVerify, importJWK } = await import('jose');
  for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']) {
    const own = alg.startsWith('HS')
      ? JwtKey.fromSecret(new Uint8Array(64).fill(7), { alg })
      : await JwtKey.generate(alg);
    const theirs = alg.startsWith('HS') ? new Uint8Array(64).fill(7) : await importJWK(own.toPublicJwk(), alg);
    for (const payload of ['', 'é\u2028', Buffer.alloc(0), Buffer.of(0, 255), new Uint8Array(100_000)]) {
      const token = signJws(payload, own);
      const read = verifyJws(token, own, { algorithms: [alg], maxBytes: 200_000 });
      assert.deepEqual(read, Buffer.from(payload));
      assert.deepEqual(Buffer.from((await compactVerify(token, theirs)).payload), read);
    }
  }
  const raw = new Uint8Array(32).fill(9);
  const token = await new CompactSign(Buffer.from('theirs')).setProtectedHeader({ alg: 'HS256' }).sign(raw);
  const own = JwtKey.fromSecret(raw, { alg: 'HS256' });
  assert.equal(verifyJws(token, own, { algorithms: ['HS256'] }).toString(), 'theirs');
});

test('jsonwebtoken reads a JWS whose payload is text, and its header is ours', () => {
  const jsonwebtoken = require('jsonwebtoken');
  const secret = Buffer.alloc(32, 3);
  const own = JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k' });
  const token = signJws('no claims', own, { header: { cty: 'text/plain', x: [{ a: null }] } });
  const read = jsonwebtoken.verify(token, secret, { complete: true, algorithms: ['HS256'] });
  assert.equal(read.payload, 'no claims');
  assert.deepEqual(read.header, { alg: 'HS256', kid: 'k', cty: 'text/plain', x: [{ a: null }] });
});

test('a header parameter that is not allowed is refused with the reason', async () => {
  const own = await key;
  const sign = (header) => () => signJws('', own, { header });
  for (const [header, message] of [
    [{ crit: ['b64'], b64: false }, /"b64": the payload is always encoded|"crit": no extension/],
    [{ b64: false }, /"b64": the payload is always encoded/],
    [{ alg: 'none' }, /"alg": the key sets it/],
    [{ kid: 'other' }, /"kid": the key sets it; set the option kid to false, or give/],
    [{ typ: ['dpop+jwt'] }, /"typ" in header must be a string/],
    [{ jwk: { kty: 'oct', k: 'AAAA' } }, /"jwk" in header must be a public key/],
  ]) {
    assert.throws(sign(header), { code: 'ERR_INVALID_ARG_VALUE', message });
  }
  const circular = {};
  circular.self = circular;
  assert.throws(sign(circular), (error) => error.cause instanceof TypeError);
  assert.throws(() => signJws('', new KeyRing({ keys: [own] })), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(
    () => signJws('', JwtKey.fromJwk(own.toPublicJwk())),
    { code: 'ERR_JWT_KEY', message: 'a public key cannot sign; give the private key' },
  );
  assert.throws(() => signJws('x'.repeat(800_000), own), coded('ERR_OUT_OF_RANGE'));
  assert.throws(() => signJws('x'.repeat(10e6), own), coded('ERR_OUT_OF_RANGE'));
});

test('a header is read once, and nothing is inherited', async () => {
  const own = await key;
  let reads = 0;
  const options = {
    get header() {
      reads += 1;
      return { cty: `${reads}` };
    },
  };
  assert.equal(headerOf(signJws('', own, options)).cty, '1');
  const issuer = new JwtIssuer({ keys: own, expiresIn: 60 });
  assert.equal(headerOf(issuer.sign({}, options)).cty, '2');
  const member = JSON.parse('{"__proto__":{"typ":"x"}}');
  assert.equal(headerOf(signJws('', own, { header: member })).typ, undefined);
  const { stdout, stderr } = await runScript(`
    const { JwtIssuer, JwtKey, SecretBuffer, signJws } = require('@nodesec/native');
    const keys = JwtKey.fromSecret(SecretBuffer.random(32), { alg: 'HS256' });
    Object.prototype.header = { cty: 'polluted' };
    const tokens = [signJws('', keys, {}), new JwtIssuer({ keys, expiresIn: 60 }).sign({}, {})];
    for (const token of tokens) console.log('cty' in JSON.parse(Buffer.from(token.split('.')[0], 'base64url')));
  `);
  assert.deepEqual([stdout, stderr], ['false\nfalse\n', '']);
});

test('bytes that a getter takes away are not signed', async () => {
  const own = await key;
  const bytes = new Uint8Array(64).fill(1);
  const options = {
    get kid() {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return true;
    },
  };
  assert.throws(() => signJws(bytes, own, options), coded('ERR_INVALID_ARG_VALUE'));
  const part = new Uint8Array(new ArrayBuffer(16), 4, 3).fill(65);
  assert.equal(payloadOf(signJws(part, own)).toString(), 'AAA');
});

test('the header of one token may have more than the issuer sets', async () => {
  const own = await key;
  const issuer = new JwtIssuer({ keys: own, expiresIn: '10m', jti: false });
  // Twilio's access tokens.
  const header = { cty: 'twilio-fpa;v=1' };
  const expected = { alg: 'ES256', typ: 'JWT', kid: 'k1', ...header };
  assert.deepEqual(unsafeDecode(issuer.sign({}, { header })).header, expected);
  assert.deepEqual(unsafeDecode(await issuer.signAsync({}, { header })).header, expected);
  // It counts for one token only.
  assert.equal(unsafeDecode(issuer.sign({})).header.cty, undefined);
  for (const name of ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64', 'alg', 'kid', 'typ']) {
    const message = new RegExp(`^header must not have the member "${name}": `);
    const refused = { code: 'ERR_INVALID_ARG_VALUE', message };
    assert.throws(() => issuer.sign({}, { header: { [name]: 'x' } }), refused);
    await assert.rejects(issuer.signAsync({}, { header: { [name]: 'x' } }), refused);
  }
});

test('a token may say that it was issued up to five minutes ago, and expires no sooner', async () => {
  const issuer = new JwtIssuer({ keys: await key, expiresIn: '10m', jti: false });
  for (const issuedAt of [-0, -1, -60, -300]) {
    for (const token of [issuer.sign({}, { issuedAt }), await issuer.signAsync({}, { issuedAt })]) {
      const { iat, exp } = unsafeDecode(token).claims;
      assert.equal(exp - iat, 600 - issuedAt);
      assert.ok(Math.abs(iat - issuedAt - now()) <= 2);
    }
  }
  for (const issuedAt of [-301, 1, -1.5, NaN, -Infinity, -(2 ** 53)]) {
    assert.throws(() => issuer.sign({}, { issuedAt }), coded('ERR_OUT_OF_RANGE'));
  }
  assert.throws(() => issuer.sign({}, { issuedAt: '-60s' }), coded('ERR_INVALID_ARG_TYPE'));
});
