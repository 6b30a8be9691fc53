'use strict';

const { publishRefusal } = require('./audit/tokens.js');
const { native, snapshot } = require('./native.js');
const { refresherOf } = require('./key-set.js');
const { headerText, rejectionError } = require('./token.js');

/** Verifies a token and returns its payload as bytes. The payload need not be claims. */
function verifyJws(token, keys, options) {
  const payload = native.jwsVerify(token, keys, options);
  const refresher = refresherOf(keys);
  refresher?.use();
  if (typeof payload !== 'number') return payload;
  const rejection = native.jwtRejection(payload);
  refresher?.need(rejection.code);
  publishRefusal(rejection, token);
  throw rejectionError(rejection);
}

/** Signs a payload, which need not be claims. */
function signJws(payload, key, options) {
  const given = snapshot(options);
  return native.jwsSign(payload, key, given, headerText(given));
}

module.exports = { signJws, verifyJws };
