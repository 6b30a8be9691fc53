'use strict';

const { RateLimiter } = require('@nodesec/native');
const { integer, name, options, or, textOrBytes } = require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');

const on = () => new RateLimiter({ limit: 5, windowMs: 1000 });
const key = or(name, textOrBytes);
const take = { on, args: () => ['key', 1], kinds: [key, integer] };

module.exports = {
  'new RateLimiter': {
    args: () => [{ limit: 5, windowMs: 1000, burst: 5, maxKeys: 100, ...clockOptions() }],
    kinds: [
      options({ limit: integer, windowMs: integer, burst: integer, maxKeys: integer, ...clock }),
    ],
  },
  'RateLimiter.prototype.check': take,
  'RateLimiter.prototype.consume': take,
  'RateLimiter.prototype.peek': { on, args: () => ['key'], kinds: [key] },
  'RateLimiter.prototype.reset': { on, args: () => ['key'], kinds: [key] },
  'RateLimiter.prototype.stats': { on, args: () => [], kinds: [] },
};
