'use strict';

// Computes the table of attacks in docs/limits.md: their cost in requests, and their effect.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { RateLimiter } = require('@nodesec/native');

const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'limits.md'), 'utf8');

/** The row that begins with this text: its requests, one number or two, and its effect. */
function row(attack) {
  const line = text.split('\n').find((line) => line.startsWith(`| ${attack} |`));
  assert.ok(line, `no row for: ${attack}`);
  const [requests, effect] = line.split(' | ').slice(1);
  return [requests.split(' to ').map((each) => Number(each.replaceAll(',', ''))), effect.replace(' |', '')];
}

const START = new Date();
/** A limiter of 5 a minute on a clock that stands still. */
const limited = (options) =>
  new RateLimiter({ limit: 5, windowMs: 60_000, maxKeys: 100_000, clock: () => START, ...options });

for (const [attack, hits, cost, options] of [
  ['new keys, one request each', 1, 1, {}],
  ['new keys, 5 requests each', 5, 1, {}],
  ['new keys, one request of cost 5 each', 1, 5, {}],
  ['new keys, one request each, `burst: 1`', 1, 1, { burst: 1 }],
]) {
  test(`no blocked key is freed by ${attack}`, () => {
    const limiter = limited(options);
    const victims = Array.from({ length: 1000 }, (_, n) => `victim ${n}`);
    for (const key of victims) while (limiter.check(key));
    let requests = 0;
    for (let key = 0; key < 200_000; key++) {
      for (let hit = 0; hit < hits; hit++, requests++) limiter.check(`${key}`, cost);
    }
    const freed = victims.filter((key) => limiter.peek(key).allowed).length;
    assert.deepEqual([[requests], `${freed} of 1000 blocked keys are freed`], row(attack));
  });
}

/** The number of requests, `hits` of each new key, after which `isReached` is true. */
function price(limiter, hits, cost, isReached) {
  let requests = 0;
  for (let key = 0; ; key++) {
    for (let hit = 0; hit < hits; hit++, requests++) {
      const allowed = limiter.check(`${key}`, cost);
      if (isReached(allowed)) return requests;
    }
  }
}

/** Where in the table the first key finds no slot is chance. */
function assertWithin(requests, attack) {
  const [[least, most]] = row(attack);
  assert.ok(requests >= least && requests <= most, `${attack}: ${requests}`);
}

test('a key that has used 4 of 5 units is forgotten at the price in the table', () => {
  const limiter = limited();
  // The first of many, because where one key lies is chance as well.
  const keys = Array.from({ length: 200 }, (_, n) => `mine ${n}`);
  for (const key of keys) limiter.check(key, 4);
  const isForgotten = (key) => limiter.peek(key).remaining === 5;
  let calls = 0;
  const requests = price(limiter, 4, 1, () => (calls += 1) % 1000 === 0 && keys.some(isForgotten));
  assertWithin(requests, 'new keys, 4 requests each, until a key that has used 4 of 5 units has 5 again');
});

for (const [attack, hits, cost, options] of [
  ['new keys, 5 requests each, until a new key is refused', 5, 1, {}],
  ['new keys, one request of cost 5 each, until a new key is refused', 1, 5, {}],
  ["new keys, one request each, with `onFull: 'deny'`, until a new key is refused", 1, 1, { onFull: 'deny' }],
]) {
  test(`the price is that in the table: ${attack}`, () => {
    const limiter = limited(options);
    assertWithin(
      price(limiter, hits, cost, (allowed) => !allowed),
      attack,
    );
  });
}
