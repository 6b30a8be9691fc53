'use strict';

// Keys for the table of arguments, and the kinds of parameters that take keys or names of
// algorithms.

const { JwtKey } = require('@nodesec/native');
const { instance, kind, names } = require('./hostile.js');

const SECRET = new Uint8Array(32).fill(7);
const hmacKey = () => JwtKey.fromSecret(SECRET, { alg: 'HS256', kid: 'k' });
const publicJwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};

const key = instance(JwtKey, hmacKey);
const keyList = kind(key.refused, { 'an array of objects': () => [{}], 'a hole': () => new Array(1) });
const algorithmList = kind(names.refused, { 'an empty array': () => [], 'a string': () => 'EdDSA' });

module.exports = { SECRET, algorithmList, hmacKey, key, keyList, publicJwk };
