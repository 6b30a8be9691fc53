'use strict';

// The entry point of the service that keeps the audit trail. It speaks to one workload only.

const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const https = require('node:https');
const path = require('node:path');

const { JwtVerifier, RemoteJwks } = require('@nodesec/native');

const { fetchWith } = require('./fetch-with.js');
const { dropPermissions, hardenProcess } = require('./harden.js');
const { MUTUAL, admit, present } = require('./mutual-tls.js');
const { ACCOUNTS_ID, ISSUER, TRAIL_ID } = require('./names.js');
const { commandLine, logTrail, run } = require('./serve.js');
const { openRecords } = require('./trail-records.js');
const { openWorkload } = require('./workload.js');

run('trail', async () => {
  const { certificates, data, framework, host, jwks, port } = commandLine(['data', 'certificates'], {
    jwks: 'https://127.0.0.1:8443/.well-known/jwks.json',
  });
  hardenProcess();
  logTrail('trail');
  const workload = openWorkload(path.join(certificates, 'identity.pem'));
  const records = openRecords(path.join(data, 'trail.jsonl'));
  const authorities = readFileSync(path.join(certificates, 'bundle.pem'), 'utf8');
  const verifier = new JwtVerifier({
    keys: new RemoteJwks(jwks, { fetch: fetchWith(authorities), cooldown: '1s' }),
    algorithms: ['EdDSA'],
    issuer: ISSUER,
    audience: TRAIL_ID,
    typ: 'at+jwt',
  });

  const { createTrailApp } = require(`./${framework}/trail.js`);
  const server = await createTrailApp({ records, verifier }, (handler) => {
    return https.createServer({ ...MUTUAL, requestTimeout: 10_000 }, handler);
  });
  present(server, workload);
  admit(server, [ACCOUNTS_ID]);
  server.listen({ host, port: Number(port) });
  await once(server, 'listening');
  dropPermissions([]);

  async function close() {
    await records.close();
    workload.close();
  }
  return { server, close };
});
