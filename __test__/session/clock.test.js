'use strict';

// Sessions whose tokens are from a clock that is ahead of the list's.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions, Store } =
  require('@nodesec/native');
const { storeKey, storePath } = require('../helpers/store-service.js');

const REVOKED = 'ERR_JWT_REVOKED';
const SECONDS = 1000;

/** Two `Sessions` on one list, whose own clock and whose issuer's clock are ahead by so much. */
async function makeSessions(t, isDurable, { issuer = 0, sessions = 0 }) {
  const store = isDurable ? await Store.open(storePath(t), { key: storeKey() }) : undefined;
  const on = store === undefined ? {} : { store };
  const clock = (ahead) => () => new Date(Date.now() + ahead);
  // All sessions on a store have one clock.
  const clockOfSessions = clock(sessions);
  const revocations = new RevocationList({ ...on, maxEntries: 4, onFull: 'reject-older' });
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const make = (ahead) =>
    new Sessions({
      issuer: new JwtIssuer({ keys, expiresIn: '10m', clock: clock(ahead) }),
      revocations,
      clock: clockOfSessions,
      ...on,
    });
  const checks = { keys, issuer: false, audience: false, clockTolerance: '5m', revocations };
  const verifier = new JwtVerifier(checks);
  return { ahead: make(issuer), other: make(0), revocations, verifier, store };
}

const ENDS = {
  end: ({ ahead }, { sessionId }) => ahead.end(sessionId),
  endByRefreshToken: ({ ahead }, { refreshToken }) => ahead.endByRefreshToken(refreshToken),
  reuse: ({ ahead }, { refreshToken }) => ahead.refresh(refreshToken),
  endAll: ({ ahead }) => ahead.endAll('ada'),
  // As another process, whose issuer has the right clock.
  other: ({ other }, { sessionId }) => other.end(sessionId),
};

for (const isDurable of [false, true]) {
  const place = isDurable ? 'on a store' : 'in memory';
  for (const [name, clocks] of Object.entries({
    'no clock is ahead': {},
    'the clock of the issuer is ahead': { issuer: 90 * SECONDS },
    'the clock of the sessions is ahead': { sessions: 90 * SECONDS },
    'both clocks are ahead': { issuer: 200 * SECONDS, sessions: 200 * SECONDS },
  })) {
    test(`a session that has ended stays refused when its list makes room and ${name}, ${place}`, async (t) => {
      for (const [way, end] of Object.entries(ENDS)) {
        // In memory the other does not know the session.
        if (way === 'other' && !isDurable) continue;
        const service = await makeSessions(t, isDurable, clocks);
        const { ahead, revocations, verifier, store } = service;
        const first = await ahead.start('ada');
        const { pair: second } = await ahead.refresh(first.refreshToken);
        const { pair: third } = await ahead.refresh(second.refreshToken);
        const { pair: again } = await ahead.refresh(second.refreshToken);
        const tokens = [first, second, third, again].map(({ accessToken }) => accessToken);
        const codes = () => new Set(tokens.map((token) => verifier.tryVerify(token).code));
        assert.deepEqual(codes(), new Set([undefined]), way);
        await end(service, first);
        assert.deepEqual(codes(), new Set([REVOKED]), way);
        const expires = Math.floor(Date.now() / 1000) + 600;
        for (let count = 0; count < 9; count += 1) {
          await revocations.revokeId(`${way}-${count}`, expires);
        }
        assert.ok(revocations.stats().rejectsIssuedUntil > 0, 'the list has not made room');
        assert.deepEqual(codes(), new Set([REVOKED]), way);
        await store?.close();
      }
    });
  }
}
