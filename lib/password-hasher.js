'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const native = require('./load.js');
const { inProduction } = require('./passwords.js');

class PasswordHasher {
  constructor(policy) {
    native.hasherAttach(this, policy, inProduction());
  }

  async hash(password) {
    return native.hasherHash(this, password);
  }

  async verify(digest, password) {
    return native.hasherVerify(this, digest, password);
  }

  async verifyAndUpdate(digest, password) {
    return native.hasherVerifyAndUpdate(this, digest, password);
  }

  needsRehash(digest) {
    return native.hasherNeedsRehash(this, digest);
  }
}

module.exports = { PasswordHasher };
