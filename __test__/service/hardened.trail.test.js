'use strict';

// The memory of the trail of examples/hardened-service: its bound, and the records that it drops.

const assert = require('node:assert/strict');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { openRecords } = require('../../examples/hardened-service/trail-records.js');

/** The records that the trail has in memory, at most: docs/hardening.md has the number. */
const IN_MEMORY = 50_000;

/** An open trail, and a function that appends records of each of `subjects`. */
function openTrail(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-trail-'));
  const file = path.join(folder, 'trail.jsonl');
  const records = openRecords(file);
  t.after(async () => {
    await records.close();
    rmSync(folder, { recursive: true, maxRetries: 5 });
  });
  let id = 0;
  const append = (subjects, more) => {
    return records.append(subjects.map((subject) => ({ id: `${(id += 1)}`, subject, ...more })));
  };
  const count = (subject) => records.of(subject, 'none').length;
  return { append, count, file, of: records.of };
}

const names = (length, prefix = 'user') => Array.from({ length }, (_, index) => `${prefix} ${index}`);

test('any number of records without a subject push out no record of a user', async (t) => {
  const { append, count, file } = openTrail(t);
  await append(['ada']);
  await append(Array(3 * IN_MEMORY).fill(undefined), { limitKey: 'ada' });
  assert.equal(count('ada'), 1);
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 3 * IN_MEMORY + 2);
});

test('a user with few records keeps them while others have more', async (t) => {
  const { append, count, of } = openTrail(t);
  await append(Array(10).fill('ada'));
  const others = names(1000);
  for (let round = 0; round < 120; round += 1) await append(others);
  assert.equal(count('ada'), 10);
  const kept = others.map(count);
  assert.equal(kept.reduce((sum, own) => sum + own), IN_MEMORY - 10);
  assert.deepEqual([Math.min(...kept), Math.max(...kept)], [49, 50]);
  // The last ones of each.
  assert.equal(of('user 999').at(-1).id, `${10 + 120 * 1000}`);
});

test('the memory is bounded also for accounts with one record each', async (t) => {
  const { append, count } = openTrail(t);
  await append(['ada', 'ada', 'ada']);
  const others = names(IN_MEMORY);
  await append(others.slice(0, -1));
  // They share what there is, one each.
  assert.equal(count('ada'), 1);
  await append(others.slice(-1));
  const all = ['ada', ...others].map(count);
  assert.equal(all.reduce((sum, own) => sum + own), IN_MEMORY);
});
