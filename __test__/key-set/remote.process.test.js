'use strict';

// RemoteJwks in processes and threads of its own: which certificates TLS trusts, and how long a
// process lives.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const https = require('node:https');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { RemoteJwks } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { KeyServer, providerKey } = require('../helpers/key-server.js');

/** The self-signed key and certificate of a server on this machine, valid from 2020 to 2120. */
const PEM = path.join(__dirname, '..', 'vectors', 'localhost.pem');
const one = providerKey('one');

/**
 * A script that verifies `token` with the keys at `url`, prints the result, and has no more to do.
 */
const script = (url, token, options) => `
  const { JwtVerifier, RemoteJwks } = require('@nodesec/native');
  const remote = new RemoteJwks(${JSON.stringify(url)}, ${JSON.stringify(options)});
  const verifier = new JwtVerifier({ keys: remote, issuer: false, audience: false });
  verifier.tryVerifyAsync(${JSON.stringify(token)}).then(({ code = 'ok' }) => {
    const { lastError } = remote.status();
    console.log(code, lastError?.cause?.cause?.code ?? lastError?.message ?? '');
  });
`;

const ended = (result, output) => {
  const { code, signal, stderr, stdout } = result;
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  assert.match(stdout, output);
};

test('https works with an authority of one’s own', async (t) => {
  const pem = readFileSync(PEM);
  const server = https.createServer({ key: pem, cert: pem }, (request, response) => {
    response.end(JSON.stringify({ keys: [one.jwk] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();
  const trusted = { NODE_EXTRA_CA_CERTS: PEM };
  const run = (url, env) => runScript(script(url, one.token), { env });
  ended(await run(`https://127.0.0.1:${port}/`, trusted), /^ok \n$/);
  const untrusted = await run(`https://127.0.0.1:${port}/`, { NODE_EXTRA_CA_CERTS: '' });
  ended(untrusted, /^ERR_JWT_KEYS_UNAVAILABLE DEPTH_ZERO_SELF_SIGNED_CERT\n$/);
});

test('a process ends when its work does', async (t) => {
  const server = await KeyServer.start(t, [one]);
  ended(await runScript(script(server.url, one.token)), /^ok \n$/);
  server.answer = () => {};
  const result = await runScript(script(server.url, one.token, { timeoutMs: 100 }));
  ended(result, /^ERR_JWT_KEYS_UNAVAILABLE .*100 ms\n$/);
});

test('a thread has keys of its own', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const source = `
    const { parentPort } = require('node:worker_threads');
    console.log = (...words) => parentPort.postMessage(words.join(' '));
    ${script(server.url, one.token)}
  `;
  const answers = [1, 2].map(async () => {
    const worker = new Worker(source, { eval: true });
    const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    return answer.trim();
  });
  assert.deepEqual(await Promise.all(answers), ['ok', 'ok']);
  assert.equal(server.requests.length, 2);
  assert.throws(() => structuredClone(new RemoteJwks(server.url)), { name: 'DataCloneError' });
});

test('a thread may be ended in the middle of a request', async (t) => {
  const server = await KeyServer.start(t, [one]);
  const asked = new Promise((resolve) => {
    server.answer = resolve;
  });
  const worker = new Worker(script(server.url, one.token), { eval: true });
  await asked;
  assert.equal(await worker.terminate(), 1);
});
