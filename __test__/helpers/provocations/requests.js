'use strict';

// Provokes the events of tokens, proofs and requests, and those of an application.

const assert = require('node:assert/strict');

const Fastify = require('fastify');

const { JwtKey, JwtVerifier, RevocationList, createDpopProof } = require('@nodesec/native');
const { record } = require('@nodesec/native/audit');
const { audit, authentication } = require('@nodesec/native/fastify');
const { RedisDpopReplayCache } = require('@nodesec/native/redis');
const { DpopProofs } = require('@nodesec/native/web');
const { raw } = require('../web.js');
const { PASSWORD, SECRET, SUBJECT, issuer, key, replying, secretKey, verifier } = require('./call.js');

module.exports = {
  async 'token.refused'() {
    const token = issuer.sign({ sub: SUBJECT, sid: 'the-session' });
    const claims = verifier.verify(token);
    const revocations = new RevocationList();
    revocations.revokeSync(claims);
    new JwtVerifier({ keys: key, issuer: false, audience: false, revocations }).tryVerify(token);
    return { token, subject: SUBJECT, session: 'the-session', tokenId: claims.jti, SECRET };
  },
  async 'dpop.unavailable'() {
    return proved([new Error('OOM command not allowed')], 1);
  },
  async 'dpop.available'() {
    return proved([new Error('OOM command not allowed'), 'accepted'], 2);
  },
  async 'dpop.evictable'() {
    // The event comes in the turn of the event loop after the check.
    return proved(['accepted'], 1, ['maxmemory-policy', 'volatile-ttl']);
  },
  async 'request.refused'() {
    const app = Fastify();
    await app.register(authentication, { verifier, scope: 'admin' });
    const token = issuer.sign({ sub: SUBJECT, sid: 'a-session' });
    const ids = { subject: SUBJECT, session: 'a-session', tokenId: verifier.verify(token).jti };
    const { statusCode } = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
    assert.equal(statusCode, 403);
    return { ...ids, bearer: token, SECRET };
  },
  async 'request.malformed'(t) {
    const app = Fastify();
    t.after(() => app.close());
    await app.register(audit);
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${PASSWORD}\0\r\n\r\n`);
    return { PASSWORD };
  },
  async 'correlation.replaced'() {
    const app = Fastify();
    await app.register(audit);
    await app.inject({ url: '/', headers: { 'x-request-id': `${PASSWORD}\r\nSet-Cookie: a=b` } });
    return { PASSWORD };
  },
  async 'app.recorded'() {
    const ids = { subject: SUBJECT, session: 'a-session', tokenId: 'a-token-id' };
    record('invoice.read', { ...ids, outcome: 'denied', code: 'ERR_QUOTA', invoice: 17 });
    return ids;
  },
};

/**
 * Checks proofs, and returns their secrets. The client of the cache gives these replies, and throws
 * those that are errors, after that of the call with which a cache begins.
 */
async function proved(replies, count, policy = ['maxmemory-policy', 'noeviction']) {
  const scripts = replying(['accepted', ...replies]);
  const send = (args) => (args[0] === 'CONFIG' ? Promise.resolve(policy) : scripts.send(args));
  const replay = new RedisDpopReplayCache({ client: { send }, key: secretKey() });
  const proofs = new DpopProofs({ replay });
  const [request, token] = [{ method: 'GET', url: 'https://api.example/' }, 'a.b.c'];
  const key = await JwtKey.generate('EdDSA');
  for (let n = 0; n < count; n++) {
    const dpop = createDpopProof(key, { ...request, accessToken: token });
    await proofs.check({ ...request, token, headers: { dpop }, claims: { cnf: { jkt: key.kid } } });
  }
  return { SECRET, jkt: key.kid };
}
