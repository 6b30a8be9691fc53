'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { KeyRing } = require('@nodesec/native');
const { jwks } = require('@nodesec/native/express');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve } = require('../helpers/web.js');

for (const [version, express] of Object.entries(EXPRESS)) {
  test(`${version}: other methods are a 405`, async (t) => {
    const keys = new KeyRing({ alg: 'ES256' });
    const { send } = await serve(t, express().use('/jwks', jwks({ keys })));
    for (const method of ['POST', 'OPTIONS', 'DELETE']) {
      const { status, headers } = await send('/jwks', { method });
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
    }
  });
}

test('options that cannot be are refused when the route is made', () => {
  assert.throws(() => jwks(), coded('ERR_MISSING_OPTION'));
  assert.throws(() => jwks({ keys: {} }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => jwks({ ring: {} }), coded('ERR_UNKNOWN_OPTION'));
});
