'use strict';

const { after, before } = require('node:test');

const { RevocationList, SecretBuffer } = require('@nodesec/native');
const { RedisRateLimiter, RedisRevocations } = require('@nodesec/native/redis');
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
const { emptyServer } = require('../redis-sender.js');
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

const list = () => new RevocationList();
const secret = () => SecretBuffer.from(Buffer.alloc(32, 7));
let revocations;

before(async () => {
  const options = { client: emptyServer(), list: list(), key: secret(), maxStaleness: 60 };
  revocations = await RedisRevocations.open(options);
});
after(() => revocations.close());

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
    ends: (opening) => opening.then((opened) => opened.close()).catch(() => {}),
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
  'redis.RedisRevocations.prototype.status': { on: () => revocations, args: () => [], kinds: [] },
  'redis.RedisRevocations.prototype.close': { on: () => revocations, args: () => [], kinds: [] },
};
