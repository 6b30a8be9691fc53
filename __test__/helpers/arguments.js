'use strict';

// The table of arguments: for every public function a call that succeeds, `args` on the receiver
// `on`, and the kinds of its parameters. `refused` is a constructor that nobody may call; with
// `readsReceiver` the receiver is a secret that the function reads.

module.exports = {
  ...require('./arguments/ids.js'),
  ...require('./arguments/key.js'),
  ...require('./arguments/limiter.js'),
  ...require('./arguments/password.js'),
  ...require('./arguments/revocation.js'),
  ...require('./arguments/secret.js'),
  ...require('./arguments/session.js'),
  ...require('./arguments/spiffe.js'),
  ...require('./arguments/token.js'),
};
