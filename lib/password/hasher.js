'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const { abortable, signalOf } = require('../abort.js');
const { native, snapshot } = require('../native.js');
const { Uncloneable } = require('../uncloneable.js');

class PasswordHasher extends Uncloneable {
  constructor(policy) {
    super();
    native.hasherAttach(this, policy);
  }

  async hash(password, options) {
    const given = snapshot(options);
    return abortable(signalOf(given), (job) => native.hasherHash(this, password, given, job));
  }

  async verify(digest, password, options) {
    const given = snapshot(options);
    return abortable(signalOf(given), (job) =>
      native.hasherVerify(this, digest, password, given, job),
    );
  }

  async verifyAndUpdate(digest, password, options) {
    const given = snapshot(options);
    return abortable(signalOf(given), (job) =>
      native.hasherVerifyAndUpdate(this, digest, password, given, job),
    );
  }

  needsRehash(digest) {
    return native.hasherNeedsRehash(this, digest);
  }
}

module.exports = { PasswordHasher };
