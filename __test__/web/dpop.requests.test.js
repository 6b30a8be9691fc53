'use strict';

// Requests with DPoP proofs (RFC 9449) and the schemes of their answers, in each framework.

const assert = require('node:assert/strict');
const { createHash, X509Certificate } = require('node:crypto');
const { before, test } = require('node:test');

const Fastify = require('fastify');

const { JwtKey, RateLimiter } = require('@nodesec/native');
const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const { FRAMEWORKS, serveFastify } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');
const {
  ALGS, PROOF, TOKEN, bareJwk, client, hashOf, kindsDuring, middlewareCache, now, olderCache,
  proofOf, urlOf, withProof,
} = require('../helpers/proofs.js');
const { tokens } = require('../helpers/web.js');
const { cases } = require('../vectors/x509-svids.json');

const SECRETS = /node_modules|\/lib\/|ERR_(?:DPOP|JWT)|htu|jwk|signature/i;

before(middlewareCache);

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const guarded = (t, auth, parts) => service(t, { auth, ...parts });

  test(`${version}: a token with a proof of its key is let in, each time with a new proof`, async (t) => {
    const { key, token, verifier } = await client();
    const { get, send, port } = await guarded(t, { verifier, dpop: 'require' });
    for (const path of ['/', '/?page=2', '/?a=%2f']) {
      const { status, body } = await get(path, withProof(key, token, urlOf(port, path)));
      const { claims, scheme, jkt } = JSON.parse(body);
      assert.deepEqual([status, claims.sub, scheme, jkt], [200, 'ann', 'DPoP', key.kid]);
    }
    const head = withProof(key, token, urlOf(port), { method: 'HEAD' });
    assert.equal((await send('/', { method: 'HEAD', headers: head })).status, 200);
    const lower = withProof(key, token, urlOf(port));
    assert.equal((await get('/', { ...lower, authorization: `dpop ${token}` })).status, 200);
  });

  test(`${version}: a proof for another request, token or key is a 401 and one record`, async (t) => {
    const { key, token, verifier } = await client();
    const { get, port } = await guarded(t, { verifier, dpop: 'require' });
    const request = { url: urlOf(port), token };
    const thief = await JwtKey.generate('ES256');
    const hmac = JwtKey.fromSecret(Buffer.alloc(32, 9), { alg: 'HS256' });
    const used = proofOf(key, request);
    assert.equal((await get('/', { authorization: `DPoP ${token}`, dpop: used })).status, 200);
    const changed = (claims, header) => proofOf(key, request, { claims, header });
    const rows = [
      ['missing', undefined],
      ['replayed', used],
      ['method', changed({ htm: 'POST' })],
      ['method', changed({ htm: 'get' })],
      ['url', changed({ htu: urlOf(port, '/other') })],
      ['url', changed({ htu: `https://127.0.0.1:${port}/` })],
      ['url', changed({ htu: `http://localhost:${port}/` })],
      ['token', changed({ ath: hashOf('another') })],
      ['token', changed({ ath: undefined })],
      ['time', changed({ iat: now() - 120 })],
      ['time', changed({ iat: now() + 120 })],
      ['forgotten', proofOf(key, request, { claims: { iat: now() - 55 } })],
      // A stolen token, with the key of the thief and with a forged signature.
      ['binding', proofOf(thief, request)],
      ['signature', proofOf(key, request, { signer: thief })],
      ['type', changed({}, { typ: 'JWT' })],
      ['malformed', changed({ jti: undefined })],
      ['malformed', changed({ iat: `${now()}` })],
      ['malformed', 'garbage'],
      ['malformed', `${proofOf(key, request)}.a`],
      ['algorithm', proofOf(key, request, { signer: hmac })],
      ['key', changed({}, { jwk: { ...bareJwk(thief), crv: 'P-384' } })],
    ];
    for (const [kind, dpop] of rows) {
      const headers = { authorization: `DPoP ${token}`, ...(dpop && { dpop }) };
      let answer;
      const kinds = await kindsDuring(
        async () => {
          answer = await get('/', headers);
        },
        token,
        dpop ?? token,
        bareJwk(key).x,
      );
      assert.deepEqual(kinds, [`request.refused dpop-${kind}`], kind);
      assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, PROOF], kind);
      assert.doesNotMatch(answer.body, SECRETS);
    }
    // Nothing of that is remembered: the same request with a right proof goes on.
    assert.equal((await get('/', withProof(key, token, urlOf(port)))).status, 200);
    // A token that is no token is that of the verifier's event, and its proof is not read.
    const other = await kindsDuring(async () => {
      const answer = await get('/', { authorization: 'DPoP a.b.c', dpop: used });
      assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, TOKEN]);
    });
    assert.deepEqual(other, ['token.refused']);
  });

  test(`${version}: a proof with a private key in its header is refused`, async (t) => {
    const { key, token, verifier } = await client();
    const { get, port } = await guarded(t, { verifier, dpop: 'require' });
    const [header, ...rest] = proofOf(key, { url: urlOf(port), token }).split('.');
    const { jwk, ...others } = JSON.parse(Buffer.from(header, 'base64url'));
    const leaked = Buffer.from(JSON.stringify({ ...others, jwk: { ...jwk, d: 'AA' } })).toString('base64url');
    const kinds = await kindsDuring(async () => {
      const headers = { authorization: `DPoP ${token}`, dpop: [leaked, ...rest].join('.') };
      assert.equal((await get('/', headers)).status, 401);
    });
    assert.deepEqual(kinds, ['request.refused dpop-key']);
  });

  test(`${version}: doubled headers are refused, equal or different`, async (t) => {
    const { key, token, verifier } = await client();
    const { raw, port } = await guarded(t, { verifier, dpop: 'require' });
    const proof = () => proofOf(key, { url: `http://127.0.0.1:${port}/`, token });
    const one = proof();
    const lines = (...headers) => {
      return `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n`;
    };
    const authorization = `Authorization: DPoP ${token}`;
    assert.match(await raw(lines(authorization, `DPoP: ${proof()}`)), /^HTTP\/1\.1 200 /);
    const repeated = [
      [401, 'dpop-repeated', [authorization, `DPoP: ${one}`, `DPoP: ${one}`]],
      [401, 'dpop-repeated', [authorization, `DPoP: ${one}`, `dpop: ${proof()}`]],
      [401, 'dpop-malformed', [authorization, `DPoP: ${one}, ${one}`]],
      [400, 'credentials-repeated', [authorization, authorization, `DPoP: ${one}`]],
      [400, 'credentials-repeated', [authorization, `Authorization: Bearer ${token}`, `DPoP: ${one}`]],
    ];
    for (const [status, kind, headers] of repeated) {
      let answer;
      const kinds = await kindsDuring(async () => {
        answer = await raw(lines(...headers));
      }, token);
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
      assert.deepEqual(kinds, [`request.refused ${kind}`]);
    }
    for (const text of ['DPoP', 'DPoP ', `DPoP ${token} x`, 'DPoP a,b']) {
      assert.match(await raw(lines(`Authorization: ${text}`, `DPoP: ${one}`)), /^HTTP\/1\.1 400 /, text);
    }
  });

  test(`${version}: accept takes both schemes, and refuses a bound token as Bearer`, async (t) => {
    const { key, issuer, token, verifier } = await client();
    const { get, port } = await guarded(t, { verifier, dpop: 'accept', realm: 'api' });
    const unbound = issuer.sign({ sub: 'bob' });
    const bearer = await get('/', { authorization: `Bearer ${unbound}` });
    assert.deepEqual([bearer.status, JSON.parse(bearer.body).scheme], [200, 'bearer']);
    assert.equal((await get('/', withProof(key, token, urlOf(port)))).status, 200);
    const both = (error) => [
      401,
      `Bearer realm="api"${error}, DPoP realm="api", algs="${ALGS}"`,
    ];
    const answers = [
      [{}, both('')],
      [{ authorization: `Bearer ${token}` }, both(', error="invalid_token"')],
      [{ ...withProof(key, token, urlOf(port)), authorization: `Bearer ${token}` }, both(', error="invalid_token"')],
      [
        withProof(key, unbound, urlOf(port)),
        [401, `DPoP realm="api", error="invalid_token", algs="${ALGS}", Bearer realm="api"`],
      ],
      [
        { authorization: `DPoP ${token}` },
        [401, `DPoP realm="api", error="invalid_dpop_proof", algs="${ALGS}", Bearer realm="api"`],
      ],
    ];
    for (const [headers, expected] of answers) {
      const { status, headers: given } = await get('/', headers);
      assert.deepEqual([status, given['www-authenticate']], expected);
    }
    const kinds = await kindsDuring(async () => {
      await get('/', { authorization: `Bearer ${token}` });
      await get('/', withProof(key, unbound, urlOf(port)));
    });
    assert.deepEqual(kinds, ['request.refused token-bound', 'request.refused dpop-unbound']);
  });

  test(`${version}: require refuses Bearer, and off refuses DPoP`, async (t) => {
    const { key, issuer, token, verifier } = await client();
    const required = await guarded(t, { verifier, dpop: {} });
    const unbound = `Bearer ${issuer.sign({ sub: 'bob' })}`;
    const refused = await required.get('/', { authorization: unbound });
    assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, PROOF]);
    const none = await required.get('/');
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, `DPoP algs="${ALGS}"`]);
    for (const dpop of [undefined, 'off', { mode: 'off' }]) {
      const off = await guarded(t, { verifier, ...(dpop && { dpop }) });
      const answer = await off.get('/', withProof(key, token, urlOf(off.port)));
      assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer']);
      const bound = await off.get('/', { authorization: `Bearer ${token}` });
      assert.deepEqual([bound.status, bound.headers['www-authenticate']], [401, 'Bearer error="invalid_token"']);
    }
  });

  test(`${version}: a scope that a token lacks is asked for in the scheme of the request`, async (t) => {
    const { key, token, verifier } = await client();
    const challenge = `DPoP error="insufficient_scope", scope="admin", algs="${ALGS}"`;
    const replay = olderCache({ maxEntries: 64 });
    for (const options of [{ auth: { verifier, dpop: { replay }, scope: 'admin' } }, { auth: { verifier, dpop: { replay } }, scopes: ['admin'] }]) {
      const { get, port } = await service(t, options);
      const { status, headers } = await get('/', withProof(key, token, urlOf(port)));
      assert.deepEqual([status, headers['www-authenticate']], [403, challenge]);
    }
  });

  test(`${version}: malformed credentials are a 400 with the schemes that the service takes`, async (t) => {
    const { verifier } = await tokens();
    const headers = { authorization: 'DPoP a,b' };
    for (const [dpop, schemes] of [
      ['require', `DPoP error="invalid_request", algs="${ALGS}"`],
      ['accept', `Bearer error="invalid_request", DPoP algs="${ALGS}"`],
    ]) {
      const { get, raw, port } = await guarded(t, { verifier, dpop });
      const { status, headers: given } = await get('/', headers);
      assert.deepEqual([status, given['www-authenticate']], [400, schemes]);
      const two = 'Authorization: DPoP a\r\nAuthorization: DPoP a';
      const answer = await raw(`GET / HTTP/1.1\r\nHost: a:${port}\r\n${two}\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.ok(answer.toLowerCase().includes(`www-authenticate: ${schemes.toLowerCase()}`), answer);
      const query = await get('/?access_token=a', { authorization: 'DPoP a' });
      assert.deepEqual([query.status, query.headers['www-authenticate']], [400, schemes]);
    }
    const { get } = await guarded(t, { verifier });
    const bearer = await get('/', { authorization: 'Bearer a,b' });
    assert.deepEqual([bearer.status, bearer.headers['www-authenticate']], [400, 'Bearer error="invalid_request"']);
  });

  test(`${version}: a token that is bound to a certificate, too, needs both`, async (t) => {
    const certificate = new X509Certificate(cases.find(({ name }) => name === 'web').cert);
    const x5t = createHash('sha256').update(certificate.raw).digest('base64url');
    const { key, issuer, verifier } = await client();
    const both = issuer.sign({ sub: 'ann', cnf: { jkt: key.kid, 'x5t#S256': x5t } });
    const shown = await guarded(t, { verifier, dpop: 'require', getCertificate: () => certificate });
    assert.equal((await shown.get('/', withProof(key, both, urlOf(shown.port)))).status, 200);
    const hidden = await guarded(t, { verifier, dpop: 'require' });
    assert.equal((await hidden.get('/', withProof(key, both, urlOf(hidden.port)))).status, 401);
    const bearer = await guarded(t, { verifier, dpop: 'accept', getCertificate: () => certificate });
    assert.equal((await bearer.get('/', { authorization: `Bearer ${both}` })).status, 401);
    for (const cnf of [{ jkt: 1 }, {}, null, { jkt: key.kid, jku: 'https://a' }, { 'x5t#S256': x5t }]) {
      const odd = issuer.sign({ sub: 'ann', cnf });
      const { status } = await shown.get('/', withProof(key, odd, urlOf(shown.port)));
      assert.equal(status, 401, JSON.stringify(cnf));
    }
  });

  test(`${version}: every algorithm of the challenge is accepted`, async (t) => {
    const { issuer, verifier } = await tokens();
    const { get, port } = await guarded(t, { verifier, dpop: 'require' });
    for (const alg of ALGS.split(' ')) {
      const key = await JwtKey.generate(alg);
      const token = issuer.sign({ cnf: { jkt: key.kid } });
      assert.equal((await get('/', withProof(key, token, urlOf(port)))).status, 200, alg);
    }
  });
}

test('Fastify: a route has proofs of its own, and the plugin of a child scope replaces the others', async (t) => {
  const { key, issuer, token, verifier } = await client();
  const app = Fastify({ forceCloseConnections: true });
  await app.register(fastify.authentication, { verifier });
  const config = { nodesec: { auth: { dpop: 'require' } } };
  app.get('/bound', { config }, async () => 'ok');
  app.get('/free', async () => 'ok');
  await app.register(async (scope) => {
    await scope.register(fastify.authentication, { verifier, dpop: 'require' });
    scope.get('/child', async () => 'ok');
  });
  const { get, port } = await serveFastify(t, app);
  const bearer = { authorization: `Bearer ${issuer.sign({ sub: 'bob' })}` };
  assert.deepEqual([(await get('/bound', bearer)).status, (await get('/free', bearer)).status], [401, 200]);
  assert.equal((await get('/child', bearer)).status, 401);
  for (const path of ['/bound', '/child']) {
    assert.equal((await get(path, withProof(key, token, urlOf(port, path)))).status, 200, path);
  }
});

test('options of proofs are checked when the middleware is made', async () => {
  const { verifier } = await tokens();
  const make = (dpop, more) => express.authenticate({ verifier, dpop, ...more });
  for (const [dpop, code, more] of [
    ['yes', 'ERR_INVALID_ARG_VALUE'],
    [true, 'ERR_INVALID_ARG_TYPE'],
    [{ mode: 'maybe' }, 'ERR_INVALID_ARG_VALUE'],
    [{ maxage: 5 }, 'ERR_UNKNOWN_OPTION'],
    [{ maxAge: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxAge: '61m' }, 'ERR_OUT_OF_RANGE'],
    [{ nonce: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    [{ replay: new RateLimiter({ limit: 1, windowMs: 1000 }) }, 'ERR_INVALID_ARG_TYPE'],
    [{ url: 'https://api.example/' }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: 'https://api.example' }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: [1] }, 'ERR_INVALID_ARG_TYPE'],
    ...[[], ['https://api.example/'], ['https://api.example:443'], ['*'], ['null'], ['app://api.example']].map(
      (origins) => [{ origins }, 'ERR_INVALID_ARG_VALUE'],
    ),
    ['require', 'ERR_INVALID_ARG_VALUE', { from: 'both' }],
    ['require', 'ERR_INVALID_ARG_VALUE', { from: 'cookie' }],
    ['accept', 'ERR_INVALID_ARG_VALUE', { from: 'cookie' }],
  ]) {
    assert.throws(() => make(dpop, more), coded(code), JSON.stringify([dpop, more]));
  }
  make('accept', { from: 'both' });
  make('off', { from: 'cookie' });
});
