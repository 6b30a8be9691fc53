'use strict';

const { generateKeyPairSync } = require('node:crypto');
const { after, before } = require('node:test');

const { JwtIssuer, JwtKey, RevocationList, SecretBuffer } = require('@nodesec/native');
const { RedisDpopReplayCache, RedisKeyRing, RedisRateLimiter, RedisRevocations } = require('@nodesec/native/redis');
const {
  boolean,
  duration,
  instance,
  integer,
  kind,
  name,
  options,
  or,
  secretly,
  textOrBytes,
  word,
} = require('../hostile.js');
const { emptyServer, ringServer } = require('../redis-sender.js');
const { clock, clockOptions } = require('./clock.js');

/** A client whose server allows everything. */
const client = () => ({ send: async () => [1, 0, 0, 0, 0] });
const limits = () => [{ name: 'a', limit: 5, windowMs: 1000, burst: 5 }];
const on = () => new RedisRateLimiter({ client: client(), limits: limits() });
const key = or(name, textOrBytes);
const take = { on, args: () => ['key', 1], kinds: [key, integer] };
const onKey = { on, args: () => ['key'], kinds: [key] };

const clients = kind({
  null: () => null,
  'an address': () => 'redis://localhost',
  'an object': () => ({}),
  'no function': () => ({ send: true }),
  'a function': () => () => {},
});

const quotas = {
  limit: integer,
  windowMs: integer,
  burst: integer,
  limits: {
    ...kind({
      null: () => null,
      'an object': () => ({ name: 'a', limit: 5, windowMs: 1000 }),
      'no limit': () => [],
      'too many limits': () =>
        Array.from({ length: 5 }, (_, n) => ({ name: `${n}`, limit: 5, windowMs: 1000 })),
      'an array with null': () => [null],
    }),
    members: { 0: options({ name: kind(name.refused), limit: integer, windowMs: integer, burst: integer }) },
  },
  strict: boolean,
};

/** `null` is a value of its own. */
const { null: _, ...notDurations } = duration.refused;
const durationOrNull = kind(notDurations);
const list = () => new RevocationList();
const secret = () => SecretBuffer.from(Buffer.alloc(32, 7));
const openRing = () => RedisKeyRing.open({ client: ringServer(), key: secret(), alg: 'EdDSA' });
const newKey = () => JwtKey.fromKeyObject(generateKeyPairSync('ed25519').privateKey, { alg: 'EdDSA' });
const issuer = () => {
  const keys = JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' });
  return new JwtIssuer({ keys, expiresIn: '15m' });
};
/** Closes a ring or revocations, once they are open. An open one follows the server. */
const closeOpened = async (opening) => (await Promise.resolve(opening).catch(() => {}))?.close();
let revocations;
let ring;
let closing;

before(async () => {
  const options = { client: emptyServer(), list: list(), key: secret(), maxStaleness: 60 };
  revocations = await RedisRevocations.open(options);
  ring = await openRing();
  closing = await openRing();
});
after(() => Promise.all([revocations.close(), ring.close(), closing.close()]));

