'use strict';

// A provider of keys: a real server on this machine whose responses a test controls.

const { once } = require('node:events');
const http = require('node:http');

const { JwtIssuer, JwtKey, JwtVerifier, RemoteJwks } = require('@nodesec/native');
const { keyPair } = require('./key-pairs.js');

/** A key of the provider: its JWKs, and a token that it signed. */
function providerKey(kid) {
  const { privateKey } = keyPair('ed25519');
  const key = JwtKey.fromKeyObject(privateKey, { alg: 'EdDSA', kid });
  const token = new JwtIssuer({ keys: key, expiresIn: '10h' }).sign({ sub: kid });
  return { kid, token, jwk: key.toPublicJwk(), privateJwk: privateKey.export({ format: 'jwk' }) };
}

class KeyServer {
  /** The keys that are published now. */
  keys = [];
  /** The headers of every response. */
  headers = {};
  /** The requests received so far. */
  requests = [];
  #server = http.createServer((request, response) => {
    this.requests.push(request);
    this.answer(request, response);
  });

  /** Starts a server. It closes when the test ends. */
  static async start(t, keys = []) {
    const server = new KeyServer();
    server.keys = keys;
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    t.after(() => server.close());
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/keys`;
  }

  get port() {
    return this.#server.address()?.port ?? this.closedPort;
  }

  /** Answers a request. A test may replace this method. */
  answer(request, response) {
    response.writeHead(200, { 'content-type': 'application/json', ...this.headers });
    response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  }

  close() {
    this.closedPort = this.port;
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A RemoteJwks for the server, a verifier that uses it, and its events. */
function consumer(server, options) {
  const events = [];
  const remote = new RemoteJwks(server.url, { onEvent: (event) => events.push(event), ...options });
  const verifier = new JwtVerifier({ keys: remote, issuer: false, audience: false });
  const code = (token) => verifier.tryVerify(token).code;
  const codeAsync = async (token) => (await verifier.tryVerifyAsync(token)).code;
  return { code, codeAsync, events, remote, verifier };
}

/** Mocks the clock that lib/ uses to decide when to fetch. Returns a function that advances it. */
function clock(t) {
  const now = performance.now.bind(performance);
  let ahead = 0;
  t.mock.method(performance, 'now', () => now() + ahead);
  return (seconds) => {
    ahead += seconds * 1000;
  };
}

module.exports = { KeyServer, clock, consumer, providerKey };
