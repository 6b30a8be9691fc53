'use strict';

// Both ends of a TLS connection identify each other by the SPIFFE IDs in their certificates.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const tls = require('node:tls');

const { parseSpiffeId, spiffeIdOf } = require('@nodesec/native');
const { cases } = require('../vectors/x509-svids.json');

const [authority, web, database] = ['authority', 'web', 'database'].map((wanted) =>
  cases.find(({ name }) => name === wanted),
);

test('mutual TLS names the workload', async (t) => {
  const server = tls.createServer({
    ca: authority.cert,
    cert: database.cert,
    key: database.key,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');

  let serverId;
  const client = tls.connect({
    host: '127.0.0.1',
    port: server.address().port,
    ca: authority.cert,
    cert: web.cert,
    key: web.key,
    // This replaces the check of the host name, which an SVID need not contain.
    checkServerIdentity(_, { raw }) {
      serverId = spiffeIdOf(raw);
      return serverId.trustDomain === 'example.org' ? undefined : new Error('a stranger');
    },
  });
  t.after(() => client.destroy());
  const [[socket]] = await Promise.all([
    once(server, 'secureConnection'),
    once(client, 'secureConnect'),
  ]);

  assert.deepEqual(serverId, parseSpiffeId(database.uri));
  assert.deepEqual(spiffeIdOf(socket.getPeerX509Certificate()), parseSpiffeId(web.uri));
  assert.deepEqual(spiffeIdOf(socket.getPeerCertificate().raw), parseSpiffeId(web.uri));
  socket.destroy();
});
