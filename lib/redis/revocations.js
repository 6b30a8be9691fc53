'use strict';

const { attach, construct } = require('../construct.js');
const { makeError } = require('../errors.js');
const { Uncloneable } = require('../uncloneable.js');
const { RevocationLink } = require('./revocation-link.js');

class RedisRevocations extends Uncloneable {
  #link;

  constructor(options) {
    super();
    attach(this, options, () => {
      const message = 'RedisRevocations cannot be constructed: use RedisRevocations.open';
      throw makeError('ERR_INVALID_ARG_VALUE', message);
    });
  }

  static async open(options) {
    const link = new RevocationLink(options);
    await link.start();
    return construct(RedisRevocations, (revocations) => {
      revocations.#link = link;
    });
  }

  status() {
    return this.#link.status();
  }

  async close() {
    await this.#link.close();
  }
}

module.exports = { RedisRevocations };
