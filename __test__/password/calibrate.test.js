'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: tick } = require('node:timers/promises');

const { calibrate, hash, needsRehash, passwordPool } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');

test('finds options for hash, reports every measurement, and does not hold up the loop', async () => {
  const measurements = [];
  const calibrating = calibrate({
    targetMs: 150,
    memoryCost: 32768,
    parallelism: 2,
    onProgress: (measurement) => measurements.push(measurement),
  });
  let turns = 0;
  while ((await Promise.race([calibrating, tick()])) === undefined) turns += 1;
  assert.ok(turns > 10, `${turns} turns`);
  const { options, measuredMs, withinTarget, perSecond } = await calibrating;
  assert.ok(options.memoryCost >= 19456 && options.memoryCost <= 32768);
  assert.ok(options.timeCost >= 2 && options.timeCost <= 64);
  assert.deepEqual([options.type, options.parallelism], ['argon2id', 2]);
  assert.equal(withinTarget, measuredMs <= 150);
  assert.ok(perSecond > 0);

  assert.deepEqual(
    [measurements[0].memoryCost, measurements[0].timeCost, measurements[0].parallelism],
    [32768, 2, 2],
  );
  assert.ok(measurements.every((one) => one.measuredMs > 0));
  const { type, ...costs } = options;
  assert.ok(
    measurements.some((one) => Object.entries(costs).every(([key, value]) => one[key] === value)),
  );
  assert.equal(needsRehash(await hash('password', options), options), false);
});

test('a time that nothing safe takes gives the least that is safe', async () => {
  const { options, withinTarget } = await calibrate({ targetMs: 1, memoryCost: 32768 });
  assert.deepEqual([options.memoryCost, options.timeCost], [19456, 2]);
  assert.equal(withinTarget, false);
  const small = await calibrate({ targetMs: 1, memoryCost: 9216 });
  assert.deepEqual([small.options.memoryCost, small.options.timeCost], [9216, 4]);
});

test('a target that cannot be looked for is refused', async () => {
  await assert.rejects(calibrate(), coded('ERR_MISSING_OPTION'));
  await assert.rejects(calibrate({}), coded('ERR_MISSING_OPTION'));
  for (const options of [{ targetMs: 60_001 }, { targetMs: 1, memoryCost: 7167 }]) {
    await assert.rejects(calibrate(options), coded('ERR_OUT_OF_RANGE'));
  }
});

test('memory is given in KiB as memoryCost, not in bytes as maxMemory', async () => {
  await assert.rejects(calibrate({ targetMs: 1, maxMemory: 2 ** 25 }), coded('ERR_UNKNOWN_OPTION'));
});

test('more memory than the pool may use is refused', async () => {
  const { maxMemory } = passwordPool.stats();
  passwordPool.configure({ maxMemory: 16 << 20 });
  await assert.rejects(
    calibrate({ targetMs: 100, memoryCost: 65536 }),
    coded('ERR_PASSWORD_MEMORY'),
  );
  passwordPool.configure({ maxMemory });
});

test('an error thrown by onProgress ends it', async () => {
  const mine = new Error('mine');
  const onProgress = () => {
    throw mine;
  };
  await assert.rejects(
    calibrate({ targetMs: 1, memoryCost: 7168, onProgress }),
    (error) => error === mine,
  );
});
