'use strict';

const { useClock } = require('./clock.js');
const { whenReady } = require('./key-ring.js');
const { native, settled, snapshot } = require('./native.js');
const { claimsText, headerText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

/** Holds the function of {@link whenIssuerReady}. Another copy of this package finds it, too. */
const WHEN_READY = Symbol.for('@nodesec/native: waits for the first key of a JwtIssuer');

class JwtIssuer extends Uncloneable {
  #clock;
  #keys;
  #sign;

  constructor(options) {
    super();
    const [given, clock] = useClock(this, options);
    native.issuerAttach(this, given);
    this.#clock = clock;
    this.#keys = given.keys;
    this.#sign = native.issuerBind(this);
  }

  [WHEN_READY](sign) {
    return whenReady(this.#keys, sign);
  }

  sign(claims, overrides) {
    const text = claimsText(claims);
    this.#clock?.read();
    if (overrides === undefined) return settled(this.#sign(text));
    const given = snapshot(overrides);
    return native.issuerSign(this, text, given, headerText(given));
  }

  async signAsync(claims, overrides) {
    const text = claimsText(claims);
    const given = snapshot(overrides);
    const header = headerText(given);
    return whenReady(this.#keys, () => {
      this.#clock?.read();
      return native.issuerSignAsync(this, text, given, header);
    });
  }
}

/** Returns the result of `sign`. If the issuer's first key is still being made, waits for it. */
function whenIssuerReady(issuer, sign) {
  return issuer[WHEN_READY](sign);
}

module.exports = { JwtIssuer, whenIssuerReady };
