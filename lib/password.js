'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const { abortable, signalOf } = require('./abort.js');
const { publishVerdict } = require('./audit/passwords.js');
const { calibrate } = require('./password/calibration.js');
const { native, snapshot } = require('./native.js');
const { secretFromCarrier } = require('./secret.js');

const argon2d = 0;
const argon2i = 1;
const argon2id = 2;

async function hash(password, options) {
  const given = snapshot(options);
  return abortable(signalOf(given), (job) => native.passwordHash(password, given, job));
}

function hashSync(password, options) {
  return native.passwordHashSync(password, options);
}

async function verify(digest, password, options) {
  const given = snapshot(options);
  const verdict = abortable(signalOf(given), (job) =>
    native.passwordVerify(digest, password, given, job),
  );
  return publishVerdict(await verdict);
}

function verifySync(digest, password, options) {
  return publishVerdict(native.passwordVerifySync(digest, password, options));
}

async function deriveKey(password, salt, options) {
  const given = snapshot(options);
  const carrier = await abortable(signalOf(given), (job) =>
    native.passwordDeriveKey(password, salt, given, job),
  );
  return secretFromCarrier(carrier);
}

function needsRehash(digest, options) {
  return native.passwordNeedsRehash(digest, options);
}

function parseHash(digest) {
  return native.passwordParseHash(digest);
}

const passwordPool = Object.freeze({
  configure(options) {
    native.passwordPoolConfigure(options);
  },

  stats() {
    return native.passwordPoolStats();
  },
});

module.exports = {
  argon2d,
  argon2i,
  argon2id,
  calibrate,
  deriveKey,
  hash,
  hashSync,
  needsRehash,
  parseHash,
  passwordPool,
  verify,
  verifySync,
};
