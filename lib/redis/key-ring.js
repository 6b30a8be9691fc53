'use strict';

const { construct } = require('../construct.js');
const { makeError } = require('../errors.js');
const { KeyRing } = require('../key-ring.js');
const { native, snapshot } = require('../native.js');
const { RingLink } = require('./ring-link.js');

class RedisKeyRing extends KeyRing {
  /** Makes the changes. */
  #link;

  constructor(options) {
    super(options);
    if (native.keyringIsOnServer(this)) return;
    const message = 'RedisKeyRing cannot be constructed: use RedisKeyRing.open';
    throw makeError('ERR_INVALID_ARG_VALUE', message);
  }

  static async open(options) {
    const link = new RingLink(options);
    const carrier = await link.start();
    const ring = construct(RedisKeyRing, (made) => native.keyringFromCarrier(made, carrier));
    ring.#link = link;
    return ring;
  }

  async addAsync(key, options) {
    await this.#link.change('add', key, snapshot(options));
  }

  async revokeAsync(kid) {
    await this.#link.change('revoke', kid);
  }

  async rotate(options) {
    return { kid: await this.#link.change('rotate', undefined, snapshot(options)) };
  }

  async configure(options) {
    await this.#link.change('configure', undefined, snapshot(options));
  }

  status() {
    return this.#link.status();
  }

  async close() {
    await this.#link.close();
  }
}

module.exports = { RedisKeyRing };
