'use strict';

// The options of a clock, which several classes have.

const { boolean, callback, kind } = require('../hostile.js');

const now = () => new Date();

module.exports = {
  // One function, because a list on a store has one clock.
  clockOptions: () => ({ clock: now, allowClockInProduction: false }),
  clock: {
    clock: kind(callback.refused, {
      'a Date': () => new Date(),
      'a number of it': () => () => Date.now(),
      'a text of it': () => () => new Date().toISOString(),
      'an invalid Date of it': () => () => new Date(NaN),
      'a promise of it': () => async () => new Date(),
      'a throwing one': () => () => {
        throw new Error('thrown by a clock');
      },
    }),
    allowClockInProduction: boolean,
  },
};
