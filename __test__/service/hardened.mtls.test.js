'use strict';

// TLS between the services of examples/hardened-service: their trail, with clients that are not the
// service with the accounts, with certificates that end, and with tokens that are bound to others.

const assert = require('node:assert/strict');
const { X509Certificate } = require('node:crypto');
const { once } = require('node:events');
const https = require('node:https');
const { before, describe, test } = require('node:test');
const { setTimeout } = require('node:timers/promises');

const express = require('express');

const { KeyRing, RemoteJwks, uuidv7 } = require('@nodesec/native');
const { record } = require('@nodesec/native/audit');
const { jwks } = require('@nodesec/native/express');
const { fetchWith } = require('../../examples/hardened-service/fetch-with.js');
const { requester } = require('../../examples/hardened-service/mutual-tls.js');
const names = require('../../examples/hardened-service/names.js');
const { createTrail } = require('../../examples/hardened-service/trail-client.js');
const { FRAMEWORKS } = require('../helpers/hardened.js');
const { MINUTE, authorities, connect, get, issue, trail } = require('../helpers/hardened-trail.js');
const { heard } = require('../helpers/heard.js');

const { ACCOUNTS_ID, TRAIL_ID, TRUST_DOMAIN } = names;

let authority;
let stranger;
before(async () => {
  ({ authority, stranger } = await authorities());
});

for (const framework of FRAMEWORKS) {
  describe(`the trail in ${framework}`, () => {
    test('takes records from the accounts, and gives each user its own', async (t) => {
      const { ask, tokenFor } = await trail(t, framework);
      const record = { event: 'session.started', id: uuidv7(), outcome: 'ok', time: 1, subject: 'ada' };
      const others = { ...record, id: uuidv7(), subject: 'bob' };
      const limited = { event: 'app.recorded', id: uuidv7(), outcome: 'denied', time: 2, subject: 'ada' };
      const ofNobody = { event: 'limit.denied', id: uuidv7(), outcome: 'denied', time: 2, limitKey: 'ada' };
      const append = tokenFor({ sub: ACCOUNTS_ID, scope: 'trail.append' });
      assert.equal((await ask('POST', append, [record, others, ofNobody, limited])).status, 204);
      const read = tokenFor({ sub: 'ada', scope: 'trail.read' });
      assert.deepEqual(JSON.parse((await ask('GET', read)).body), [record, limited]);
      const since = await ask('GET', read, undefined, `?since=${record.id}`);
      assert.deepEqual(JSON.parse(since.body), [limited]);
      assert.equal((await ask('POST', append, [{ ...record, outcome: 'maybe' }])).status, 400);
      assert.equal((await ask('POST', append, { ...record })).status, 400);
    });

    test('keeps the records of a user while others, and people without an account, fill the trail', async (t) => {
      const { ask, tokenFor } = await trail(t, framework);
      const make = (more) => ({ event: 'session.started', id: uuidv7(), outcome: 'ok', time: 1, ...more });
      const append = tokenFor({ sub: ACCOUNTS_ID, scope: 'trail.append' });
      const send = async (records) => assert.equal((await ask('POST', append, records)).status, 204);
      const of = async (sub, since = uuidv7()) => {
        const token = tokenFor({ sub, scope: 'trail.read' });
        return JSON.parse((await ask('GET', token, undefined, `?since=${since}`)).body);
      };
      const own = [make({ subject: 'ada' }), make({ subject: 'ada' })];
      await send(own);
      for (let number = 0; number < 115; number += 1) {
        const failed = { event: 'limit.denied', outcome: 'denied' };
        // At many names, without a name, and of a user.
        const flood = [
          (index) => ({ ...failed, limitKey: `${number} ${index}` }),
          () => failed,
          () => ({ subject: 'bob' }),
        ];
        await send(Array.from({ length: 100 }, (_, index) => make(flood[index % 3](index))));
      }
      assert.deepEqual(await of('ada'), own);
      const first = await of('bob');
      const rest = await of('bob', first.at(-1).id);
      assert.deepEqual([first.length, rest.length], [100, 100]);
      assert.ok([...first, ...rest].every(({ subject }) => subject === 'bob'));
    });

    test('refuses a token that was stolen from the accounts, also from a workload of the same id', async (t) => {
      const { ask, tokenFor, workloadOf } = await trail(t, framework);
      const stolen = tokenFor({ sub: ACCOUNTS_ID, scope: 'trail.append' });
      const other = await workloadOf(ACCOUNTS_ID);
      const record = { event: 'x', id: uuidv7(), outcome: 'ok', time: 1 };
      let answer;
      const events = await heard(async () => {
        answer = await ask('POST', stolen, [record], '', other);
      });
      assert.equal(answer.status, 401);
      const [event, ...more] = events;
      assert.deepEqual([event.event, event.kind, more], ['request.refused', 'token-bound', []]);
      assert.ok(!JSON.stringify(event).includes(stolen));
    });

    test('refuses a token without a binding, of another scope or audience', async (t) => {
      const { ask, tokenFor } = await trail(t, framework);
      const claims = { sub: ACCOUNTS_ID, scope: 'trail.append' };
      const record = { event: 'x', id: uuidv7(), outcome: 'ok', time: 1 };
      const status = async (token) => (await ask('POST', token, [record])).status;
      assert.equal(await status(tokenFor({ ...claims, scope: 'trail.read' })), 403);
      assert.equal(await status(tokenFor(claims, { audience: ACCOUNTS_ID })), 401);
      assert.equal(await status('none'), 401);
      assert.equal((await ask('GET', tokenFor(claims))).status, 403);
    });
  });
}

