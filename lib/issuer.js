'use strict';

const native = require('./load.js');
const { claimsText } = require('./token.js');
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
    return overrides === undefined ? this.#sign(text) : native.issuerSign(this, text, overrides);
  }

  async signAsync(claims, overrides) {
    return native.issuerSignAsync(this, claimsText(claims), overrides);
  }
}

module.exports = { JwtIssuer };
