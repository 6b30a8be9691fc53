'use strict';

const { RedisRateLimiter } = require('@nodesec/native/redis');
const { boolean, integer, kind, name, or, options, textOrBytes, word } = require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');

/** A client whose server allows everything. */
const client = () => ({ send: async () => [1, 0, 0, 0, 0] });
const limits = () => [{ name: 'a', limit: 5, windowMs: 1000, burst: 5 }];
const on = () => new RedisRateLimiter({ client: client(), limits: limits() });
const key = or(name, textOrBytes);
const take = { on, args: () => ['key', 1], kinds: [key, integer] };
const onKey = { on, args: () => ['key'], kinds: [key] };

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
        client: kind({
          null: () => null,
          'an address': () => 'redis://localhost',
          'an object': () => ({}),
          'no function': () => ({ send: true }),
          'a function': () => () => {},
        }),
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
};
