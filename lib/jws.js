'use strict';

const { native } = require('./native.js');
const { refresherOf } = require('./key-set.js');
const { rejectionError } = require('./token.js');

/** Verifies a token and returns its payload as bytes. The payload need not be claims. */
function verifyJws(token, keys, options) {
  const payload = native.jwsVerify(token, keys, options);
  const refresher = refresherOf(keys);
  refresher?.use();
  if (typeof payload !== 'number') return payload;
  const rejection = native.jwtRejection(payload);
  refresher?.need(rejection.code);
  throw rejectionError(rejection);
}

module.exports = { verifyJws };
