'use strict';

// Uses each capability once, for threads and processes of any kind. Throws when one fails.

const assert = require('node:assert/strict');

async function useEverything(native = require('@nodesec/native')) {
  const { JwtIssuer, JwtKey, JwtVerifier, KeyRing, RateLimiter } = native;
  const { RemoteJwks, RevocationList, SecretBuffer, Sessions } = native;

  const pepper = SecretBuffer.random(32);
  const digest = await native.hash('password', { profile: 'test', secret: pepper });
  assert.equal(await native.verify(digest, 'password', { secret: pepper }), true);
  assert.equal(native.verifySync(digest, 'other', { secret: pepper }), false);
  pepper.dispose();

  const keys = new KeyRing({ alg: 'EdDSA', keys: [await JwtKey.generate('EdDSA')] });
  await keys.rotate();
  const revocations = new RevocationList();
  const issuer = new JwtIssuer({ keys, issuer: 'me', expiresIn: 60 });
  const verifier = new JwtVerifier({ keys, issuer: 'me', audience: false, revocations });
  const sessions = new Sessions({ issuer, revocations });
  const { accessToken, sessionId } = await sessions.start('subject');
  assert.equal(verifier.verify(accessToken).sub, 'subject');
  const remote = new RemoteJwks('https://keys.example/', {
    fetch: async () => new Response(keys.jwks().body),
  });
  const stranger = new JwtVerifier({ keys: remote, issuer: 'me', audience: false });
  assert.equal((await stranger.verifyAsync(accessToken)).sub, 'subject');
  await sessions.end(sessionId);
  assert.throws(() => verifier.verify(accessToken), { code: 'ERR_JWT_REVOKED' });

  const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
  assert.deepEqual([limiter.check('key'), limiter.check('key')], [true, false]);
  assert.notEqual(native.uuidv7(), native.uuidv4());
}

module.exports = { useEverything };
