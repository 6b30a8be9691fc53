'use strict';

// The comparison of a stream with what was read of it, for a server of version 6, which does not
// count its entries.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationFollower } = require('../../lib/redis/revocation-follower.js');
const { START } = require('../../lib/redis/stream-id.js');

/** A follower of an empty stream, whose answers of `info` have these members. */
async function following(members) {
  const answers = { last: START, ...members };
  const log = { after: async () => [], info: async () => ({ ...answers }), lasting: async () => {} };
  const follower = new RevocationFollower({
    added() {},
    blockMs: 1000,
    isExpired: () => false,
    log,
    now: () => 1,
    take() {},
    wait: async () => null,
  });
  assert.equal(await follower.readAll(), 1);
  return { answers, follower };
}

test('after a failover without a break, a stream that is not counted is read again', async () => {
  const { answers, follower } = await following({ history: 'a' });
  assert.equal(await follower.compare(), 1);
  answers.history = 'b';
  assert.equal(await follower.compare(), undefined);
  assert.equal(follower.hasRead, false);
  assert.equal(await follower.readAll(), 1);
  assert.equal(await follower.compare(), 1);
});

test('a stream that was missing, on a server that does not count, is read again', async () => {
  const { answers, follower } = await following({ added: 0 });
  answers.added = undefined;
  follower.broke();
  assert.equal(await follower.compare(), undefined);
  assert.equal(follower.hasRead, false);
});

test('after a failover without a break, a stream that is counted is compared', async () => {
  const { answers, follower } = await following({ history: 'a', added: 0 });
  answers.history = 'b';
  assert.equal(await follower.compare(), 1);
  assert.equal(follower.hasRead, true);
});
