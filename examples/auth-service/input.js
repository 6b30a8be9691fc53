'use strict';

// Checks request bodies. Every value that the module would refuse is refused here, so that a
// mistake of the client gives a 400 and never reaches the module.

const { HttpError } = require('./errors.js');

/** The longest body in bytes. */
const MAX_BODY = 16_384;
/** ASCII only, so that two names that look alike are the same name. */
const USERNAME = /^[a-z0-9][a-z0-9._-]{2,31}$/;
const MIN_PASSWORD = 10;
/** In bytes. Long enough for any passphrase; the module accepts up to 4096. */
const MAX_PASSWORD = 1024;
const MAX_TOKEN = 1024;

/** The username and password of a body. */
function credentials(body) {
  const username = text(body, 'username').toLowerCase();
  if (!USERNAME.test(username)) {
    throw invalid('username must be 3 to 32 letters, digits, dots, dashes or underscores');
  }
  // Gives one form to characters that different keyboards compose differently (NIST SP 800-63B).
  const password = text(body, 'password').normalize('NFKC');
  if (Buffer.byteLength(password) > MAX_PASSWORD) {
    throw invalid(`password must be at most ${MAX_PASSWORD} bytes`);
  }
  return { username, password };
}

/** The username and password of a new account: the password is long enough. */
function newCredentials(body) {
  const { username, password } = credentials(body);
  if (password.length < MIN_PASSWORD) {
    throw invalid(`password must be at least ${MIN_PASSWORD} characters`);
  }
  return { username, password };
}

/** The refresh token of a body. */
function refreshing(body) {
  const refreshToken = text(body, 'refreshToken');
  if (refreshToken.length > MAX_TOKEN) throw invalid('refreshToken is too long');
  return { refreshToken };
}

/** A string field of the body. Lone surrogates are refused: different ones would hash the same. */
function text(body, field) {
  const value = Object(body)[field];
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw invalid(`${field} must be a string`);
  }
  return value;
}

function invalid(message) {
  return new HttpError(400, 'invalid_request', { message });
}

module.exports = { MAX_BODY, credentials, newCredentials, refreshing };
