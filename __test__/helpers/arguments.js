'use strict';

// The table of arguments: for every public function a call that succeeds, `args` on the receiver
// `on`, and the kinds of its parameters. `refused` is a constructor that nobody may call.

module.exports = {
  ...require('./rows/ids.js'),
  ...require('./rows/keys.js'),
  ...require('./rows/limits.js'),
  ...require('./rows/passwords.js'),
  ...require('./rows/revocations.js'),
  ...require('./rows/secrets.js'),
  ...require('./rows/sessions.js'),
  ...require('./rows/spiffe.js'),
  ...require('./rows/tokens.js'),
};
