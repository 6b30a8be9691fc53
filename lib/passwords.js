'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const native = require('./load.js');

const argon2d = 0;
const argon2i = 1;
const argon2id = 2;

const inProduction = () => process.env.NODE_ENV === 'production';

async function hash(password, options) {
  return native.passwordHash(password, options, inProduction());
}

function hashSync(password, options) {
  return native.passwordHashSync(password, options, inProduction());
}

async function verify(digest, password, options) {
  return native.passwordVerify(digest, password, options);
}

function verifySync(digest, password, options) {
  return native.passwordVerifySync(digest, password, options);
}

function needsRehash(digest, options) {
  return native.passwordNeedsRehash(digest, options, inProduction());
}

function parseHash(digest) {
  return native.passwordParseHash(digest);
}

module.exports = {
  argon2d,
  argon2i,
  argon2id,
  hash,
  hashSync,
  inProduction,
  needsRehash,
  parseHash,
  verify,
  verifySync,
};
