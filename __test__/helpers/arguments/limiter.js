'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after } = require('node:test');

const { ConcurrencyLimiter, LoginThrottle, RateLimiter } = require('@nodesec/native');
const {
  boolean,
  bytes,
  integer,
  kind,
  name,
  options,
  or,
  record,
  textOrBytes,
  word,
} = require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');

const on = () => new RateLimiter({ limit: 5, windowMs: 1000 });
const key = or(name, textOrBytes);
const take = { on, args: () => ['key', 1], kinds: [key, integer] };
const onKey = { on, args: () => ['key'], kinds: [key] };
const alone = { on, args: () => [], kinds: [] };

const NUMBERS = { limit: integer, windowMs: integer, burst: integer };
const limits = {
  ...kind({
    null: () => null,
    'an object': () => ({ name: 'a', limit: 5, windowMs: 1000 }),
    'no limit': () => [],
    'too many limits': () =>
      Array.from({ length: 5 }, (_, n) => ({ name: `${n}`, limit: 5, windowMs: 1000 })),
    'limits of one name': () => [
      { limit: 5, windowMs: 1000 },
      { name: 'default', limit: 50, windowMs: 60_000 },
    ],
    'an array with null': () => [null],
    'an array with a hole': () => new Array(1),
    'an incomplete limit': () => [{ name: 'a', limit: 5 }],
  }),
  members: {
    0: options({
      name: kind(name.refused, {
        'a name of several lines': () => 'a\nb',
        'a name with a quote': () => 'a"b',
        'a long name': () => 'a'.repeat(65),
      }),
      ...NUMBERS,
    }),
  },
};
const quotas = { ...NUMBERS, limits, strict: boolean };
const table = { maxKeys: integer, onFull: word, algorithm: word };
const given = () => ({
  limits: [{ name: 'a', limit: 5, windowMs: 1000, burst: 5 }],
  strict: false,
  maxKeys: 100,
  onFull: 'evict',
  algorithm: 'gcra',
});
const make = { ...quotas, ...table, ...clock };
let shared = 0;
let files = 0;
/** Of the files of limiters of the machine. */
const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-limits-'));
after(() => {
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true });
});

/** The limits of an option: one, or several. */
const { refused } = options({});
const quota = kind(refused, { 'no limits': () => ({}), 'an unknown option': () => ({ limits: [] }) });
const throttle = () => new LoginThrottle();
const ip = or(name, kind({ 'a name of a host': () => 'localhost', 'a long text': () => '1'.repeat(200) }));
const login = {
  on: throttle,
  args: () => [{ account: 'ann', ip: '192.0.2.1' }],
  kinds: [
    record({ account: or(name, kind({ 'a long text': () => 'a'.repeat(1025) })), ip }),
  ],
};
const places = () => new ConcurrencyLimiter({ max: 2, perKey: 1 });
const place = {
  on: places,
  args: () => ['key'],
  kinds: [or(key, kind({ nothing: () => undefined, 'a long text': () => 'a'.repeat(8193) }))],
};
const share = kind({ null: () => null, NaN: () => NaN, '-1': () => -1, 'a string': () => '1', 1.5: () => 1.5 });
const prefixes = { ipv4Prefix: integer, ipv6Prefix: integer };

module.exports = {
  'new RateLimiter': {
    args: () => [{ ...given(), ...clockOptions() }],
    kinds: [options(make)],
  },
  'RateLimiter.shared': {
    args: () => [`arguments ${(shared += 1) % 100}`, given()],
    kinds: [kind(name.refused, { 'a long name': () => 'a'.repeat(257) }), options({ ...quotas, ...table })],
  },
  'RateLimiter.machine': {
    // A new file needs limits; one that exists does not.
    args: () => [path.join(folder, `limits ${(files += 1)}`), given()],
    kinds: [
      kind(name.refused, {
        'a long path': () => 'a'.repeat(4097),
        'a path with NUL': () => 'a\0b',
        'a folder': () => folder,
        'a folder that is missing': () => path.join(folder, 'no', 'folder'),
        'a file of another kind': () => __filename,
      }),
      options({ ...quotas, ...table }),
    ],
  },
  'RateLimiter.restore': {
    args: () => [on().snapshot(), { ...given(), ...clockOptions() }],
    kinds: [
      kind(bytes.refused, {
        'no bytes': () => new Uint8Array(0),
        'other bytes': () => new Uint8Array(1000).fill(7),
        'a cut snapshot': () => on().snapshot().subarray(0, -1),
      }),
      options(make),
    ],
  },
  'RateLimiter.prototype.check': take,
  'RateLimiter.prototype.consume': take,
  'RateLimiter.prototype.peek': take,
  'RateLimiter.prototype.refund': take,
  'RateLimiter.prototype.penalize': take,
  'RateLimiter.prototype.block': take,
  'RateLimiter.prototype.unblock': onKey,
  'RateLimiter.prototype.reset': onKey,
  'RateLimiter.prototype.clear': alone,
  'RateLimiter.prototype.setLimits': {
    on: () => new RateLimiter({ limits: [{ name: 'a', limit: 1, windowMs: 1 }] }),
    args: () => [{ limits: [{ name: 'a', limit: 5, windowMs: 1000, burst: 5 }], strict: false }],
    kinds: [options(quotas)],
  },
  'new ConcurrencyLimiter': {
    args: () => [{ max: 2, perKey: 1 }],
    kinds: [options({ max: integer, perKey: integer })],
  },
  'ConcurrencyLimiter.prototype.acquire': place,
  'ConcurrencyLimiter.prototype.peek': place,
  'ConcurrencyLimiter.prototype.stats': { on: places, args: () => [], kinds: [] },
  'new LoginThrottle': {
    args: () => [
      {
        freeFailures: 5,
        blockMs: 60_000,
        maxBlockMs: 3_600_000,
        jitter: 0.2,
        forgetMs: 86_400_000,
        address: { limit: 20, windowMs: 60_000 },
        account: { limit: 100, windowMs: 86_400_000 },
        maxKeys: 100,
        ipv4Prefix: 32,
        ipv6Prefix: 56,
        ...clockOptions(),
      },
    ],
    kinds: [
      options({
        freeFailures: integer,
        blockMs: integer,
        maxBlockMs: integer,
        jitter: share,
        forgetMs: integer,
        address: quota,
        account: quota,
        maxKeys: integer,
        ...prefixes,
        ...clock,
      }),
    ],
  },
  'LoginThrottle.prototype.check': login,
  'LoginThrottle.prototype.success': login,
  'LoginThrottle.prototype.failure': login,
  ipKey: {
    args: () => ['192.0.2.1', { ipv4Prefix: 32, ipv6Prefix: 56 }],
    kinds: [ip, options(prefixes)],
  },
  'RateLimiter.prototype.snapshot': alone,
  'RateLimiter.prototype.stats': alone,
};
