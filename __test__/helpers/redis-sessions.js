'use strict';

// A service with sessions on a server of Redis, in this process.

const { RevocationList } = require('@nodesec/native');
const { RedisSessions } = require('@nodesec/native/redis');
const { secretKey } = require('./redis-revocations.js');
const { service } = require('./session-behaviours.js');

/**
 * Sessions over a client, with an issuer, a verifier and a list in memory. `more` are options of
 * the sessions.
 */
function makeSessions(client, { key = secretKey(), revocations = new RevocationList(), ...more } = {}) {
  const { issuer, verifier } = service(revocations, more.clock);
  const sessions = new RedisSessions({ client, key, issuer, revocations, ...more });
  /** The code with which an access token is refused; undefined if it is accepted. */
  const judge = ({ accessToken }) => verifier.tryVerify(accessToken).code;
  const statusOf = async ({ refreshToken }) => (await sessions.refresh(refreshToken)).status;
  return { sessions, issuer, revocations, verifier, judge, statusOf };
}

module.exports = { makeSessions };
