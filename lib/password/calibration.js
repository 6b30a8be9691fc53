'use strict';

const { abortable, signalOf } = require('../abort.js');
const { makeError } = require('../errors.js');
const { native, snapshot } = require('../native.js');

async function calibrate(options) {
  const given = snapshot(options);
  const signal = signalOf(given);
  const search = {};
  native.calibrationBegin(search, given);
  const { targetMs, onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'onProgress must be a function');
  }
  const measure = () => abortable(signal, (job) => native.calibrationMeasure(search, job));
  while (!native.calibrationIsDone(search)) {
    const measurement = await measure();
    onProgress?.(measurement);
  }
  // Measures the options found: first one hash alone, then as many at once as threads and memory
  // allow.
  const { measuredMs, ...costs } = await measure();
  const { threads, maxMemory } = native.passwordPoolStats();
  const atOnce = Math.max(1, Math.min(threads, Math.floor(maxMemory / (costs.memoryCost * 1024))));
  const together = await Promise.all(Array.from({ length: atOnce }, measure));
  return {
    options: { type: 'argon2id', ...costs },
    measuredMs,
    withinTarget: measuredMs <= targetMs,
    perSecond: together.reduce((sum, one) => sum + 1000 / one.measuredMs, 0),
  };
}

module.exports = { calibrate };
