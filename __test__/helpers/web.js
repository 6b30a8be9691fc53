'use strict';

// Servers of the web tests, on loopback, and a client that sends exactly what it is told.

const http = require('node:http');
const net = require('node:net');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');

/** Both versions of Express that are supported. */
const EXPRESS = { 'Express 5': require('express'), 'Express 4': require('express4') };

/**
 * Starts a server for a handler or with a server of the test's own; it ends with the test. Returns
 * `{ port, get, send, raw }`.
 */
async function serve(t, handler, server = http.createServer(handler)) {
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  t.after(() => {
    server.close();
    server.closeAllConnections?.();
  });
  const send = (path, options) => request(port, path, options);
  return { port, send, get: (path = '/', headers = {}) => send(path, { headers }), raw: (text) => raw(port, text) };
}

/** Sends a request. Resolves to `{ status, headers, body }`. */
function request(port, path, { method = 'GET', headers = {}, body, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => (text += part));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode, headers: answer.headers, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends text as it is. Resolves to the text that comes back until the server closes. */
function raw(port, text) {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1');
    socket.on('data', (part) => (answer += part));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** An issuer and a verifier of a new key; `more` are options of the verifier. */
async function tokens(more = {}, alg = 'HS256') {
  const keys = await JwtKey.generate(alg, { kid: 'k1' });
  const names = { keys, issuer: 'https://id.example', audience: 'api' };
  const issuer = new JwtIssuer({ ...names, expiresIn: '5m' });
  const verifier = new JwtVerifier({ ...names, ...more });
  const bearer = (claims = {}, overrides) => ({
    authorization: `Bearer ${issuer.sign({ sub: 'ann', ...claims }, overrides)}`,
  });
  return { bearer, issuer, keys, names, verifier };
}

/** Waits until a condition holds. */
async function until(condition) {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

module.exports = { EXPRESS, raw, request, serve, tokens, until };