module.exports = {
  'new redis.RedisRateLimiter': {
    args: () => [
      {
        client: client(),
        limits: limits(),
        strict: false,
        prefix: 'limits',
        deadlineMs: 100,
        onStoreError: 'local',
        instances: 2,
        denyCache: 10,
        ...clockOptions(),
      },
    ],
    kinds: [
      options({
        client: clients,
        ...quotas,
        prefix: kind(name.refused, {
          'a brace': () => 'limits{',
          'a long text': () => 'x'.repeat(201),
        }),
        deadlineMs: integer,
        onStoreError: word,
        instances: integer,
        denyCache: integer,
        ...clock,
      }),
    ],
  },
  'redis.RedisRateLimiter.prototype.check': take,
  'redis.RedisRateLimiter.prototype.consume': take,
  'redis.RedisRateLimiter.prototype.peek': take,
  'redis.RedisRateLimiter.prototype.refund': take,
  'redis.RedisRateLimiter.prototype.penalize': take,
  'redis.RedisRateLimiter.prototype.block': take,
  'redis.RedisRateLimiter.prototype.unblock': onKey,
  'redis.RedisRateLimiter.prototype.reset': onKey,
  'redis.RedisRateLimiter.prototype.setLimits': {
    on,
    args: () => [{ limits: limits(), strict: false }],
    kinds: [options(quotas)],
  },
  'redis.RedisRateLimiter.prototype.status': { on, args: () => [], kinds: [] },
  'new redis.RedisDpopReplayCache': {
    args: () => [{ client: client(), key: secret(), prefix: 'proofs', deadlineMs: 100 }],
    kinds: [
      options({
        client: clients,
        key: secretly(
          kind(instance(SecretBuffer, secret).refused, {
            'a short secret': () => SecretBuffer.from(Buffer.alloc(31, 7)),
          }),
        ),
        prefix: kind(name.refused, {
          'a brace': () => 'proofs{',
          'a long text': () => 'x'.repeat(201),
        }),
        deadlineMs: integer,
      }),
    ],
  },
  'redis.RedisDpopReplayCache.prototype.status': {
    on: () => new RedisDpopReplayCache({ client: client(), key: secret() }),
    args: () => [],
    kinds: [],
  },
  'new redis.RedisKeyRing': { refused: true },
  'redis.RedisKeyRing.open': {
    args: () => [
      {
        client: ringServer(),
        key: secret(),
        prefix: 'ring',
        alg: 'EdDSA',
        maxTokenTtl: '1d',
        jwksMaxAge: '10m',
        rotateEvery: '30d',
      },
    ],
    ends: closeOpened,
    kinds: [
      options({
        client: clients,
        key: secretly(instance(SecretBuffer, secret)),
        prefix: kind(name.refused, {
          'a brace': () => '{ring',
          'a long text': () => 'x'.repeat(201),
        }),
        alg: word,
        maxTokenTtl: duration,
        jwksMaxAge: duration,
        rotateEvery: duration,
      }),
    ],
  },
  'redis.RedisKeyRing.prototype.addAsync': {
    on: () => ring,
    args: () => [newKey(), { state: 'retired' }],
    kinds: [instance(JwtKey, newKey), options({ state: word })],
  },
  'redis.RedisKeyRing.prototype.revokeAsync': {
    on: () => ring,
    args: () => [ring.list()[0].kid],
    kinds: [name],
  },
  'redis.RedisKeyRing.prototype.configure': {
    on: () => ring,
    args: () => [{ rotateEvery: '30d' }],
    kinds: [options({ rotateEvery: durationOrNull })],
  },
  'redis.RedisKeyRing.prototype.rotate': {
    on: () => ring,
    args: () => [{ force: true }],
    kinds: [options({ force: boolean })],
  },
  'redis.RedisKeyRing.prototype.status': { on: () => ring, args: () => [], kinds: [] },
  'redis.RedisKeyRing.prototype.close': { on: () => closing, args: () => [], kinds: [] },
  'new redis.RedisRevocations': { refused: true },
  'redis.RedisRevocations.open': {
    args: () => [
      {
        client: emptyServer(),
        list: list(),
        maxStaleness: '2s',
        key: secret(),
        onStoreError: 'deny',
        waitReplicas: 0,
        prefix: 'revocations',
      },
    ],
    ends: closeOpened,
    kinds: [
      options({
        client: clients,
        list: instance(RevocationList, list),
        maxStaleness: duration,
        key: secretly(instance(SecretBuffer, secret)),
        onStoreError: word,
        waitReplicas: integer,
        prefix: kind(name.refused, {
          'a brace': () => 'revocations}',
          'a long text': () => 'x'.repeat(201),
        }),
      }),
    ],
  },
  'new redis.RedisSessions': {
    args: () => [
      {
        client: client(),
        issuer: issuer(),
        revocations: list(),
        key: secret(),
        prefix: 'sessions',
        deadlineMs: 100,
        refreshTtl: '30d',
        idleTtl: '7d',
        grace: 30,
        retryUntilUsed: true,
        maxSessionsPerSubject: 5,
        onSessionLimit: 'end-oldest',
        ...clockOptions(),
      },
    ],
    kinds: [
      options({
        client: clients,
        issuer: instance(JwtIssuer, issuer),
        revocations: instance(RevocationList, list),
        key: secretly(instance(SecretBuffer, secret)),
        prefix: kind(name.refused, {
          'a brace': () => 'sessions}',
          'a long text': () => 'x'.repeat(201),
        }),
        deadlineMs: integer,
        refreshTtl: duration,
        idleTtl: duration,
        grace: duration,
        retryUntilUsed: boolean,
        maxSessionsPerSubject: integer,
        onSessionLimit: word,
        ...clock,
      }),
    ],
  },
  'redis.RedisRevocations.prototype.status': { on: () => revocations, args: () => [], kinds: [] },
  'redis.RedisRevocations.prototype.close': { on: () => revocations, args: () => [], kinds: [] },
};
