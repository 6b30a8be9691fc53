'use strict';

// The middleware and the plugins at work: each call makes one of them from its options and sends a
// request through it. So the callbacks among the options are called, with whatever they answer.

const http = require('node:http');
const net = require('node:net');

const Express = require('express');
const Fastify = require('fastify');

const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
const express = require('@nodesec/native/express');
const fastify = require('@nodesec/native/fastify');
const table = require('../helpers/arguments.js');

const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
const token = new JwtIssuer({ keys, issuer: 'me', audience: 'api', expiresIn: '1d' })
  .sign({ sub: 'ann', scope: 'a b', acr: 'a', auth_time: Math.floor(Date.now() / 1000) });

const verifier = new JwtVerifier({ keys, issuer: 'me', audience: 'api' });

/** A request with a token, in a cookie if the part looks for it there. */
const request = (part) => ({
  method: 'POST',
  url: '/login?a=b',
  headers: {
    ...(/cookie/i.test(part) ? { cookie: `at=${token}; rt=refresh` } : { authorization: `Bearer ${token}` }),
    dpop: undefined,
    host: 'api.example',
    origin: 'https://api.example',
    'sec-fetch-site': 'same-origin',
    'x-request-id': 'request-1',
  },
});

/** The request that a value describes. Node's parser lets nothing else through. */
function wellFormed(value) {
  const { method, url, headers } = Object(value);
  const fields = Object.entries(Object(headers)).filter(
    ([name, field]) => /^[\w-]+$/.test(name) && typeof field === 'string',
  );
  return {
    method: ['GET', 'POST', 'OPTIONS', 'PUT'].includes(method) ? method : 'POST',
    url: `/${text(url).replaceAll(/[^\w/?=&.%-]/g, '').replace(/^\/+/, '')}`,
    headers: Object.fromEntries(fields.map(([name, field]) => [name.toLowerCase(), text(field)])),
  };
}

function text(value) {
  return typeof value === 'string' ? value.slice(0, 8000).replaceAll(/[^\t\x20-\x7e]/g, '') : '';
}

/** Sends a request through middleware. Rejects with the error that it gives to the application. */
function throughExpress(middleware, value) {
  const { method, url, headers } = wellFormed(value);
  const socket = new net.Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: '203.0.113.7' });
  const rawHeaders = Object.entries(headers).flat();
  const req = Object.assign(new http.IncomingMessage(socket), { method, url, headers, rawHeaders });
  const res = new http.ServerResponse(req);
  return new Promise((resolve, reject) => {
    const { end } = res;
    res.end = (...args) => {
      end.apply(res, args);
      for (const event of ['finish', 'close']) res.emit(event);
      resolve();
    };
    const app = Express();
    app.use(middleware, (_, answer) => answer.end());
    app.use((error, _, answer, next) => {
      void next;
      reject(error);
      answer.end();
    });
    app(req, res);
  });
}

/** As throughExpress; `nodesec` configures the route for the plugins. */
async function throughFastify(plug, value, nodesec = {}) {
  const app = Fastify();
  try {
    await plug(app);
    app.all('/*', { config: { nodesec } }, async () => 'done');
    let failure;
    app.setErrorHandler((error, _, reply) => {
      failure = { error };
      reply.code(500).send();
    });
    await app.inject(wellFormed(value));
    if (failure !== undefined) throw failure.error;
  } finally {
    await app.close();
  }
}

/** The handlers of `sessionCookies` one after the other, as an application would mount them. */
function cookieHandlers({ middleware, refresh, logout }) {
  const all = Express();
  all.use('/login', middleware);
  return all.use('/refresh', refresh).use('/logout', logout);
}

/** Has a handler of the application that answers nothing end its answer. */
function answeringOptions(options) {
  const handler = Object.getOwnPropertyDescriptor(Object(options), 'handler')?.value;
  if (typeof handler !== 'function') return options;
  const answer = async (req, res, ...rest) => {
    try {
      return await handler(req, res, ...rest);
    } finally {
      if (!res.writableEnded) res.end();
    }
  };
  return Object.defineProperty(options, 'handler', { value: answer });
}

const EXPRESS = {
  'express.auditContext': express.auditContext,
  'express.authenticate': express.authenticate,
  'express.crossOriginProtection': express.crossOriginProtection,
  'express.jwks': express.jwks,
  'express.loginThrottle': express.loginThrottle,
  'express.rateLimit': (options) => express.rateLimit(answeringOptions(options)),
  'express.requireScope': (scope) => [express.authenticate({ verifier }), express.requireScope(scope)],
  'express.sessionCookies': (options) => cookieHandlers(express.sessionCookies(options)),
};
const FASTIFY = ['audit', 'authentication', 'cookies', 'crossOrigin', 'jwksRoute', 'loginThrottling', 'rateLimiting'];

/** The last argument of a row of the table, with a verifier and a scope that accept the token. */
function optionsOf(name) {
  if (name === 'express.requireScope') return 'a';
  const options = table[name].args().at(-1);
  if ('verifier' in options) return { ...options, verifier };
  // The handler of the table answers nothing.
  return name === 'express.rateLimit' ? { ...options, handler: (_, res) => res.end() } : options;
}

/** Rows of the table of arguments, and the functions that they are for. */
function* requests() {
  for (const [name, make] of Object.entries(EXPRESS)) {
    const call = (_, [options, value]) => throughExpress(make(options), value);
    const args = () => [optionsOf(name), request(name)];
    yield { name: `${name} at a request`, row: { args }, call };
  }
  for (const plugin of FASTIFY) {
    const login = plugin === 'loginThrottling' ? { login: true } : {};
    const call = (_, [options, value]) =>
      // Not by `register`, which itself calls options that are a function.
      throughFastify((app) => fastify[plugin](app, options), value, login);
    const args = () => [optionsOf(`fastify.${plugin}`), request(plugin)];
    yield { name: `fastify.${plugin} at a request`, row: { args }, call };
  }
  const call = (_, [scope, value]) =>
    throughFastify(async (app) => {
      await app.register(fastify.authentication, { verifier });
      app.addHook('onRequest', fastify.requireScope(scope));
    }, value);
  const args = () => ['a', request('requireScope')];
  yield { name: 'fastify.requireScope at a request', row: { args }, call };
}

module.exports = { requests };
