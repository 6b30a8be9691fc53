'use strict';

// Provokes the events of passwords.

const assert = require('node:assert/strict');

const { hash, hashSync, verify } = require('@nodesec/native');
const { outcome } = require('../outcome.js');
const { FAST, PASSWORD } = require('./call.js');

module.exports = {
  async 'password.verified'() {
    const digest = await hash(PASSWORD, FAST);
    assert.ok(await verify(digest, PASSWORD));
    return { PASSWORD, digest };
  },
  async 'password.refused'() {
    const digest = await hash(PASSWORD, FAST);
    assert.ok(!(await verify(digest, 'Tr0ub4dor&3')));
    return { PASSWORD, digest, wrong: 'Tr0ub4dor&3' };
  },
  async 'password.failed'() {
    const digest = hashSync(PASSWORD, { ...FAST, timeCost: 65 });
    await outcome(() => verify(digest, PASSWORD));
    return { PASSWORD, digest };
  },
};
