'use strict';

const { HOPS, STRANGERS } = require('../web/trust.js');

/** Settings of `trust proxy`, as Express compiles them, and whether each trusts everybody. */
const KNOWN = new WeakMap();

/** Whether an app takes any address in `X-Forwarded-For` for the client's. */
function trustsEverybody(app) {
  if (typeof app?.get !== 'function') return false;
  const trust = app.get('trust proxy fn');
  if (typeof trust !== 'function') return false;
  let known = KNOWN.get(trust);
  if (known === undefined) {
    known = STRANGERS.some((family) => trustsAll(trust, family));
    KNOWN.set(trust, known);
  }
  return known;
}

function trustsAll(trust, family) {
  try {
    return family.every((address) => trust(address, HOPS));
  } catch {
    // A setting that cannot judge these addresses judges those of clients when they come.
    return false;
  }
}

module.exports = { trustsEverybody };
