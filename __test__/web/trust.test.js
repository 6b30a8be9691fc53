'use strict';

// Settings of trusted proxies that cannot judge every address.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { LoginThrottle, RateLimiter } = require('@nodesec/native');
const { rateLimit } = require('@nodesec/native/express');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS } = require('../helpers/web.js');

/** A setting that knows these addresses only, and throws for others. */
const knowing = (isKnown) => (address) => {
  if (isKnown(address)) return true;
  throw new TypeError(`not an address of the machine room: ${address}`);
};
const isLocal = (address) => address === '127.0.0.1';
/** Requests of the machine itself are judged, and so are all addresses of IPv6. */
const isSix = (address) => isLocal(address) || address.includes(':');
const limiter = () => new RateLimiter({ limit: 2, windowMs: 60_000 });

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  const json = { 'content-type': 'application/json' };
  const body = JSON.stringify({ status: 200 });

  test(`${version}: a setting that throws for strangers trusts not everybody`, async (t) => {
    const login = { throttle: new LoginThrottle(), account: () => 'ann' };
    const { get, send } = await service(t, { trust: knowing(isLocal), limits: [{ limiter: limiter() }], login });
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    assert.equal((await get('/', headers)).status, 200);
    const answer = await send('/login', { method: 'POST', headers: { ...headers, ...json }, body });
    assert.equal(answer.status, 200);
    assert.equal((await get('/', headers)).status, 429);
  });

  test(`${version}: a setting that trusts all of a family trusts everybody, though it throws for the other`, async (t) => {
    const trust = knowing(isSix);
    const parts = { limits: [{ limiter: limiter() }] };
    const throttled = { login: { throttle: new LoginThrottle(), account: () => 'ann' } };
    if (version.startsWith('Express')) {
      assert.equal((await (await service(t, { ...parts, trust })).get('/')).status, 500);
      const { send } = await service(t, { ...throttled, trust });
      assert.equal((await send('/login', { method: 'POST', headers: json, body })).status, 500);
      const app = EXPRESS[version]().set('trust proxy', trust);
      assert.throws(() => rateLimit(parts.limits[0]).assertConfigured(app), coded('ERR_INVALID_ARG_VALUE'));
      return;
    }
    for (const each of [parts, throttled]) {
      await assert.rejects(service(t, { ...each, trust }), coded('ERR_INVALID_ARG_VALUE'));
    }
  });
}
