'use strict';

// Proofs of possession (RFC 9449), in each framework.

const assert = require('node:assert/strict');
const { createHash, X509Certificate } = require('node:crypto');
const http2 = require('node:http2');
const { before, test } = require('node:test');

const Fastify = require('fastify');

const { DpopReplayCache, JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, RateLimiter } = require('@nodesec/native');
const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const { DpopProofs, challenge, readAuthorization } = require('@nodesec/native/web');
const { FRAMEWORKS, serveFastify } = require('../helpers/frameworks.js');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');
const { bareJwk, client, hashOf, nextSecond, olderCache, proofOf, withProof } = require('../helpers/proofs.js');
const { EXPRESS, serve, tokens } = require('../helpers/web.js');
const { cases } = require('../vectors/x509-svids.json');

const ALGS = 'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512';
const PROOF = `DPoP error="invalid_dpop_proof", algs="${ALGS}"`;
const TOKEN = `DPoP error="invalid_token", algs="${ALGS}"`;
const SECRETS = /node_modules|\/lib\/|ERR_(?:DPOP|JWT)|htu|jwk|signature/i;
const now = () => Math.floor(Date.now() / 1000);
const urlOf = (port, path = '/') => `http://127.0.0.1:${port}${path}`;

before(async () => {
  // The cache of all middleware of this process begins here.
  const { verifier } = await tokens();
  express.authenticate({ verifier, dpop: 'require' });
  await nextSecond();
});

