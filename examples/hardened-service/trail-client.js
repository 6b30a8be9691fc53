'use strict';

// Sends the events of this process to the service that keeps the audit trail, and asks it for the
// records of one user. Both with tokens that are bound to the certificate of this service (RFC
// 8705): nobody else can use one.

const { setImmediate, setTimeout } = require('node:timers/promises');

const { JwtIssuer } = require('@nodesec/native');
const { correlationId, hashId, toPino } = require('@nodesec/native/audit');

const { ACCOUNTS_ID, ISSUER, TRAIL_ID } = require('./names.js');
const { requester } = require('./mutual-tls.js');

/** The events that wait, at most: more are dropped, and counted. */
const MAX_QUEUE = 10_000;
const AT_ONCE = 100;
const RETRY_MS = 500;

function createTrail({ keys, url, workload }) {
  const request = requester(workload, TRAIL_ID);
  const issuer = new JwtIssuer({
    keys,
    issuer: ISSUER,
    audience: TRAIL_ID,
    typ: 'at+jwt',
    expiresIn: '1m',
  });
  const tokenFor = (claims) => {
    const cnf = { 'x5t#S256': workload.thumbprint };
    return issuer.sign({ client_id: ACCOUNTS_ID, cnf, ...claims });
  };
  const ask = async (path, claims, { headers, ...options } = {}) => {
    const authorization = `Bearer ${tokenFor(claims)}`;
    return request(new URL(path, url), { ...options, headers: { ...headers, authorization } });
  };

  const queue = [];
  let dropped = 0;
  let sending;
  const push = ({ audit }) => {
    if (queue.length < MAX_QUEUE) queue.push(audit);
    else dropped += 1;
    sending ??= send().finally(() => (sending = undefined));
  };
  const stop = toPino({ info: push, warn: push, error: push });

  async function send() {
    // The events of one turn of the event loop go together.
    await setImmediate();
    while (queue.length > 0) {
      const batch = queue.slice(0, AT_ONCE);
      if (!(await isTaken(batch))) {
        if (isClosing) return;
        await setTimeout(RETRY_MS, undefined, { ref: false });
        continue;
      }
      queue.splice(0, batch.length);
      if (dropped > 0) console.error(`the trail was away: ${dropped} events were dropped`);
      dropped = 0;
    }
  }

  let isClosing = false;

  /** Whether the events are sent. If the trail does not answer, they are kept. */
  async function isTaken(batch) {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(batch);
    const claims = { sub: ACCOUNTS_ID, scope: 'trail.append' };
    const answer = await ask('/records', claims, { method: 'POST', headers, body }).catch(() => {});
    if (answer?.status !== 400 && answer?.status !== 413) return answer?.status === 204;
    // It would refuse them again, and the events behind them would wait forever.
    console.error(`the trail refuses ${batch.length} events: ${answer.body}`);
    return true;
  }

  return {
    /**
     * The records about a user, after the one with the id `since`. Rejects if the trail does not
     * give them.
     */
    async of(userId, since) {
      // The trail knows users by hashes only: it is asked for the hash, not for the user.
      const claims = { sub: hashId('subject', userId), scope: 'trail.read' };
      const query = since === undefined ? '' : `?since=${since}`;
      // The trail's own records have the id of the request that caused them.
      const id = correlationId();
      const headers = id === undefined ? {} : { 'x-request-id': id };
      const { status, body } = await ask(`/records${query}`, claims, { headers });
      if (status !== 200) throw new Error(`the trail answers ${status}`);
      return JSON.parse(body);
    },

    /** Sends the events that wait, once. */
    async close() {
      stop();
      isClosing = true;
      await sending;
      request.close();
    },
  };
}

module.exports = { createTrail };
