'use strict';

const Fastify = require('fastify');

const {
  DpopReplayCache,
  JwtIssuer,
  JwtKey,
  JwtVerifier,
  KeyRing,
  LoginThrottle,
  RateLimiter,
  RevocationList,
  Sessions,
  WebError,
} = require('@nodesec/native');
const { NodesecStore } = require('@nodesec/native/express');
const { NodesecFastifyStore } = require('@nodesec/native/fastify');
const { DpopProofs } = require('@nodesec/native/web');
const {
  anything, boolean, callback, duration, integer, kind, name, names, options, or, record, word,
} = require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');

const key = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
const verifier = new JwtVerifier({ keys: key, issuer: 'me', audience: 'api' });
const keys = new KeyRing({ alg: 'ES256' });
const replay = new DpopReplayCache({ maxEntries: 100 });

const apiOrigins = kind(callback.refused, {
  'a string': () => 'https://api.example',
  'a number': () => [42],
  'no origins': () => [],
  'a URL': () => ['https://api.example/'],
  'any origin': () => ['*'],
});

/** An object that has the methods of a class. */
const object = kind(callback.refused, { 'a function': () => () => 1 });
const listOrWord = or(names, kind({ 'no words': () => [], 'words with spaces': () => 'a b' }));
const realm = or(name, kind({ 'a quote': () => 'a"b', 'two lines': () => 'a\r\nb', 'a long text': () => 'a'.repeat(257) }));
/** Text of a request, of any length. */
const text = kind({ 'a number': () => 42, null: () => null, 'an object': () => ({}) });
const result = () => new RateLimiter({ limit: 1, windowMs: 1000 }).consume('a');

const store = () => {
  const made = new NodesecStore();
  made.init({ windowMs: 1000 });
  return made;
};
// Any primitive value is a key, as express-rate-limit allows.
const anyPrimitive = kind({
  'an object': () => ({}),
  'an array': () => ['a'],
  bytes: () => new Uint8Array(1),
  'a function': () => () => 'a',
});
const ofStore = { on: store, args: () => ['a'], kinds: [anyPrimitive] };

const authentication = () => ({
  verifier,
  from: 'both',
  cookie: 'at',
  required: true,
  scope: ['a'],
  acr: ['a'],
  maxAuthAge: '5m',
  getCertificate: () => undefined,
  dpop: { mode: 'accept', maxAge: '30s', nonce: true, replay, origins: ['https://api.example'], url: () => 'https://api.example/' },
  realm: 'api',
});
const authenticationKinds = options({
  verifier: object,
  from: word,
  cookie: or(name, kind({ 'a pair': () => 'a=b' })),
  required: boolean,
  scope: listOrWord,
  acr: listOrWord,
  maxAuthAge: duration,
  getCertificate: callback,
  dpop: options({
    // In place of `accept`, because proofs are no demand on a token in a cookie.
    mode: or(word, kind({ 'require beside a cookie': () => 'require' })),
    maxAge: or(duration, kind({ 'two hours': () => '2h' })),
    nonce: boolean,
    replay: object,
    origins: apiOrigins,
    url: callback,
  }),
  realm,
});
const limiting = () => ({
  limiter: new RateLimiter({ limit: 1, windowMs: 1000 }),
  key: () => 'a',
  cost: 1,
  skip: () => false,
  refundOn: () => false,
  headers: 'draft-8+',
  enforce: true,
  handler: () => {},
});
const limitingKinds = {
  limiter: object,
  key: callback,
  cost: integer,
  skip: callback,
  refundOn: callback,
  headers: or(word, kind({ true: () => true })),
  enforce: boolean,
  handler: callback,
};
const scopes = or(name, kind({ 'two words': () => 'a b' }));
const throttling = () => ({ throttle: new LoginThrottle(), account: () => 'ann' });
const throttlingKinds = options({ throttle: object, account: callback });
const header = or(name, kind({ 'a pair': () => 'a: b', 'a long text': () => 'x'.repeat(65) }));
const correlation = () => ({ header: 'X-Request-Id', inbound: true, respond: true });
const correlationKinds = options({ header, inbound: boolean, respond: boolean });
const crossOrigin = () => ({ trustedOrigins: ['https://app.example'], bypass: () => false, strict: true });
const crossOriginKinds = options({
  trustedOrigins: kind(callback.refused, {
    'a string': () => 'https://app.example',
    'a number': () => [42],
    'no origin': () => ['app.example'],
    'a URL': () => ['https://app.example/'],
    'the opaque origin': () => ['null'],
    'any origin': () => ['*'],
  }),
  bypass: callback,
  strict: boolean,
});
const cookieName = or(name, kind({ 'a pair': () => 'a=b', 'a long text': () => 'x'.repeat(257) }));
const issuer = new JwtIssuer({ keys: key, expiresIn: '5m' });
const sessions = new Sessions({ issuer, revocations: new RevocationList(), refreshTtl: '1d' });
const sessionCookies = () => ({
  sessions,
  verifier,
  access: { name: 'at', sameSite: 'strict' },
  refresh: { name: 'rt', path: '/auth' },
});
const sessionCookiesKinds = {
  sessions: object,
  verifier: object,
  access: options({ name: cookieName, sameSite: word }),
  refresh: options({ name: cookieName, path: or(name, kind({ 'no path': () => 'auth', 'two attributes': () => '/a; b' })) }),
};
const ofFastifyStore = {
  on: () => new NodesecFastifyStore(),
  args: () => ['a', () => {}, 1000, 1],
  // An error about the key goes to the callback.
  kinds: [anything, callback],
};

