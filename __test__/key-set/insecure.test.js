'use strict';

// Keys over plain http from another machine. The requests go to a name of another host, which a
// `fetch` of the test sends to the server on this machine.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RemoteJwks } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { KeyServer, consumer, providerKey } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');

const [one, two] = ['one', 'two'].map(providerKey);

test('plain http to another machine needs the option, whose message names it', () => {
  for (const url of ['http://keys.example/', 'http://10.0.0.1/', 'http://localhost.example/']) {
    for (const options of [undefined, {}, { allowInsecureHttp: false }]) {
      assert.throws(() => new RemoteJwks(url, options), (error) => {
        assert.match(error.message, /allowInsecureHttp/);
        return coded('ERR_INVALID_ARG_VALUE')(error);
      });
    }
    assert.deepEqual(new RemoteJwks(url, { allowInsecureHttp: true }).list(), []);
  }
  for (const url of ['ftp://keys.example/', 'http://user@keys.example/', 'file:///keys', '/keys']) {
    const make = () => new RemoteJwks(url, { allowInsecureHttp: true });
    assert.throws(make, coded('ERR_INVALID_ARG_VALUE'));
  }
});

test('with the option keys are fetched over plain http, and redirects are not followed', async (t) => {
  const elsewhere = await KeyServer.start(t, [two]);
  const server = await KeyServer.start(t, [one]);
  const seen = [];
  const fetchHere = (url, init) => {
    seen.push(url);
    return fetch(server.url, init);
  };
  const { codeAsync, remote } = consumer({ url: 'http://keys.internal/jwks' }, {
    allowInsecureHttp: true,
    fetch: fetchHere,
  });
  assert.equal(await codeAsync(one.token), undefined);
  assert.deepEqual(seen, ['http://keys.internal/jwks']);
  server.answer = (request, response) => response.writeHead(302, { location: elsewhere.url }).end();
  await assert.rejects(remote.refresh(), /200, not 302$/);
  assert.equal(elsewhere.requests.length, 0);
});

test('a process warns once, of plain http to other machines only', async () => {
  const script = `
    const { Worker } = require('node:worker_threads');
    const { RemoteJwks } = require('@nodesec/native');
    process.on('warning', ({ name, code, message }) => {
      console.log(name, code, /Use https/.test(message), message.includes('c4n4ry'));
    });
    const allowInsecureHttp = true;
    for (const url of ['https://keys.example/', 'http://localhost:1/', 'http://[::1]:1/']) {
      new RemoteJwks(url, { allowInsecureHttp });
    }
    setImmediate(() => {
      console.log('first');
      for (let n = 0; n < 3; n += 1) new RemoteJwks('http://c4n4ry.example/', { allowInsecureHttp });
      setImmediate(() => {
        const script = "const { RemoteJwks } = require('@nodesec/native');" +
          "process.on('warning', () => console.log('again'));" +
          "new RemoteJwks('http://c4n4ry.example/', { allowInsecureHttp: true });";
        new Worker(script, { eval: true });
      });
    });
  `;
  const { code, stderr, stdout } = await runScript(script);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'first\nSecurityWarning NODESEC_JWKS_HTTP true false\n');
});

test('keys come over plain http from an address that is not one of loopback', async (t) => {
  const server = await KeyServer.start(t, [one]);
  // The system connects to this machine, but the address is none of 127.0.0.0/8.
  const url = server.url.replace('127.0.0.1', '0.0.0.0');
  assert.throws(() => new RemoteJwks(url), coded('ERR_INVALID_ARG_VALUE'));
  const { codeAsync } = consumer({ url }, { allowInsecureHttp: true });
  assert.equal(await codeAsync(one.token), undefined);
});
