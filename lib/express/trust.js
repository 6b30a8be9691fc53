'use strict';

/** Settings of `trust proxy`, as Express compiles them, and whether each trusts everybody. */
const KNOWN = new WeakMap();
/** Addresses for documentation (RFC 5737, RFC 3849), which no proxy has. */
const STRANGERS = ['192.0.2.1', '203.0.113.1', '2001:db8::1'];
/** Further away than any number of proxies. */
const HOPS = 1_000_000;

/** Whether an app takes any address in `X-Forwarded-For` for the client's. */
function trustsEverybody(app) {
  if (typeof app?.get !== 'function') return false;
  const trust = app.get('trust proxy fn');
  if (typeof trust !== 'function') return false;
  let known = KNOWN.get(trust);
  if (known === undefined) {
    known = STRANGERS.every((address) => trust(address, HOPS));
    KNOWN.set(trust, known);
  }
  return known;
}

module.exports = { trustsEverybody };
