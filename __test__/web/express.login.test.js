'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { LoginThrottle } = require('@nodesec/native');
const { loginThrottle } = require('@nodesec/native/express');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve } = require('../helpers/web.js');

for (const [version, express] of Object.entries(EXPRESS)) {
  test(`${version}: an app whose clients choose their address is a 500, and a callback's error its own`, async (t) => {
    const app = express();
    app.set('trust proxy', true);
    const failing = async () => {
      throw Object.assign(new Error('mine'), { status: 418 });
    };
    app.get('/open', loginThrottle({ throttle: new LoginThrottle(), account: () => 'ann' }));
    app.set('env', 'test');
    const { get } = await serve(t, app);
    assert.equal((await get('/open')).status, 500);
    const closed = express();
    closed.use(loginThrottle({ throttle: new LoginThrottle(), account: failing }));
    assert.equal((await (await serve(t, closed)).get()).status, 418);
  });
}

test('options that cannot be are refused when the middleware is made', () => {
  const [throttle, account] = [new LoginThrottle(), () => 'ann'];
  assert.throws(() => loginThrottle({ throttle }), coded('ERR_MISSING_OPTION'));
  assert.throws(() => loginThrottle({ account }), coded('ERR_MISSING_OPTION'));
  assert.throws(() => loginThrottle({ throttle: {}, account }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => loginThrottle({ throttle, account: 'ann' }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(() => loginThrottle({ throttle, account, key: account }), coded('ERR_UNKNOWN_OPTION'));
});
