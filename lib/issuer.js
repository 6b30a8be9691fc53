'use strict';

const { native, settled, snapshot } = require('./native.js');
const { claimsText, headerText } = require('./token.js');
const { Uncloneable } = require('./uncloneable.js');

class JwtIssuer extends Uncloneable {
  #sign;

  constructor(options) {
    super();
    native.issuerAttach(this, options);
    this.#sign = native.issuerBind(this);
  }

  sign(claims, overrides) {
    const text = claimsText(claims);
    if (overrides === undefined) return settled(this.#sign(text));
    const given = snapshot(overrides);
    return native.issuerSign(this, text, given, headerText(given));
  }

  async signAsync(claims, overrides) {
    const text = claimsText(claims);
    const given = snapshot(overrides);
    return native.issuerSignAsync(this, text, given, headerText(given));
  }
}

module.exports = { JwtIssuer };
