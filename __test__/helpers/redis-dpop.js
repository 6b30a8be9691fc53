'use strict';

// Clients and services whose proofs are remembered on a server of Redis.

const { SecretBuffer } = require('@nodesec/native');
const { RedisDpopReplayCache } = require('@nodesec/native/redis');
const { DpopProofs } = require('@nodesec/native/web');
const { client: newClient, proofOf } = require('./proofs.js');
const { until } = require('./redis-server.js');

const URL = 'https://api.example/orders';
const secret = (byte = 7) => SecretBuffer.from(Buffer.alloc(32, byte));

/** The checks of a service over a client of Redis. `more` are options of the cache. */
function serviceOn(client, { maxAge, nonce, ...more } = {}) {
  const replay = new RedisDpopReplayCache({ client, key: secret(), deadlineMs: 10_000, ...more });
  const proofs = new DpopProofs({ replay, ...(maxAge && { maxAge }), ...(nonce && { nonce }) });
  /** Resolves to the result for a request, `{ dpop, token, jkt }`. */
  const check = ({ dpop, token, jkt }) =>
    proofs.check({ headers: { dpop }, method: 'GET', url: URL, token, claims: { cnf: { jkt } } });
  return { replay, check };
}

/** A client with a key. `request(claims)` makes a request with a new proof. */
async function someone() {
  const { key, token } = await newClient();
  const request = (claims) => ({
    dpop: proofOf(key, { url: URL, token }, { claims }),
    token,
    jkt: key.kid,
  });
  return { key, token, request };
}

/** Resolves when new proofs are accepted: those of the second in which a server began are not. */
async function accepting({ check }, { request }) {
  await until(async () => (await check(request())).ok);
}

module.exports = { URL, accepting, secret, serviceOn, someone };
