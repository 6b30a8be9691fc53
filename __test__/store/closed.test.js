'use strict';

// A store that is closed while everything on it is still referenced.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtVerifier, JwtVerifiers, KeyRing } = require('@nodesec/native');
const { assertNoDescriptors } = require('../helpers/files-in-use.js');
const { coded } = require('../helpers/outcome.js');
const { StoreService, storeKey, storePath } = require('../helpers/store-service.js');

const UNANSWERED = 'ERR_REVOCATION_STORE';

/** A store with a list, sessions, a ring and verifiers, all of which have been used. */
async function openEverything(at, onStoreError) {
  const service = await StoreService.open(at, { onStoreError });
  const { revocations } = service;
  const ring = await KeyRing.open(service.store, { alg: 'EdDSA', rotateEvery: '1d' });
  const issuer = new JwtIssuer({ keys: ring, issuer: 'ring', expiresIn: '5m' });
  const options = { keys: ring, issuer: 'ring', audience: false };
  const verifiers = [
    new JwtVerifier(options),
    new JwtVerifier({ ...options, cache: true }),
    new JwtVerifier({ ...options, revocations }),
  ];
  const ofRing = issuer.sign({ sub: 'ada' });
  for (const verifier of verifiers) assert.equal(verifier.verify(ofRing).sub, 'ada');
  const pair = await service.sessions.start('ada', { role: 'admin' });
  await service.sessions.start('ada');
  assert.equal(service.judgeToken(pair.accessToken), 'accepted');
  return { service, ring, issuer, verifiers, ofRing, pair };
}

for (const onStoreError of ['deny', 'allow']) {
  test(`close gives up every file while all objects are held, and every call says so, also with onStoreError: '${onStoreError}'`, async (t) => {
    const at = storePath(t);
    const { service, ring, issuer, verifiers, ofRing, pair } = await openEverything(at, onStoreError);
    const { sessions, revocations, store } = service;
    const { accessToken, refreshToken, sessionId } = pair;
    const [{ kid }] = ring.list();
    await store.close();
    assertNoDescriptors(at);
    const closed = coded('ERR_STORE_CLOSED');
    for (const call of [
      () => store.stats(),
      () => ring.jwks(),
      () => ring.list(),
      () => ring.tick(),
      () => ring.revoke(kid),
      () => ring.seal(storeKey()),
      () => issuer.sign({}),
      () => revocations.isRevoked({ sid: sessionId }),
      () => revocations.revokeKeySync('kid'),
    ]) {
      assert.throws(call, closed, `${call}`);
    }
    for (const call of [
      () => store.backup(`${at}-copy`),
      () => ring.rotate({ force: true }),
      () => ring.ready(),
      () => issuer.signAsync({}),
      () => revocations.revokeSubject('ada'),
      () => sessions.start('ada'),
      () => sessions.refresh(refreshToken),
      () => sessions.refresh('no token', { claims: {} }),
      () => sessions.end(sessionId),
      () => sessions.endByRefreshToken(refreshToken),
      () => sessions.endAll('ada'),
      () => sessions.endAll('nobody'),
      () => sessions.list('ada'),
    ]) {
      await assert.rejects(call, closed, `${call}`);
    }
    for (const verifier of verifiers) assert.equal(verifier.tryVerify(ofRing).code, UNANSWERED);
    assert.equal(service.judgeToken(accessToken), UNANSWERED);
    const several = new JwtVerifiers({ ring: verifiers[0] });
    assert.equal(several.tryVerify(ofRing).code, UNANSWERED);
    assertNoDescriptors(at);

    // Another opening does not bring the old objects back.
    const again = await openEverything(at, onStoreError);
    await assert.rejects(sessions.refresh(refreshToken), closed);
    assert.throws(() => ring.list(), closed);
    assert.equal((await again.service.sessions.refresh(refreshToken)).status, 'rotated');
    await again.service.close();
    assertNoDescriptors(at);
  });
}

test('calls that are on their way when a store closes leave no file behind', async (t) => {
  const at = storePath(t);
  for (let round = 0; round < 20; round += 1) {
    const { service, ring, pair } = await openEverything(at, 'deny');
    const calls = [
      service.sessions.refresh(pair.refreshToken),
      service.sessions.start('ada'),
      service.sessions.endAll('ada'),
      service.sessions.list('ada'),
      service.revocations.revokeSubject('ada'),
      ring.rotate({ force: true }),
    ];
    const settled = Promise.allSettled(calls);
    await service.close();
    for (const { reason } of await settled) {
      if (reason !== undefined) assert.equal(reason.code, 'ERR_STORE_CLOSED', reason.stack);
    }
    assertNoDescriptors(at);
  }
});
