'use strict';

const { integer } = require('../hostile.js');

module.exports = {
  randomToken: { args: () => [32], kinds: [integer] },
  uuidv4: { args: () => [], kinds: [] },
  uuidv7: { args: () => [], kinds: [] },
};