module.exports = {
  'express.authenticate': {
    args: () => [authentication()],
    kinds: [authenticationKinds],
  },
  'express.auditContext': { args: () => [correlation()], kinds: [correlationKinds] },
  'express.crossOriginProtection': { args: () => [crossOrigin()], kinds: [crossOriginKinds] },
  'express.sessionCookies': { args: () => [sessionCookies()], kinds: [options(sessionCookiesKinds)] },
  'express.requireScope': { args: () => ['read'], kinds: [scopes] },
  'express.rateLimit': {
    args: () => [limiting()],
    kinds: [options(limitingKinds)],
  },
  'express.loginThrottle': {
    args: () => [throttling()],
    kinds: [throttlingKinds],
  },
  'express.jwks': { args: () => [{ keys }], kinds: [options({ keys: object })] },
  'new express.NodesecStore': {
    args: () => [{ prefix: 'a', maxKeys: 100, ...clockOptions() }],
    kinds: [options({ prefix: kind({ null: () => null, 'a number': () => 42, 'an array': () => ['a'], 'a long text': () => 'a'.repeat(257) }), maxKeys: integer, ...clock })],
  },
  'express.NodesecStore.prototype.init': {
    on: () => new NodesecStore(),
    args: () => [{ windowMs: 1000 }],
    kinds: [kind({ null: () => null, nothing: () => undefined, 'no window': () => ({}) })],
  },
  'express.NodesecStore.prototype.get': ofStore,
  'express.NodesecStore.prototype.increment': ofStore,
  'express.NodesecStore.prototype.decrement': ofStore,
  'express.NodesecStore.prototype.resetKey': ofStore,
  'express.NodesecStore.prototype.resetAll': { ...ofStore, args: () => [], kinds: [] },
  'express.NodesecStore.prototype.shutdown': { ...ofStore, args: () => [], kinds: [] },
  'fastify.authentication': {
    args: () => [Fastify(), authentication()],
    kinds: [object, authenticationKinds],
  },
  'fastify.audit': { args: () => [Fastify(), correlation()], kinds: [object, correlationKinds] },
  'fastify.crossOrigin': { args: () => [Fastify(), crossOrigin()], kinds: [object, crossOriginKinds] },
  'fastify.cookies': {
    args: () => [Fastify(), { ...sessionCookies(), routes: '/session' }],
    kinds: [
      object,
      options({ ...sessionCookiesKinds, routes: or(name, kind({ true: () => true, 'no path': () => 'auth', 'a slash': () => '/auth/' })) }),
    ],
  },
  'fastify.requireScope': { args: () => ['read'], kinds: [scopes] },
  'fastify.rateLimiting': {
    args: () => [Fastify(), { ...limiting(), hook: 'preHandler' }],
    kinds: [object, options({ ...limitingKinds, hook: word })],
  },
  'fastify.loginThrottling': {
    args: () => [Fastify(), throttling()],
    kinds: [object, throttlingKinds],
  },
  'fastify.jwksRoute': {
    args: () => [Fastify(), { keys, path: '/jwks' }],
    kinds: [object, options({ keys: object, path: or(name, kind({ 'no path': () => 'jwks' })) })],
  },
  // @fastify/rate-limit gives its own options.
  'new fastify.NodesecFastifyStore': { args: () => [{}], kinds: [] },
  'fastify.NodesecFastifyStore.with': {
    args: () => [{ maxKeys: 100, ...clockOptions() }],
    kinds: [options({ maxKeys: integer, ...clock })],
  },
  'fastify.NodesecFastifyStore.prototype.incr': ofFastifyStore,
  'fastify.NodesecFastifyStore.prototype.read': ofFastifyStore,
  'fastify.NodesecFastifyStore.prototype.child': { ...ofFastifyStore, args: () => [{}], kinds: [] },
  'web.challenge': {
    args: () => [{ scope: 'read' }, { realm: 'api', scheme: 'DPoP' }],
    kinds: [kind({ null: () => null, 'a number': () => 42, 'an object': () => ({}) }), options({ realm, scheme: word })],
  },
  'new web.DpopProofs': {
    args: () => [{ maxAge: '30s', nonce: true, replay, origins: ['https://api.example'] }],
    kinds: [options({ maxAge: or(duration, kind({ 'two hours': () => '2h' })), nonce: boolean, replay: object, origins: apiOrigins })],
  },
  'web.DpopProofs.prototype.check': {
    on: () => new DpopProofs({ replay }),
    args: () => [{ headers: {}, method: 'GET', url: 'https://api.example/', token: 'a.b.c', claims: { cnf: { jkt: 'a' } }, confirmed: ['x5t#S256'] }],
    kinds: [
      options({
        headers: kind({ null: () => null, 'a string': () => 'a' }),
        method: text,
        url: text,
        token: name,
        claims: record({}),
        confirmed: kind({ 'a string': () => 'x5t#S256', 'a number': () => [42], 'too many': () => Array(11).fill('a') }),
      }),
    ],
  },
  'web.readAuthorization': {
    args: () => [{ authorization: 'DPoP a' }],
    kinds: [kind({ null: () => null, 'a string': () => 'a', 'a symbol in it': () => ({ authorization: Symbol('a') }) })],
  },
  'web.rateLimitFields': {
    args: () => [result(), 'draft-7'],
    kinds: [object, or(word, kind({ true: () => true }))],
  },
  'web.statusOf': { args: () => [new WebError('ERR_WEB_LIMITED', '')], kinds: [anything] },
  'web.readBearer': {
    args: () => [{ authorization: 'Bearer a' }],
    kinds: [
      kind({
        null: () => null,
        'a string': () => 'a',
        'a symbol in it': () => ({ authorization: Symbol('a') }),
        'bytes in it': () => ({ authorization: [new Uint8Array(1)] }),
      }),
    ],
  },
};
