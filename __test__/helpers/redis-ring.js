'use strict';

// Key rings on a server of Redis, for tests.

const { JwtIssuer, JwtVerifier } = require('@nodesec/native');
const { RedisKeyRing } = require('@nodesec/native/redis');
const { CLIENTS } = require('./redis-clients.js');
const { secretKey } = require('./redis-revocations.js');

const NAME = '{nodesec:keyring}';

/**
 * A ring on the server, over a client of its own, with an issuer and a verifier. `own` are
 * settings of the client, `more` options.
 */
async function openRing(t, server, { kind = 'ioredis 6', own, ...more } = {}) {
  const client = await CLIENTS[kind](t, server, own);
  return openWith(t, client, more);
}

async function openWith(t, client, more) {
  const keys = await RedisKeyRing.open({ client, key: secretKey(), alg: 'EdDSA', ...more });
  t.after(() => keys.close());
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '5m' });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, cache: true });
  return {
    client,
    keys,
    sign: () => issuer.sign({ sub: 'ada' }),
    /** The code with which a token is refused; undefined if it is accepted. */
    refusal: (token) => verifier.tryVerify(token).code,
    status: () => keys.status(),
  };
}

/** The ids of the keys in a state. */
function idsOf(keys, state) {
  return keys.list().filter((key) => key.state === state).map(({ kid }) => kid);
}

module.exports = { NAME, idsOf, openRing, openWith };
