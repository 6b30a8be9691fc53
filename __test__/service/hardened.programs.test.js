'use strict';

// Programs with proofs of possession (DPoP), and thieves of their tokens, at
// examples/hardened-service. Each refused request leaves one record without a secret.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { promisify } = require('node:util');

const { JwtKey } = require('@nodesec/native');
const { FRAMEWORKS, browserAt, eventsOf, refusals, startForSuite, startHardened } = require('../helpers/hardened.js');
const { nextSecond, proofOf, withProof } = require('../helpers/proofs.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const ME = '/program/me';
const REFRESH = '/program/refresh';
const EXAMPLE = path.join(__dirname, '..', '..', 'examples', 'hardened-service');
const execute = promisify(execFile);

/** A program: it sends exactly the headers that it is told, and no cookie. */
function programAt(services) {
  const { ask } = browserAt(services);
  const send = (method, route, { headers = {}, ...more } = {}) => {
    return ask(method, route, { cookie: '', headers: { 'sec-fetch-site': undefined, ...headers }, ...more });
  };
  return {
    send,
    urlOf: (route) => new URL(route, services.url).href,
    post: (route, body) => send('POST', route, { body }),
    /** Sends a request with a new proof. */
    prove(key, token, method, route) {
      const headers = withProof(key, token, new URL(route, services.url).href, { method });
      return send(method, route, { headers });
    },
    /** Refreshes, with a new proof unless `dpop` is another header. */
    refresh(key, refreshToken, dpop = proofOfRefresh(services, key, refreshToken)) {
      return send('POST', REFRESH, { body: { refreshToken }, headers: { dpop } });
    },
  };
}

function proofOfRefresh(services, key, token) {
  return proofOf(key, { method: 'POST', url: new URL(REFRESH, services.url).href, token });
}

/** Registers a user and logs in a program: its tokens, and the key to which they are bound. */
async function loggedIn(services, user = ADA) {
  await browserAt(services).post('/api/register', user);
  const key = await JwtKey.generate('ES256');
  const answer = await programAt(services).post('/program/login', { ...user, key: key.toPublicJwk() });
  assert.equal(answer.status, 200, answer.body);
  return { key, ...JSON.parse(answer.body) };
}

const dpopRefused = (kind) => ({ event: 'request.refused', kind });
const NOT_OF_PROGRAM = { event: 'app.recorded', action: 'refresh.refused' };

for (const framework of FRAMEWORKS) {
  describe(`programs, in ${framework}`, () => {
    const suite = startForSuite(framework, { accessTtl: '5m' });
    /** All secrets that were in a request: none may be in a record. */
    const secrets = new Set([ADA.password]);
    let services;
    let program;
    let key;
    let accessToken;

    before(async () => {
      ({ services } = suite);
      program = programAt(services);
      await nextSecond();
      ({ key, accessToken } = await loggedIn(services));
      secrets.add(accessToken);
    });

    const refused = refusals(() => services.accounts, secrets);

    /** Sends a request with a proof, which no record may have in it, as a bound token. */
    const sendProof = (method, route, dpop, { token = accessToken, ...headers } = {}) => {
      secrets.add(dpop);
      return program.send(method, route, { headers: { authorization: `DPoP ${token}`, dpop, ...headers } });
    };

    /** A proof for the token, and for `ME` unless told otherwise. */
    const proof = ({ method = 'GET', route = ME, token = accessToken, by = key } = {}) => {
      return proofOf(by, { method, url: program.urlOf(route), token });
    };

    test('a program works with a token that is bound to its key, and with that of the next refresh', async () => {
      const bob = { username: 'bob', password: 'tr0ub4dor and three' };
      const own = await loggedIn(services, bob);
      assert.equal(own.tokenType, 'DPoP');
      assert.equal((await program.prove(own.key, own.accessToken, 'POST', '/program/work')).status, 200);
      const answer = await program.refresh(own.key, own.refreshToken);
      assert.equal(answer.status, 200, answer.body);
      const next = JSON.parse(answer.body);
      assert.notEqual(next.accessToken, own.accessToken);
      const { status, body } = await program.prove(own.key, next.accessToken, 'GET', ME);
      assert.deepEqual([status, JSON.parse(body).username], [200, 'bob']);
      assert.equal((await program.prove(own.key, next.accessToken, 'POST', '/program/logout')).status, 204);
      assert.equal((await program.prove(own.key, next.accessToken, 'GET', ME)).status, 401);
    });

    test('the program of the example logs in, works and logs out', async () => {
      const eve = { username: 'eve', password: 'an apple a day' };
      await browserAt(services).post('/api/register', eve);
      const file = path.join(EXAMPLE, 'program.mjs');
      const bundle = path.join(services.home, 'certificates', 'accounts', 'bundle.pem');
      const { stdout } = await execute(process.execPath, [file, '--url', services.url, '--username', 'eve'], {
        env: { NODE_EXTRA_CA_CERTS: bundle, PASSWORD: eve.password },
      });
      assert.match(stdout, /username: 'eve'[^]+done: true/);
      const { outcome } = eventsOf(services.accounts).findLast(({ event }) => event === 'session.ended');
      assert.equal(outcome, 'ok');
    });

    test('a stolen token without a proof is refused as Bearer, as DPoP and in a cookie', async () => {
      const bearer = { headers: { authorization: `Bearer ${accessToken}` } };
      await refused(401, dpopRefused('dpop-missing'), () => program.send('GET', ME, bearer));
      const bound = { headers: { authorization: `DPoP ${accessToken}` } };
      await refused(401, dpopRefused('dpop-missing'), () => program.send('GET', ME, bound));
      const cookie = `__Host-at=${accessToken}`;
      await refused(401, dpopRefused('token-bound'), () => browserAt(services).ask('GET', '/api/me', { cookie }));
    });

    test('a proof that was used is refused', async () => {
      const used = proof();
      assert.equal((await sendProof('GET', ME, used)).status, 200);
      const { subject } = await refused(401, dpopRefused('dpop-replayed'), () => sendProof('GET', ME, used));
      assert.match(subject, /^[\w-]{22}$/);
    });

    test('a proof for another method or another address is refused', async () => {
      const elsewhere = proof({ method: 'POST', route: '/program/work' });
      await refused(401, dpopRefused('dpop-url'), () => sendProof('POST', '/program/logout', elsewhere));
      const method = proof({ method: 'GET', route: '/program/work' });
      await refused(401, dpopRefused('dpop-method'), () => sendProof('POST', '/program/work', method));
      // That of another service, whose operator sends on a request of this program.
      const foreign = proofOf(key, { url: `https://other.example${ME}`, token: accessToken });
      const host = { host: 'other.example' };
      await refused(401, dpopRefused('dpop-url'), () => sendProof('GET', ME, foreign, host));
      assert.equal((await program.prove(key, accessToken, 'GET', ME)).status, 200);
    });

    test('a proof for another token or with another key is refused', async () => {
      const thief = await JwtKey.generate('ES256');
      await refused(401, dpopRefused('dpop-binding'), () => sendProof('GET', ME, proof({ by: thief })));
      const other = await loggedIn(services);
      secrets.add(other.accessToken);
      const ofOther = proof({ token: other.accessToken });
      await refused(401, dpopRefused('dpop-token'), () => sendProof('GET', ME, ofOther));
      const forged = proofOf(key, { url: program.urlOf(ME), token: accessToken }, { signer: thief });
      await refused(401, dpopRefused('dpop-signature'), () => sendProof('GET', ME, forged));
    });

    test('a stolen refresh token gives nothing without the key, and its owner goes on', async () => {
      const own = await loggedIn(services);
      const { refreshToken } = own;
      const used = proofOfRefresh(services, own.key, refreshToken);
      for (const secret of [refreshToken, own.accessToken, used]) secrets.add(secret);
      const thief = await JwtKey.generate('ES256');
      const url = program.urlOf(REFRESH);
      const steal = async (kind, dpop) => {
        if (dpop !== undefined) secrets.add(dpop);
        const request = { body: { refreshToken }, headers: { dpop } };
        const { subject } = await refused(401, dpopRefused(kind), () => program.send('POST', REFRESH, request));
        assert.match(subject, /^[\w-]{22}$/);
      };
      const tryAll = async () => {
        await steal('dpop-missing');
        await steal('dpop-binding', proofOfRefresh(services, thief, refreshToken));
        await steal('dpop-signature', proofOf(own.key, { method: 'POST', url, token: refreshToken }, { signer: thief }));
        await steal('dpop-token', proofOf(own.key, { method: 'POST', url, token: own.accessToken }));
        await steal('dpop-url', proofOf(own.key, { method: 'POST', url: program.urlOf(ME), token: refreshToken }));
      };
      await tryAll();
      const answer = await program.refresh(own.key, refreshToken, used);
      assert.equal(answer.status, 200, answer.body);
      const next = JSON.parse(answer.body);
      secrets.add(next.refreshToken).add(next.accessToken);
      // Also a used token does not end the session without the key.
      await tryAll();
      await steal('dpop-replayed', used);
      assert.equal((await program.prove(own.key, next.accessToken, 'GET', ME)).status, 200);
      assert.equal((await program.refresh(own.key, next.refreshToken)).status, 200);
    });

    test('a used refresh token that comes again with the key ends the session', async () => {
      const { key: own, refreshToken } = await loggedIn(services);
      const { accessToken: token } = JSON.parse((await program.refresh(own, refreshToken)).body);
      secrets.add(refreshToken).add(token);
      await refused(401, { event: 'session.reused' }, () => program.refresh(own, refreshToken));
      await refused(401, { event: 'token.refused', code: 'ERR_JWT_REVOKED' }, () => {
        return sendProof('GET', ME, proof({ by: own, token }), { token });
      });
    });

    test('a refresh token of a browser is none of a program, and stays good', async () => {
      const browser = browserAt(services);
      assert.equal((await browser.post('/api/login', ADA)).status, 200);
      const { value: refreshToken } = browser.cookies.get('__Secure-rt');
      secrets.add(refreshToken);
      await refused(401, NOT_OF_PROGRAM, () => program.post(REFRESH, { refreshToken }));
      await refused(401, NOT_OF_PROGRAM, () => program.refresh(key, refreshToken));
      assert.equal((await browser.post('/auth/refresh')).status, 200);
      assert.equal((await browser.ask('GET', '/api/me')).status, 200);
    });

    test('a refresh token of a program is none of a browser, and stays good', async () => {
      const { key: own, refreshToken } = await loggedIn(services);
      secrets.add(refreshToken);
      const cookie = `__Secure-rt=${refreshToken}`;
      const unknown = { event: 'session.refused' };
      const { ask } = browserAt(services);
      await refused(401, unknown, () => ask('POST', '/auth/refresh', { cookie }));
      await refused(204, unknown, () => ask('POST', '/auth/logout', { cookie }));
      await refused(401, unknown, () => ask('POST', '/auth/replay', { cookie: `__Secure-copy=${refreshToken}` }));
      const answer = await program.refresh(own, refreshToken);
      assert.equal(answer.status, 200, answer.body);
      const { accessToken: token } = JSON.parse(answer.body);
      assert.equal((await program.prove(own, token, 'GET', ME)).status, 200);
    });

    test('a refresh token that was changed, or is none, is refused', async () => {
      const { key: own, refreshToken } = await loggedIn(services);
      const middle = Math.floor(refreshToken.length / 2);
      const changed = refreshToken[middle] === 'A' ? 'B' : 'A';
      const other = refreshToken.slice(0, middle) + changed + refreshToken.slice(middle + 1);
      for (const token of [other, refreshToken.slice(4), '', 'none', '\u{1f511}']) {
        await refused(401, NOT_OF_PROGRAM, () => program.refresh(own, token));
      }
      assert.equal((await program.refresh(own, refreshToken)).status, 200);
    });

    test('a program cannot use a token of a browser, with or without a proof', async () => {
      const browser = browserAt(services);
      assert.equal((await browser.post('/api/login', ADA)).status, 200);
      const { value: token } = browser.cookies.get('__Host-at');
      secrets.add(token);
      await refused(401, dpopRefused('dpop-unbound'), () => sendProof('GET', ME, proof({ token }), { token }));
      const bearer = { headers: { authorization: `Bearer ${token}` } };
      await refused(401, dpopRefused('dpop-missing'), () => program.send('GET', ME, bearer));
      const cookie = `__Host-at=${token}`;
      assert.equal((await browser.ask('GET', ME, { cookie })).status, 401);
    });

    test('the login refuses a private key, an invalid key, and a key of another algorithm', async () => {
      const jwk = key.toPublicJwk();
      const rsa = await JwtKey.generate('RS256');
      for (const [given, message] of [
        [{ ...jwk, d: 'A'.repeat(43) }, /^key has a member that is not known/],
        [{ ...jwk, x: 'A'.repeat(43) }, /^key must be a public key for ES256 or EdDSA/],
        [{ ...jwk, kty: 'OKP' }, /^key must be a public key/],
        [rsa.toPublicJwk(), /^key/],
        [undefined, /^key/],
      ]) {
        const { status, body } = await program.post('/program/login', { ...ADA, key: given });
        assert.equal(status, 400, body);
        assert.match(JSON.parse(body).message, message);
      }
      const own = await JwtKey.generate('EdDSA');
      const body = { ...ADA, key: { ...own.toPublicJwk(), kid: key.kid } };
      const { status, body: text } = await program.post('/program/login', body);
      assert.equal(status, 200, text);
      const { accessToken: token } = JSON.parse(text);
      secrets.add(token);
      // The token is bound to the key, not to the `kid`.
      assert.equal((await program.prove(own, token, 'GET', ME)).status, 200);
      await refused(401, dpopRefused('dpop-binding'), () => sendProof('GET', ME, proof({ token }), { token }));
    });

    test('no log of a service has a secret of a program', () => {
      for (const service of [services.accounts, services.trail]) {
        const text = JSON.stringify(eventsOf(service)) + service.errors();
        for (const secret of secrets) assert.ok(!text.includes(secret));
      }
    });
  });

  test(`a proof that was used stays refused after SIGKILL and a restart, in ${framework}`, async (t) => {
    const { runServices } = await import('../../examples/hardened-service/platform/run.mjs');
    const first = await startHardened(t, framework, { accessTtl: '5m' });
    await nextSecond();
    const { key, accessToken, refreshToken } = await loggedIn(first);
    const headers = withProof(key, accessToken, new URL(ME, first.url).href);
    assert.equal((await programAt(first).send('GET', ME, { headers })).status, 200);
    process.kill(first.accounts.pid, 'SIGKILL');
    await first.accounts.ended;
    await first.stop();

    const port = Number(new URL(first.url).port);
    const second = await runServices({ accessTtl: '5m', framework, home: first.home, port });
    t.after(() => second.stop());
    const refused = refusals(() => second.accounts, new Set([accessToken, headers.dpop]));
    await refused(401, dpopRefused('dpop-replayed'), () => programAt(second).send('GET', ME, { headers }));
    assert.equal((await programAt(second).prove(key, accessToken, 'GET', ME)).status, 200);
    assert.equal((await programAt(second).refresh(key, refreshToken)).status, 200);
  });
}
