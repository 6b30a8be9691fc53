'use strict';

const { native, settled } = require('./native.js');
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
    return overrides === undefined
      ? settled(this.#sign(text))
      : native.issuerSign(this, text, overrides);
  }

  async signAsync(claims, overrides) {
    return native.issuerSignAsync(this, claimsText(claims), overrides);
  }
}

module.exports = { JwtIssuer };
