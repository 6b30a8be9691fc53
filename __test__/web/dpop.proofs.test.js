'use strict';

// DPoP proofs for frameworks without our middleware: DpopProofs, readAuthorization, challenge.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { DpopReplayCache } = require('@nodesec/native');
const { DpopProofs, challenge, readAuthorization } = require('@nodesec/native/web');
const { coded } = require('../helpers/outcome.js');
const {
  ALGS, PROOF, TOKEN, client, kindsDuring, olderCache, withProof,
} = require('../helpers/proofs.js');

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

test('another framework refuses a token with a binding that it has not checked', async () => {
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
