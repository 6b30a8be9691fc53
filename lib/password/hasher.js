'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const { abortable, signalOf } = require('../abort.js');
const native = require('../load.js');

class PasswordHasher {
  constructor(policy) {
    native.hasherAttach(this, policy);
  }

  async hash(password, options) {
    return abortable(signalOf(options), (job) => native.hasherHash(this, password, options, job));
  }

  async verify(digest, password, options) {
    return abortable(signalOf(options), (job) =>
      native.hasherVerify(this, digest, password, options, job),
    );
  }

  async verifyAndUpdate(digest, password, options) {
    return abortable(signalOf(options), (job) =>
      native.hasherVerifyAndUpdate(this, digest, password, options, job),
    );
  }

  needsRehash(digest) {
    return native.hasherNeedsRehash(this, digest);
  }
}

module.exports = { PasswordHasher };
