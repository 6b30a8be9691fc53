'use strict';

const { useClock } = require('./clock.js');
const { whenReady } = require('./key-ring.js');
const { native, settled, snapshot } = require('./native.js');
const { claimsText, headerText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

/** Returns the result of `sign`. If the issuer's first key is still being made, waits for it. */
let whenIssuerReady;

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

  static {
    // An issuer of another copy of this package has no `#keys` here.
    whenIssuerReady = (issuer, sign) => (#keys in issuer ? whenReady(issuer.#keys, sign) : sign());
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

module.exports = { JwtIssuer, whenIssuerReady };
