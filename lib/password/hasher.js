'use strict';

// The functions are async, so that an argument error rejects instead of throwing.

const { abortable, signalOf } = require('../abort.js');
const { publishVerdict } = require('../audit/passwords.js');
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
    const verdict = abortable(signalOf(given), (job) =>
      native.hasherVerify(this, digest, password, given, job),
    );
    return publishVerdict(await verdict);
  }

  async verifyAndUpdate(digest, password, options) {
    const given = snapshot(options);
    const result = await abortable(signalOf(given), (job) =>
      native.hasherVerifyAndUpdate(this, digest, password, given, job),
    );
    publishVerdict(result.valid);
    return result;
  }

  needsRehash(digest) {
    return native.hasherNeedsRehash(this, digest);
  }
}

module.exports = { PasswordHasher };
