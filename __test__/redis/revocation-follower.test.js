'use strict';

// The comparison of a stream with the entries that were read of it, on servers that count their
// entries, and on one of version 6, which does not.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RevocationFollower } = require('../../lib/redis/revocation-follower.js');
const { START, isLater } = require('../../lib/redis/stream-id.js');

/** An entry with an id of this time. */
function entry(ms, text) {
  return { id: { ms: BigInt(ms), seq: 0n }, text };
}

/** A follower of an empty stream, whose answers of `info` have these members. */
async function following(members) {
  const answers = { last: START, ...members };
  const log = {
    after: async () => [],
    growPages() {},
    info: async () => ({ ...answers }),
    lasting: async () => {},
  };
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

/** A follower of a stream with entries, which a test may replace: `stream.have(entries, added)`. */
async function followingEntries(entries) {
  const stream = {
    history: 'a',
    growPages() {},
    have(those, added) {
      Object.assign(stream, { entries: those, added });
    },
    info: async () => {
      const [oldest, newest] = [stream.entries[0], stream.entries.at(-1)];
      return { oldest, newest, last: newest.id, added: stream.added, history: stream.history };
    },
    after: async (id) => stream.entries.filter((each) => isLater(each.id, id)),
    textAt: async ({ ms }) => stream.entries.find(({ id }) => id.ms === ms)?.text,
    lasting: async () => {},
  };
  stream.have(entries, entries.length);
  let now = 1;
  const follower = new RevocationFollower({
    added() {},
    blockMs: 1000,
    isExpired: () => false,
    log: stream,
    now: () => now,
    take() {},
    wait: async (last) => [['stream', (await stream.after(last)).map(({ id, text }) => [`${id.ms}-0`, ['r', Buffer.from(text)]])]],
  });
  assert.equal(await follower.readAll(), 1);
  const later = (ms) => {
    now += ms;
  };
  return { follower, later, stream };
}

test('an entry that is missing between others was replaced, though the number of entries is right', async () => {
  const { follower, stream } = await followingEntries([entry(100, 'a'), entry(200, 'lost')]);
  stream.have([entry(100, 'a'), entry(199, 'new'), entry(300, 'newest')], 3);
  assert.equal(await follower.compare(), undefined);
  assert.equal(follower.hasRead, false);
  assert.equal(await follower.readAll(), 1);
  assert.equal(await follower.compare(), 1);
});

test('an entry that is missing before all others was trimmed', async () => {
  const { follower, stream } = await followingEntries([entry(100, 'a'), entry(200, 'b')]);
  stream.have([entry(300, 'c')], 3);
  assert.equal(await follower.compare(), 1);
  assert.equal(follower.last.ms, 300n);
});

test('after a failover without a break, a follower reads the stream again if it has read entries since it compared', async () => {
  const { follower, later, stream } = await followingEntries([entry(100, 'a')]);
  stream.have([entry(100, 'a'), entry(200, 'lost')], 2);
  assert.equal(await follower.next(true), undefined, 'it was not compared');
  stream.history = 'b';
  stream.have([entry(100, 'a'), entry(199, 'new'), entry(300, 'newest')], 3);
  later(1000);
  assert.equal(await follower.next(true), undefined);
  assert.equal(follower.hasRead, false);
  assert.equal(await follower.readAll(), 1001);
  assert.equal(await follower.compare(), 1001);
});

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
