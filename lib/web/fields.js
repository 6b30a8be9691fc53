'use strict';

// The header fields of limits: draft-ietf-httpapi-ratelimit-headers-11 (List form, since draft 8),
// its drafts 7 and 6, and the X- fields that came before.

const { makeError } = require('../errors.js');
const { oneOf, wrongType } = require('../options.js');
const { seconds } = require('./refusal.js');

const STYLES = ['draft-8+', 'draft-7', 'draft-6', 'legacy', false];
/** Text of a String of RFC 9651 that needs no escapes. */
const NAME = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

const styleOf = oneOf(STYLES);

/** Returns the fields of a result: of `RateLimiter.consume`, or of `ConcurrencyLimiter.peek`. */
function rateLimitFields(result, style) {
  return fieldsOf(result, style, Date.now);
}

/** As {@link rateLimitFields}, for a limiter whose clock shows `now`, in milliseconds. */
function fieldsOf(result, style = 'draft-8+', now) {
  styleOf(style, 'style');
  const { allowed, retryAfterMs, scope } = Object(result);
  if (typeof allowed !== 'boolean') throw wrongType('result', 'a result of a limiter');
  const limits = scope === undefined ? result.limits : [place(result)];
  if (!Array.isArray(limits) || limits.length === 0) throw wrongType('result', 'a result of a limiter');
  for (const each of limits) check(each);
  const fields = MAKERS[style]?.(limits, result, now) ?? {};
  if (!allowed) fields['Retry-After'] = seconds(Number.isFinite(retryAfterMs) ? retryAfterMs : 1000);
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
  const wait = wholeSeconds(retryAfterMs);
  return wait > 0 ? wait : wholeSeconds(resetMs);
}

/** The seconds of a window, at least one. */
function window({ windowMs }) {
  const found = wholeSeconds(windowMs);
  return found === 0 ? 1 : found;
}

/** Undefined if a limiter does not tell the time. */
function wholeSeconds(ms) {
  return Number.isFinite(ms) && ms >= 0 ? Math.ceil(ms / 1000) : undefined;
}

/** The limit of which fields for one limit tell: that of the result's own numbers. */
function tightest(limits, { policy }) {
  const least = (one, other) => (other.remaining < one.remaining ? other : one);
  return limits.find(({ name }) => name === policy?.name) ?? limits.reduce(least);
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
  legacy: (limits, result, now) => {
    const each = tightest(limits, result);
    return {
      'X-RateLimit-Limit': `${each.limit}`,
      'X-RateLimit-Remaining': `${each.remaining}`,
      'X-RateLimit-Reset': `${Math.ceil(now() / 1000) + (reset(each) ?? 0)}`,
    };
  },
};

function policies(limits) {
  return limits.map((each) => `${each.limit}${parameter('w', window(each))}`).join(', ');
}

module.exports = { STYLES, fieldsOf, rateLimitFields };
