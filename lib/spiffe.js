'use strict';

const { X509Certificate } = require('node:crypto');
const { isProxy } = require('node:util').types;

const { makeError } = require('./errors.js');
const { native } = require('./native.js');

// The accessor of the class itself: a property that an object defines under that name is ignored.
const rawOf = Object.getOwnPropertyDescriptor(X509Certificate.prototype, 'raw')?.get;

function parseSpiffeId(uri) {
  return Object.freeze(native.spiffeParseId(uri));
}

function spiffeIdOf(certificate) {
  const isObject = certificate instanceof X509Certificate;
  return Object.freeze(native.spiffeIdOf(isObject ? derOf(certificate) : certificate));
}

function derOf(certificate) {
  try {
    if (!isProxy(certificate)) return rawOf.call(certificate);
  } catch {
    // An object that only inherits from the class has no certificate.
  }
  throw makeError('ERR_INVALID_ARG_TYPE', 'certificate must be an X509Certificate of node:crypto');
}

module.exports = { parseSpiffeId, spiffeIdOf };
