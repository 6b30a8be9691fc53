'use strict';

// A DPoP proof counts once, in each framework.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const express = require('@nodesec/native/express');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const {
  client, kindsDuring, middlewareCache, olderCache, urlOf, withProof,
} = require('../helpers/proofs.js');
const { EXPRESS, serve } = require('../helpers/web.js');

before(middlewareCache);

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const guarded = (t, auth, parts) => service(t, { auth, ...parts });

  test(`${version}: a full cache refuses every proof, with a 503 and one record`, async (t) => {
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
