'use strict';

// Provokes the events of sessions.

const assert = require('node:assert/strict');

const { RevocationList, Sessions } = require('@nodesec/native');
const { RedisSessions } = require('@nodesec/native/redis');
const { outcome } = require('../outcome.js');
const { StoreService, storePath } = require('../store-service.js');
const { SUBJECT, issuer, replying, secretKey } = require('./call.js');

module.exports = {
  async 'session.started'() {
    return idsOf(await newSessions().start(SUBJECT));
  },
  async 'session.refreshed'() {
    const sessions = newSessions();
    const pair = await sessions.start(SUBJECT);
    const { pair: next } = await sessions.refresh(pair.refreshToken);
    return { ...idsOf(pair), next: next.refreshToken, nextAccess: next.accessToken };
  },
  async 'session.restored'(t) {
    const at = storePath(t);
    const service = await StoreService.open(at);
    const pair = await service.sessions.start(SUBJECT);
    await service.backup(`${at}-backup`);
    const { pair: later } = await service.sessions.refresh(pair.refreshToken);
    await service.close();
    const restored = await StoreService.open(`${at}-backup`);
    assert.equal((await restored.sessions.refresh(later.refreshToken)).status, 'rotated');
    await restored.close();
    return idsOf(later);
  },
  async 'session.reused'() {
    const sessions = newSessions({ grace: 0 });
    const pair = await sessions.start(SUBJECT);
    await sessions.refresh(pair.refreshToken);
    assert.equal((await sessions.refresh(pair.refreshToken)).status, 'reuse');
    return idsOf(pair);
  },
  async 'session.expired'() {
    let now = Date.now();
    const sessions = newSessions({ idleTtl: '1m', clock: () => new Date(now) });
    const pair = await sessions.start(SUBJECT);
    now += 120_000;
    assert.equal((await sessions.refresh(pair.refreshToken)).status, 'expired');
    return idsOf(pair);
  },
  async 'session.refused'() {
    await newSessions().refresh('a-refresh-token-of-nobody');
    return { refresh: 'a-refresh-token-of-nobody' };
  },
  async 'session.ended'() {
    const sessions = newSessions();
    const pair = await sessions.start(SUBJECT);
    await sessions.end(pair.sessionId.toUpperCase());
    return { session: pair.sessionId, refresh: pair.refreshToken };
  },
  async 'session.failed'() {
    const sessions = newSessions({ maxSessions: 1 });
    const pair = await sessions.start(SUBJECT);
    await outcome(() => sessions.start(SUBJECT));
    return { SUBJECT, refresh: pair.refreshToken };
  },
  async 'session.unavailable'() {
    await outcome(() => remoteSessions([new Error('OOM command not allowed')]).list(SUBJECT));
    return { SUBJECT };
  },
  async 'session.available'() {
    const sessions = remoteSessions([new Error('OOM command not allowed'), [Date.now(), 11]]);
    await outcome(() => sessions.list(SUBJECT));
    assert.deepEqual(await sessions.list(SUBJECT), []);
    return { SUBJECT };
  },
};

/** Sessions over such a client. */
function remoteSessions(replies) {
  const key = secretKey();
  return new RedisSessions({ client: replying(replies), issuer, key, revocations: new RevocationList() });
}

function newSessions(options) {
  const revocations = new RevocationList();
  return new Sessions({ issuer, revocations, refreshTtl: '1h', ...options });
}

function idsOf({ sessionId, refreshToken, accessToken }) {
  return { session: sessionId, subject: SUBJECT, refresh: refreshToken, access: accessToken };
}
