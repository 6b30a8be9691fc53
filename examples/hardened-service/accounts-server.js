'use strict';

// The entry point of the service with the accounts and the page. platform/flags.mjs has the flags
// with which Node runs it, and start.mjs an example.

const { once } = require('node:events');
const https = require('node:https');
const path = require('node:path');

const { dropPermissions, hardenProcess } = require('./harden.js');
const { present } = require('./mutual-tls.js');
const { createSecurity } = require('./security.js');
const { commandLine, logTrail, run } = require('./serve.js');
const { createTrail } = require('./trail-client.js');
const { openWorkload } = require('./workload.js');

run('accounts', async () => {
  const options = commandLine(['data', 'secrets', 'certificates'], {
    'access-ttl': '5m',
    // For gVisor and rootless containers, which show a local disk as one of the network.
    'allow-filesystem': false,
    demonstration: false,
    limits: '',
    // The address by which programs know the service: their proofs are for no other one.
    origin: 'https://localhost:8443',
    trail: 'https://127.0.0.1:8444',
  });
  const { certificates, data, framework, host, port, secrets } = options;
  hardenProcess();
  logTrail('accounts');
  const security = await createSecurity({
    accessTtl: options['access-ttl'],
    allowFilesystem: options['allow-filesystem'],
    data,
    limits: options.limits || path.join(data, 'limits'),
    origin: options.origin,
    secrets,
  });
  const identity = openWorkload(path.join(certificates, 'identity.pem'));
  const web = openWorkload(path.join(certificates, 'web.pem'));
  const trail = createTrail({ keys: security.keys, url: options.trail, workload: identity });

  const { createApp } = require(`./${framework}/app.js`);
  const { demonstration, origin } = options;
  const parts = { ...security, demonstration, origin, trail };
  const server = await listen(createApp, parts, web, { host, port: Number(port) });
  dropPermissions([secrets]);

  async function close() {
    await trail.close();
    for (const workload of [identity, web]) workload.close();
    await security.close();
  }
  return { server, close };
});

/** Serves an app over HTTPS. Small requests come in seconds, or only hold their connection. */
async function listen(createApp, parts, web, address) {
  const limits = { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 8_192 };
  const server = await createApp(parts, (handler) => https.createServer(limits, handler));
  present(server, web);
  server.listen(address);
  await once(server, 'listening');
  return server;
}
