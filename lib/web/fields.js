'use strict';

// The header fields of limits: draft-ietf-httpapi-ratelimit-headers-11 (List form, since draft 8),
// its drafts 7 and 6, and the X- fields that came before.

const { makeError } = require('../errors.js');
const { oneOf, wrongType } = require('../options.js');
const { seconds } = require('./refusal.js');

const STYLES = ['draft-8+', 'draft-7', 'draft-6', 'legacy', false];
/** Fields that are a List, to which another limiter may append its own members. */
const LISTS = new Set(['RateLimit-Policy', 'RateLimit', 'Access-Control-Expose-Headers']);
/** Text of a String of RFC 9651 that needs no escapes. */
const NAME = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

const styleOf = oneOf(STYLES);

/** Returns the fields of a result: of `RateLimiter.consume`, or of `ConcurrencyLimiter.peek`. */
function rateLimitFields(result, style = 'draft-8+') {
  styleOf(style, 'style');
  const { allowed, retryAfterMs, scope } = Object(result);
  if (typeof allowed !== 'boolean') throw wrongType('result', 'a result of a limiter');
  const limits = scope === undefined ? result.limits : [place(result)];
  if (!Array.isArray(limits) || limits.length === 0) throw wrongType('result', 'a result of a limiter');
  for (const each of limits) check(each);
  const fields = MAKERS[style]?.(limits, result) ?? {};
  if (!allowed) fields['Retry-After'] = seconds(retryAfterMs ?? 1000);
  return fields;
}

/** The numbers of a ConcurrencyLimiter, as those of a limit without a window. */
function place({ limit, remaining, scope }) {
  const name = scope === 'key' ? 'concurrency' : 'concurrency-total';
  return { name, limit, remaining: Math.max(remaining, 0), unit: 'concurrent-requests' };
}

function check(each) {
  const { name, limit, remaining } = Object(each);
  if (typeof name !== 'string' || !NAME.test(name) || !isCount(limit) || !isCount(remaining)) {
    throw makeError('ERR_INVALID_ARG_VALUE', 'result must have limits with names and whole numbers');
  }
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The seconds until units come back: the next one after a refusal, else all. */
function reset({ resetMs, retryAfterMs }) {
  const ms = retryAfterMs > 0 ? retryAfterMs : resetMs;
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}

/** The seconds of a window, at least one. */
function window({ windowMs }) {
  return windowMs === undefined ? undefined : Math.max(1, Math.ceil(windowMs / 1000));
}

/** The limit of which fields for one limit tell: that of the result's own numbers. */
function tightest(limits, { policy }) {
  return limits.find(({ name }) => name === policy?.name) ?? limits[0];
}

function parameter(name, value) {
  return value === undefined ? '' : `;${name}=${value}`;
}

/** A member of `RateLimit-Policy`. */
function policy(each) {
  const unit = each.unit && `"${each.unit}"`;
  return `"${each.name}";q=${each.limit}${parameter('qu', unit)}${parameter('w', window(each))}`;
}

/** A member of `RateLimit`. */
function state(each) {
  return `"${each.name}";r=${each.remaining}${parameter('t', reset(each))}`;
}

const MAKERS = {
  'draft-8+': (limits) => ({
    'RateLimit-Policy': limits.map(policy).join(', '),
    RateLimit: limits.map(state).join(', '),
  }),
  'draft-7': (limits, result) => {
    const each = tightest(limits, result);
    return {
      'RateLimit-Policy': policies(limits),
      RateLimit: `limit=${each.limit}, remaining=${each.remaining}, reset=${reset(each) ?? 0}`,
    };
  },
  'draft-6': (limits, result) => {
    const each = tightest(limits, result);
    return {
      'RateLimit-Policy': policies(limits),
      'RateLimit-Limit': `${each.limit}`,
      'RateLimit-Remaining': `${each.remaining}`,
      'RateLimit-Reset': `${reset(each) ?? 0}`,
    };
  },
  legacy: (limits, result) => {
    const each = tightest(limits, result);
    return {
      'X-RateLimit-Limit': `${each.limit}`,
      'X-RateLimit-Remaining': `${each.remaining}`,
      'X-RateLimit-Reset': `${Math.ceil(Date.now() / 1000) + (reset(each) ?? 0)}`,
    };
  },
};

function policies(limits) {
  return limits.map((each) => `${each.limit}${parameter('w', window(each))}`).join(', ');
}

/**
 * Sets fields beside those that are there, with functions of the framework. A List gets more
 * members. Of `Retry-After` the later one stays. A field that can tell of one limit only keeps that
 * of the limiter before.
 */
function addFields(fields, get, set) {
  for (const name of Object.keys(fields)) {
    const before = get(name);
    const value = fields[name];
    if (before === undefined) set(name, value);
    else if (name === 'Retry-After') set(name, `${Math.max(Number(before) || 0, Number(value))}`);
    else if (LISTS.has(name) && isList(name, value)) set(name, `${[before].flat().join(', ')}, ${value}`);
  }
}

/** In draft 7, `RateLimit` is no List. */
function isList(name, value) {
  return name !== 'RateLimit' || value.startsWith('"');
}

module.exports = { STYLES, addFields, rateLimitFields };
