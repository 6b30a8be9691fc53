'use strict';

// Checks request bodies. Every value that the module would refuse is refused here, so that a
// mistake of the client gives a 400 and never reaches the module.

const express = require('express');

const { HttpError } = require('./errors.js');

/** ASCII only, so that two names that look alike are the same name. */
const USERNAME = /^[a-z0-9][a-z0-9._-]{2,31}$/;
const MIN_PASSWORD = 10;
/** In bytes. Long enough for any passphrase; the module accepts up to 4096. */
const MAX_PASSWORD = 1024;
const MAX_TOKEN = 1024;

/** Middleware that reads a JSON body of at most 16 KiB, uncompressed. */
const json = [requireJson, express.json({ limit: '16kb', inflate: false })];

function requireJson(req, res, next) {
  if (!req.is('application/json')) {
    throw new HttpError(415, 'not_json', { message: 'send a body of application/json' });
  }
  next();
}

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

/** Checks that the password is long enough for a new account. */
function newPassword({ username, password }) {
  if (password.length < MIN_PASSWORD) {
    throw invalid(`password must be at least ${MIN_PASSWORD} characters`);
  }
  return { username, password };
}

function refreshToken(body) {
  const token = text(body, 'refreshToken');
  if (token.length > MAX_TOKEN) throw invalid('refreshToken is too long');
  return token;
}

/** A string field of the body. Lone surrogates are refused: different ones would hash the same. */
function text(body, field) {
  const value = body[field];
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw invalid(`${field} must be a string`);
  }
  return value;
}

function invalid(message) {
  return new HttpError(400, 'invalid_request', { message });
}

module.exports = { credentials, json, newPassword, refreshToken };