describe('a connection to the trail', () => {
  const clients = {
    'a workload with another id': [() => issue(`spiffe://${TRUST_DOMAIN}/web`), 'not-admitted'],
    'a workload with the same path in another trust domain': [
      () => issue('spiffe://other.example/accounts'),
      'not-admitted',
    ],
    'the trail itself': [() => issue(TRAIL_ID), 'not-admitted'],
    'a certificate of a host': [
      () => authority.issue([{ type: 'dns', value: 'accounts' }], MINUTE),
      'ERR_SPIFFE_CERTIFICATE',
    ],
    'the right id by another authority': [
      () => issue(ACCOUNTS_ID, { by: stranger }),
      'SELF_SIGNED_CERT_IN_CHAIN',
    ],
    'a certificate that has expired': [
      () => issue(ACCOUNTS_ID, { lifetimeMs: -1_000 }),
      'CERT_HAS_EXPIRED',
    ],
    'no certificate': [() => undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
  };
  for (const [name, [certificate, fault]] of Object.entries(clients)) {
    test(`is refused for ${name}, with one record`, async (t) => {
      const { port } = await trail(t, 'express');
      const pem = await certificate();
      const events = await heard(async () => {
        const answer = await connect(t, port, pem).then(get, (error) => error.code ?? 'refused');
        assert.doesNotMatch(answer, /^HTTP/);
        // The server may hear of it after the client.
        await setTimeout(50);
      });
      const [{ event, action, outcome, fields }, ...more] = events;
      assert.deepEqual([event, action, outcome, more], ['app.recorded', 'peer.refused', 'denied', []]);
      assert.equal(fields.fault, fault);
      assert.ok(!JSON.stringify(fields).includes('PRIVATE'));
    });
  }

  test('goes on when the certificate of the server is replaced, and new ones see the new', async (t) => {
    const { port, renew } = await trail(t, 'express');
    const socket = await connect(t, port, await issue(ACCOUNTS_ID));
    const first = socket.getPeerX509Certificate().serialNumber;
    await renew(await issue(TRAIL_ID));
    const next = await connect(t, port, await issue(ACCOUNTS_ID));
    assert.notEqual(next.getPeerX509Certificate().serialNumber, first);
    assert.match(await get(socket), /^HTTP\/1\.1 401/);
  });

  test('ends when the certificate of its client expires', async (t) => {
    const { port } = await trail(t, 'express');
    const socket = await connect(t, port, await issue(ACCOUNTS_ID, { lifetimeMs: 4_000 }));
    const expiry = Date.parse(new X509Certificate(socket.pem).validTo);
    assert.match(await get(socket), /^HTTP\/1\.1 401/);
    await once(socket.resume(), 'close');
    assert.ok(Date.now() >= expiry - 1, 'it has lived as long as the certificate');
  });

  test('does not resume an earlier one', async (t) => {
    const { port } = await trail(t, 'express');
    const pem = await issue(ACCOUNTS_ID);
    const first = await connect(t, port, pem);
    const sessions = [];
    first.on('session', (session) => sessions.push(session));
    await get(first);
    for (const session of [...sessions, first.getSession()]) {
      const again = await connect(t, port, pem, { session });
      assert.equal(again.isSessionReused(), false);
    }
  });

  test('is refused by the accounts if the server has another id', async (t) => {
    const { port, workloadOf } = await trail(t, 'express', { id: `spiffe://${TRUST_DOMAIN}/web` });
    const request = requester(await workloadOf(ACCOUNTS_ID), TRAIL_ID);
    t.after(() => request.close());
    await assert.rejects(request(`https://127.0.0.1:${port}/records`), /the server is not spiffe:/);
  });

  test('the accounts use the new certificate from the next connection on', async (t) => {
    const { port, workloadOf } = await trail(t, 'express');
    const workload = await workloadOf(ACCOUNTS_ID);
    const request = requester(workload, TRAIL_ID);
    t.after(() => request.close());
    const url = `https://127.0.0.1:${port}/records`;
    assert.equal((await request(url)).status, 401);
    const old = workload.thumbprint;
    await workload.renew(await issue(ACCOUNTS_ID));
    assert.notEqual(workload.thumbprint, old);
    assert.equal((await request(url)).status, 401);
  });
});

describe('events for the trail', () => {
  test('wait until it answers, and arrive in their order', async (t) => {
    const { close, keys, listen, port, read, workloadOf } = await trail(t, 'express');
    close();
    const client = createTrail({
      keys,
      url: `https://127.0.0.1:${port}`,
      workload: await workloadOf(ACCOUNTS_ID),
    });
    t.after(() => client.close());
    for (const action of ['first', 'second', 'third']) record(action, { subject: 'ada' });
    await assert.rejects(client.of('ada'));
    await listen(port);
    while ((await client.of('ada')).length < 3) await setTimeout(50);
    const records = await client.of('ada');
    assert.deepEqual(records.map(({ action }) => action), ['first', 'second', 'third']);
    assert.deepEqual(await client.of('bob'), []);
    assert.deepEqual(read().map(({ action }) => action), ['first', 'second', 'third']);
  });
});

describe('the public keys of the accounts', () => {
  test('are fetched from the holder of a certificate of the authority, and confirmed with 304', async (t) => {
    const keys = new KeyRing({ alg: 'EdDSA' });
    await keys.rotate();
    const app = express();
    const statuses = [];
    app.use((req, res, next) => {
      res.on('finish', () => statuses.push(res.statusCode));
      next();
    });
    app.use('/jwks.json', jwks({ keys }));
    const pem = await authority.issue([{ type: 'ip', value: '127.0.0.1' }], MINUTE);
    const server = https.createServer({ cert: pem, key: pem }, app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = `https://127.0.0.1:${server.address().port}/jwks.json`;
    const events = [];
    const onEvent = ({ type, changed }) => events.push([type, changed]);
    const remote = new RemoteJwks(url, { fetch: fetchWith(authority.bundle), onEvent });
    await remote.refresh();
    await remote.refresh();
    assert.deepEqual(events, [['refreshed', true], ['refreshed', false]]);
    assert.deepEqual(statuses, [200, 304]);
    const mistaken = new RemoteJwks(url, { fetch: fetchWith(stranger.bundle) });
    await assert.rejects(mistaken.refresh(), { code: 'ERR_JWT_KEYS_UNAVAILABLE' });
    assert.equal(statuses.length, 2);
  });
});
