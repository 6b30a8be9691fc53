'use strict';

// The same service with our middleware and with express-oauth2-jwt-bearer. Both demand a proof.

const { auth } = require('express-oauth2-jwt-bearer');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const { authenticate } = require('@nodesec/native/express');

const SECRET = 's'.repeat(32);
const URL = 'https://api.example/orders';
const names = { issuer: 'https://id.example', audience: 'api' };
const keys = JwtKey.fromSecret(Buffer.from(SECRET), { alg: 'HS256' });
const issuer = new JwtIssuer({ keys, ...names, expiresIn: '15m' });

/** The two middlewares. In its first second, the cache of ours refuses every proof. */
function handlers() {
  return {
    '@nodesec/native': authenticate({ verifier: new JwtVerifier({ keys, ...names }), dpop: 'require' }),
    'express-oauth2-jwt-bearer': auth({
      ...names,
      secret: SECRET,
      tokenSigningAlg: 'HS256',
      dpop: { enabled: true, required: true, iatOffset: 60, iatLeeway: 30 },
    }),
  };
}

/** A request for `URL`, as far as middleware looks at it. */
function requestOf(token, dpop, scheme = 'DPoP') {
  const headers = { host: 'api.example', authorization: `${scheme} ${token}`, ...(dpop && { dpop }) };
  return {
    headers,
    rawHeaders: Object.entries(headers).flat(),
    method: 'GET',
    url: '/orders',
    originalUrl: '/orders',
    protocol: 'https',
    socket: { encrypted: true },
    query: {},
    get: (name) => headers[name.toLowerCase()],
    is: () => false,
  };
}

/** Resolves with the claims if a middleware lets a request in, and rejects if not. */
function answered(handle, request) {
  return new Promise((resolve, reject) => {
    handle(request, { setHeader() {}, set() {} }, (error) => (error === undefined ? resolve(request.auth) : reject(error)));
  });
}

/** Whether a middleware lets a request in. */
function isLetIn(handle, request) {
  return answered(handle, request).then(() => true, () => false);
}

module.exports = { URL, answered, handlers, isLetIn, issuer, requestOf };
