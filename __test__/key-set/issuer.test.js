'use strict';

// Keys that name the only issuer whose tokens they verify, as Microsoft's identity platform
// publishes them for all tenants.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, verifyJws } = require('@nodesec/native');
const { KeyServer, consumer } = require('../helpers/key-server.js');
const { keyPair } = require('../helpers/key-pairs.js');

const HOST = 'https://login.microsoftonline.com';
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad';
const [SHARED, OWN] = ['shared', 'own'].map((kid) => {
  const { privateKey, publicKey } = keyPair('rsa', { modulusLength: 2048 });
  const key = JwtKey.fromKeyObject(privateKey, { alg: 'RS256', kid });
  return { key, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', x5t: kid } };
});
/** The set has the members of Microsoft's: no `alg`, and an issuer for each key. */
const SET = {
  keys: [
    { ...SHARED.jwk, issuer: `${HOST}/{tenantid}/v2.0`, cloud_instance_name: 'microsoftonline.com' },
    { ...OWN.jwk, issuer: `${HOST}/${CONSUMERS}/v2.0` },
  ],
};

const tokenOf = ({ key }, tenant, tid = tenant) =>
  new JwtIssuer({ keys: key, issuer: `${HOST}/${tenant}/v2.0`, expiresIn: '1h' }).sign({ tid });

const EXPECTED = [
  [tokenOf(SHARED, 'contoso'), undefined],
  [tokenOf(SHARED, CONSUMERS), undefined],
  [tokenOf(SHARED, 'contoso', 'fabrikam'), 'ERR_JWT_CLAIM'],
  [tokenOf(SHARED, 'contoso', ['contoso']), 'ERR_JWT_CLAIM'],
  [tokenOf(OWN, CONSUMERS), undefined],
  [tokenOf(OWN, 'contoso'), 'ERR_JWT_CLAIM'],
];

test('a key of one tenant verifies no token of another tenant', async (t) => {
  const server = await KeyServer.start(t);
  server.answer = (request, response) => response.end(JSON.stringify(SET));
  const { remote, verifier } = consumer(server);
  await remote.refresh();
  assert.deepEqual(remote.status().ignored, []);
  const imported = JwtKey.fromJwks(SET);
  const single = SET.keys.map((jwk) => JwtKey.fromJwk(jwk, { alg: 'RS256' }));
  const policy = { issuer: false, audience: false };
  const verifiers = [verifier, ...[imported, single].map((keys) => new JwtVerifier({ ...policy, keys }))];
  verifiers.push(new JwtVerifier({ ...policy, keys: remote, cache: true }));
  for (const each of verifiers) {
    for (const [token, code] of [...EXPECTED, ...EXPECTED]) {
      const result = each.tryVerify(token);
      assert.equal(result.code, code);
      if (code === undefined) continue;
      assert.deepEqual([result.claim, result.reason], ['iss', 'mismatch']);
      assert.match(result.message, /"issuer" for which its key is published/);
    }
  }
});

test('a key keeps its issuer in its JWK and in a ring that is sealed', () => {
  const [key] = JwtKey.fromJwks(SET);
  assert.equal(key.toPublicJwk().issuer, `${HOST}/{tenantid}/v2.0`);
  const [sealed] = JwtKey.fromJwks({ keys: [key.toPublicJwk()] });
  assert.equal(sealed.toPublicJwk().issuer, key.toPublicJwk().issuer);
  const ring = new KeyRing({ keys: [SHARED.key] });
  assert.equal('issuer' in JSON.parse(ring.jwks().body).keys[0], false);
});

test('verifyJws reads no claims and so compares no issuer', () => {
  const [token] = EXPECTED[2];
  const payload = verifyJws(token, JwtKey.fromJwks(SET), { algorithms: ['RS256'] });
  assert.equal(JSON.parse(payload).tid, 'fabrikam');
});
