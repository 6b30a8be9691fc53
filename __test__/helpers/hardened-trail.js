'use strict';

// The trail of examples/hardened-service in this process, over mutual TLS, and its clients.

const { once } = require('node:events');
const { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const https = require('node:https');
const { tmpdir } = require('node:os');
const path = require('node:path');
const tls = require('node:tls');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { MUTUAL, admit, present, requester } = require('../../examples/hardened-service/mutual-tls.js');
const names = require('../../examples/hardened-service/names.js');
const { openRecords } = require('../../examples/hardened-service/trail-records.js');
const { openWorkload } = require('../../examples/hardened-service/workload.js');

const { ACCOUNTS_ID, ISSUER, TRAIL_ID, TRUST_DOMAIN } = names;
const MINUTE = 60_000;

let made;

/** Two authorities of the trust domain: that of the services, and a stranger of the same name. */
function authorities() {
  made ??= makeAuthorities();
  return made;
}

async function makeAuthorities() {
  const { createAuthority } = await import('../../examples/hardened-service/platform/authority.mjs');
  return {
    authority: await createAuthority(TRUST_DOMAIN),
    stranger: await createAuthority(TRUST_DOMAIN),
  };
}

/** Signs a certificate for a workload: a PEM with its key. */
async function issue(id, { by, lifetimeMs = MINUTE } = {}) {
  const { authority } = await authorities();
  return (by ?? authority).issue([{ type: 'url', value: id }], lifetimeMs);
}

/** Serves the trail of an example in this process, over mutual TLS. */
async function trail(t, framework, { id = TRAIL_ID } = {}) {
  const { authority } = await authorities();
  const folder = mkdtempSync(path.join(tmpdir(), 'hardened-mtls-'));
  const file = path.join(folder, 'trail.jsonl');
  const records = openRecords(file);
  const ends = [() => records.close()];
  const workloadOf = async (uri) => {
    const own = mkdtempSync(path.join(folder, 'workload-'));
    writeFileSync(path.join(own, 'bundle.pem'), authority.bundle);
    const identity = path.join(own, 'identity.pem');
    writeFileSync(identity, await issue(uri), { mode: 0o600 });
    const workload = openWorkload(identity);
    ends.push(() => workload.close());
    workload.renew = (pem) => {
      const { promise: renewed, resolve } = withResolvers();
      workload.onRenewed(resolve);
      writeFileSync(`${identity}.new`, pem, { mode: 0o600 });
      renameSync(`${identity}.new`, identity);
      return renewed;
    };
    return workload;
  };

  const keys = await JwtKey.generate('EdDSA');
  const policy = { keys, issuer: ISSUER, audience: TRAIL_ID, typ: 'at+jwt' };
  const { createTrailApp } = require(`../../examples/hardened-service/${framework}/trail.js`);
  const verifier = new JwtVerifier({ ...policy, algorithms: ['EdDSA'] });
  const own = await workloadOf(id);
  let server;
  const listen = async (port) => {
    const serve = (handler) => https.createServer(MUTUAL, handler);
    server = await createTrailApp({ records, verifier }, serve);
    present(server, own);
    admit(server, [ACCOUNTS_ID]);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
  };
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  const port = await listen(0);
  t.after(async () => {
    close();
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  const accounts = await workloadOf(ACCOUNTS_ID);
  return {
    close,
    keys,
    listen,
    port,
    /** The records in the file. */
    read: () => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)),
    renew: own.renew,
    workloadOf,
    /** A token that is bound to the certificate of the accounts. */
    tokenFor(claims, more) {
      const issuer = new JwtIssuer({ ...policy, ...more, expiresIn: '1m' });
      return issuer.sign({ ...claims, cnf: { 'x5t#S256': accounts.thumbprint } });
    },
    async ask(method, token, body, query = '', workload = accounts) {
      const request = requester(workload, TRAIL_ID);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      if (body === undefined) delete headers['content-type'];
      const url = `https://127.0.0.1:${port}/records${query}`;
      try {
        return await request(url, { method, headers, body: body && JSON.stringify(body) });
      } finally {
        request.close();
      }
    },
  };
}

/** Opens a connection to the trail with a certificate, as any client may. */
async function connect(t, port, pem, options) {
  const { authority } = await authorities();
  const socket = tls.connect({
    ca: authority.bundle,
    cert: pem,
    checkServerIdentity: () => undefined,
    host: '127.0.0.1',
    key: pem,
    port,
    ...options,
  });
  socket.pem = pem;
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** Sends a request, and resolves to the first line of the answer, or why there is none. */
async function get(socket) {
  socket.write('GET /records HTTP/1.1\r\nHost: trail\r\n\r\n');
  const answered = once(socket, 'data').then(([data]) => `${data}`.split('\r\n')[0]);
  const closed = once(socket, 'close').then(() => 'closed');
  return Promise.race([answered, closed]).catch(({ code }) => code);
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}

module.exports = { MINUTE, authorities, connect, get, issue, trail };