/** The kinds of the events of refused requests. */
async function kindsDuring(fn, ...secrets) {
  const events = await heard(fn);
  const text = JSON.stringify(events);
  for (const secret of secrets) assert.ok(!text.includes(secret), text);
  return events.map(({ event, kind }) => (kind === undefined ? event : `${event} ${kind}`));
}

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

  test(`${version}: doubled headers are refused, whatever they hold`, async (t) => {
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

  test(`${version}: accept takes both schemes, and no bound token as Bearer`, async (t) => {
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

  test(`${version}: require takes no Bearer, and off no DPoP`, async (t) => {
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

  test(`${version}: the address is that of the client as far as the proxy is trusted`, async (t) => {
    const { key, token, verifier } = await client();
    const replay = olderCache({ maxEntries: 64 });
    const auth = { verifier, dpop: { replay } };
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example' };
    const to = async ({ get }, url, headers) => (await get('/', { ...withProof(key, token, url), ...headers })).status;
    const behind = await guarded(t, auth, { trust: '127.0.0.1' });
    assert.equal(await to(behind, 'https://api.example/', forwarded), 200);
    assert.equal(await to(behind, urlOf(behind.port), forwarded), 401);
    assert.equal(await to(behind, 'http://api.example/', forwarded), 401);
    assert.equal(await to(behind, urlOf(behind.port), {}), 200);
    // Of several values, programs choose different ones.
    for (const name of ['x-forwarded-proto', 'x-forwarded-host']) {
      const doubled = { ...forwarded, [name]: `${forwarded[name]}, ${forwarded[name]}` };
      assert.equal(await to(behind, 'https://api.example/', doubled), 401, name);
    }
    const direct = await guarded(t, auth);
    assert.equal(await to(direct, 'https://api.example/', forwarded), 401);
    assert.equal(await to(direct, urlOf(direct.port), forwarded), 200);
    const rewritten = await guarded(t, { verifier, dpop: { replay, url: async () => 'https://api.example/v1?x' } });
    assert.equal(await to(rewritten, 'https://api.example/v1', {}), 200);
    for (const url of [() => '/v1', () => undefined, () => 42]) {
      const wrong = await guarded(t, { verifier, dpop: { replay, url } });
      assert.equal(await to(wrong, 'https://api.example/v1', {}), 500);
    }
  });

  test(`${version}: a target that is no path has no address`, async (t) => {
    const { key, token, verifier } = await client();
    const { raw, port } = await guarded(t, { verifier, dpop: 'require' });
    const dpop = proofOf(key, { url: urlOf(port), token });
    const lines = `Host: 127.0.0.1:${port}\r\nConnection: close\r\nAuthorization: DPoP ${token}\r\nDPoP: ${dpop}\r\n\r\n`;
    const answer = await raw(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\n${lines}`);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
  });

  test(`${version}: a client cannot put a path, a user or another protocol into its address`, async (t) => {
    const { key, token, verifier } = await client();
    const url = 'http://api.example/public';
    for (const trust of [undefined, '127.0.0.1']) {
      const { raw } = await guarded(t, { verifier, dpop: 'require' }, { trust });
      const ask = async (htu, target, ...lines) => {
        const dpop = proofOf(key, { url: htu, token });
        const credentials = [`Authorization: DPoP ${token}`, `DPoP: ${dpop}`, 'Connection: close'];
        return raw(`GET ${target} HTTP/1.1\r\n${[...lines, ...credentials].join('\r\n')}\r\n\r\n`);
      };
      assert.match(await ask('http://api.example/', '/', 'Host: api.example'), /^HTTP\/1\.1 200 /);
      assert.match(await ask('http://[::1]:80/', '/?a=\\', 'Host: [::1]:80'), /^HTTP\/1\.1 200 /);
      for (const [htu, target, ...lines] of [
        [url, '/', 'Host: api.example/public?'],
        [url, '/', 'Host: api.example/public#'],
        ['http://api.example/public/', '/', 'Host: api.example/public'],
        ['http://b.example/', '/', 'Host: a@b.example'],
        ['http://a.example\\@b.example/', '/', 'Host: a.example\\@b.example'],
        [url, '/', 'Host: api.example', 'X-Forwarded-Host: api.example/public?'],
        [url, '/', 'Host: api.example', 'X-Forwarded-Proto: http://api.example/public?'],
        ['https://api.example/public', '/', 'Host: api.example', 'X-Forwarded-Proto: https://api.example/public?'],
        [url, 'http://api.example/public', 'Host: api.example'],
        ['http://api.example/', '/#', 'Host: api.example'],
        ['http://api.example/\\', '/\\', 'Host: api.example'],
      ]) {
        const kinds = await kindsDuring(async () => {
          const answer = await ask(htu, target, ...lines);
          assert.doesNotMatch(answer, /^HTTP\/1\.1 [25]/, `${htu} ${target} ${lines}`);
        });
        // A router may find no route before.
        assert.ok(kinds.length === 0 ? target !== '/' : `${kinds}` === 'request.refused dpop-url', `${kinds}`);
      }
    }
  });

  test(`${version}: with origins a proof for another service is refused, whatever Host says`, async (t) => {
    const { key, token, verifier } = await client();
    const origins = ['https://api.example', 'http://api.example:8080'];
    const { get } = await guarded(t, { verifier, dpop: { origins } }, { trust: '127.0.0.1' });
    const ask = (url, host, proto = 'http') => {
      const dpop = proofOf(key, { url, token });
      return get('/', { authorization: `DPoP ${token}`, dpop, host, 'x-forwarded-proto': proto });
    };
    assert.equal((await ask('https://api.example/', 'api.example', 'https')).status, 200);
    assert.equal((await ask('https://api.example/', 'API.example:443', 'https')).status, 200);
    assert.equal((await ask('http://api.example:8080/', 'api.example:8080')).status, 200);
    for (const host of ['evil.example', 'api.example', 'api.example:8081', 'api.example.', 'api.example:99999']) {
      const kinds = await kindsDuring(async () => {
        assert.equal((await ask(`http://${host}/`, host)).status, 401, host);
      });
      assert.deepEqual(kinds, ['request.refused dpop-url'], host);
    }
    const named = await guarded(t, { verifier, dpop: { origins, url: () => 'https://evil.example/' } });
    assert.equal((await named.get('/', withProof(key, token, 'https://evil.example/'))).status, 401);
  });

  test(`${version}: an address that no proof can name is refused, and a query may be longer`, async (t) => {
    const { key, token, verifier } = await client();
    let url = `https://api.example/?${'q'.repeat(20_000)}`;
    const { get } = await guarded(t, { verifier, dpop: { url: () => url } });
    assert.equal((await get('/', withProof(key, token, 'https://api.example/'))).status, 200);
    for (const path of ['p'.repeat(16_384), 'p'.repeat(1_048_577), 'é']) {
      url = `https://api.example/${path}`;
      const kinds = await kindsDuring(async () => {
        const { status } = await get('/', withProof(key, token, 'https://api.example/'));
        assert.equal(status, 401);
      });
      assert.deepEqual(kinds, ['request.refused dpop-url']);
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

  test(`${version}: a full cache lets nobody in, with a 503 and one record`, async (t) => {
    const { key, token, verifier } = await client({ alg: 'EdDSA' });
    const replay = olderCache({ maxEntries: 64 });
    const { get, port } = await guarded(t, { verifier, dpop: { replay } });
    let answer;
    let kinds = [];
    for (let number = 0; number < 200 && kinds.length === 0; number += 1) {
      kinds = await kindsDuring(async () => {
        answer = await get('/', withProof(key, token, urlOf(port)));
      });
    }
    assert.deepEqual(kinds, ['request.refused dpop-full']);
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
    assert.equal(answer.headers['www-authenticate'], undefined);
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

test('Express: two middlewares that check one request count its proof once', async (t) => {
  const { key, token, verifier } = await client();
  for (const make of Object.values(EXPRESS)) {
    const app = make();
    app.set('env', 'test');
    app.use(express.authenticate({ verifier, dpop: 'accept' }));
    app.get('/', express.authenticate({ verifier, dpop: 'require' }), (req, res) => res.end());
    // A router is mounted, so that Express cuts the path.
    app.use('/api', make.Router().get('/me', express.authenticate({ verifier, dpop: 'require' }), (req, res) => res.end()));
    const { get, port } = await serve(t, app);
    const headers = withProof(key, token, urlOf(port));
    assert.equal((await get('/', headers)).status, 200);
    assert.equal((await get('/', headers)).status, 401);
    assert.equal((await get('/api/me', withProof(key, token, urlOf(port, '/api/me')))).status, 200);
  }
});

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

/** The clients of HTTP/2 that are connected. */
const sessions = [];

for (const [name, make] of [
  [
    'Express 5, by way of a bridge',
    async (t, auth) => {
      const middleware = express.authenticate(auth);
      const server = http2.createServer((req, res) => {
        Object.assign(req, { protocol: 'http', originalUrl: req.url });
        middleware(req, res, (error) => {
          res.statusCode = error?.status ?? 200;
          res.end();
        });
      });
      return (await serve(t, undefined, server)).port;
    },
  ],
  [
    'Fastify 5',
    async (t, auth) => {
      const app = Fastify({ http2: true });
      t.after(() => app.close());
      // Fastify waits for the end of the sessions that are open.
      app.addHook('preClose', async () => sessions.splice(0).forEach((session) => session.destroy()));
      await app.register(fastify.authentication, auth);
      app.get('/', async () => 'ok');
      return new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port;
    },
  ],
]) {
  test(`${name}: HTTP/2 names the address in :authority`, async (t) => {
    const { key, token, verifier } = await client();
    const port = await make(t, { verifier, dpop: 'require' });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    sessions.push(session);
    t.after(() => session.destroy());
    const status = (headers) => {
      return new Promise((resolve, reject) => {
        const stream = session.request(headers);
        stream.on('response', (answer) => resolve(answer[':status']));
        stream.on('error', reject);
        stream.resume();
        stream.end();
      });
    };
    const headers = withProof(key, token, urlOf(port));
    assert.equal(await status(headers), 200);
    assert.equal(await status(headers), 401);
    assert.equal(await status({ ...headers, dpop: [headers.dpop, headers.dpop] }), 401);
    const foreign = withProof(key, token, 'http://other.example/');
    assert.equal(await status(foreign), 401);
    assert.equal(await status({ ...foreign, ':authority': 'other.example' }), 200);
  });
}

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

test('a challenge for other frameworks has the scheme of its reason, or the one that is named', () => {
  const header = (reason, options) => challenge(reason, options).headers['WWW-Authenticate'];
  assert.equal(header({ code: 'ERR_DPOP_PROOF' }), PROOF);
  assert.equal(header({ code: 'ERR_DPOP_REPLAYED' }), PROOF);
  assert.equal(header({ code: 'ERR_DPOP_NONCE' }, { realm: 'a' }), `DPoP realm="a", error="use_dpop_nonce", algs="${ALGS}"`);
  assert.equal(header(undefined, { scheme: 'DPoP' }), `DPoP algs="${ALGS}"`);
  assert.equal(header({ code: 'ERR_JWT_EXPIRED' }, { scheme: 'DPoP' }), TOKEN);
  for (const code of ['ERR_DPOP_FULL', 'ERR_DPOP_FILE']) {
    assert.deepEqual(challenge({ code }).status, 503);
  }
});

test('another framework reads the credentials and judges the proof of a request, once', async () => {
  const { key, issuer, token, verifier } = await client();
  const url = 'https://api.example/me';
  const proofs = new DpopProofs({ replay: olderCache({ maxEntries: 64 }) });
  const claims = verifier.verify(token);
  const judge = (headers, more) => proofs.check({ headers, method: 'GET', url, token, claims, ...more });
  const fresh = () => withProof(key, token, url);
  for (const headers of [fresh(), new Headers(fresh()), Object.fromEntries(Object.entries(fresh()).map(([name, value]) => [name, [value]]))]) {
    assert.deepEqual(readAuthorization(headers), { scheme: 'DPoP', token });
    assert.deepEqual(await judge(headers), { ok: true, jkt: key.kid });
    const again = await judge(headers);
    assert.deepEqual([again.ok, again.code], [false, 'ERR_DPOP_REPLAYED']);
    assert.equal(challenge(again).headers['WWW-Authenticate'], PROOF);
  }
  assert.deepEqual(readAuthorization({ authorization: 'Bearer a' }), { scheme: 'Bearer', token: 'a' });
  assert.equal(readAuthorization({ authorization: 'Basic a' }), undefined);
  const doubled = new Headers(fresh());
  doubled.append('dpop', fresh().dpop);
  const refusals = [
    [doubled, {}, 'ERR_DPOP_PROOF'],
    [{ dpop: [fresh().dpop, fresh().dpop] }, {}, 'ERR_DPOP_PROOF'],
    [{}, {}, 'ERR_DPOP_PROOF'],
    [fresh(), { method: 'POST' }, 'ERR_DPOP_PROOF'],
    [fresh(), { url: `${url}/1` }, 'ERR_DPOP_PROOF'],
    [fresh(), { token: issuer.sign({}) }, 'ERR_DPOP_PROOF'],
    [fresh(), { claims: { sub: 'ann' } }, 'ERR_JWT_CLAIM'],
  ];
  for (const [headers, more, code] of refusals) {
    const kinds = await kindsDuring(async () => {
      assert.equal((await judge(headers, more)).code, code);
    }, token);
    assert.equal(kinds.length, 1);
    assert.match(kinds[0], /^request\.refused dpop-/);
  }
  await assert.rejects(proofs.check({ headers: {}, method: 'GET' }), coded('ERR_MISSING_OPTION'));
  await assert.rejects(judge({}, { claims: null }), coded('ERR_INVALID_ARG_TYPE'));
});

test('another framework answers with the nonce of a refusal, and of an acceptance when it is due', async () => {
  let millis = Date.now();
  const { key, token, verifier } = await client();
  const url = 'https://api.example/me';
  const replay = new DpopReplayCache({ maxEntries: 64, clock: () => new Date(millis) });
  const proofs = new DpopProofs({ nonce: true, maxAge: '1m', replay });
  const claims = verifier.verify(token);
  const judge = (nonce) => {
    const headers = withProof(key, token, url, { nonce });
    return proofs.check({ headers, method: 'GET', url, token, claims });
  };
  const refused = await judge();
  const { headers } = challenge(refused);
  assert.match(headers['WWW-Authenticate'], /error="use_dpop_nonce"/);
  const nonce = headers['DPoP-Nonce'];
  assert.equal(nonce, refused.nonce);
  assert.deepEqual(await judge(nonce), { ok: true, jkt: key.kid });
  millis += 40_000;
  const due = await judge(nonce);
  assert.deepEqual([due.ok, (await judge(due.nonce)).ok], [true, true]);
  assert.equal(challenge({ code: 'ERR_DPOP_NONCE', nonce: 'a\r\nb' }).headers['DPoP-Nonce'], undefined);
});

test('another framework refuses a token that is bound in a way that nobody has checked', async () => {
  const { key, issuer, verifier } = await client();
  const url = 'https://api.example/me';
  const proofs = new DpopProofs({ replay: olderCache({ maxEntries: 64 }), origins: ['https://api.example'] });
  const judge = (cnf, confirmed, at = url) => {
    const token = issuer.sign({ sub: 'ann', ...(cnf && { cnf }) });
    const headers = withProof(key, token, at);
    return proofs.check({ headers, method: 'GET', url: at, token, claims: verifier.verify(token), confirmed });
  };
  const both = { jkt: key.kid, 'x5t#S256': 'a' };
  for (const [cnf, confirmed] of [
    [both, undefined],
    [both, []],
    [both, ['x5t']],
    [{ ...both, jku: 'https://a' }, ['x5t#S256']],
  ]) {
    const kinds = await kindsDuring(async () => {
      const refused = await judge(cnf, confirmed);
      assert.deepEqual([refused.ok, refused.code, refused.scheme], [false, 'ERR_JWT_CLAIM', 'DPoP']);
      assert.equal(challenge(refused).headers['WWW-Authenticate'], TOKEN);
    });
    assert.deepEqual(kinds, ['request.refused token-bound']);
  }
  assert.deepEqual(await judge(both, ['x5t#S256']), { ok: true, jkt: key.kid });
  // A token that is not bound at all is answered in the scheme of the request.
  const unbound = await judge();
  assert.deepEqual([unbound.code, challenge(unbound).headers['WWW-Authenticate']], ['ERR_JWT_CLAIM', TOKEN]);
  assert.equal((await judge({ jkt: key.kid }, undefined, 'https://evil.example/me')).code, 'ERR_DPOP_PROOF');
  await assert.rejects(judge(both, 'x5t#S256'), coded('ERR_INVALID_ARG_TYPE'));
  await assert.rejects(judge(both, Array(11).fill('a')), coded('ERR_INVALID_ARG_VALUE'));
});

test('another framework refuses a request whose method or address no proof can name', async () => {
  const { key, token, verifier } = await client();
  const url = 'https://api.example/me';
  const claims = verifier.verify(token);
  const proofs = new DpopProofs({ replay: olderCache({ maxEntries: 64 }) });
  const kindOf = async (more) => {
    const kinds = await kindsDuring(async () => {
      const headers = withProof(key, token, url);
      const refused = await proofs.check({ headers, method: 'GET', url, token, claims, ...more });
      assert.equal(refused.code, 'ERR_DPOP_PROOF');
    });
    return kinds.join();
  };
  for (const method of ['A'.repeat(65), 'A'.repeat(2_000_000), '', 'GÉT']) {
    assert.equal(await kindOf({ method }), 'request.refused dpop-method');
  }
  for (const path of ['p'.repeat(16_384), 'p'.repeat(2_000_000), 'é']) {
    assert.equal(await kindOf({ url: `https://api.example/${path}` }), 'request.refused dpop-url');
  }
  const headers = withProof(key, token, url);
  const long = await proofs.check({ headers, method: 'GET', url: `${url}?${'q'.repeat(2_000_000)}`, token, claims });
  assert.equal(long.ok, true);
});

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
