'use strict';

// The table of arguments. A row stands for a public function: `args` are the arguments of a call
// that succeeds, `on` is its receiver, and `kinds` are the kinds of its parameters. `refused` marks
// a constructor that callers must not use. With `readsReceiver`, the receiver is a secret that the
// function reads. `ends` ends the work that a call has begun, by the result of the call.

module.exports = {
  ...require('./arguments/audit.js'),
  ...require('./arguments/dpop.js'),
  ...require('./arguments/ids.js'),
  ...require('./arguments/key.js'),
  ...require('./arguments/limiter.js'),
  ...require('./arguments/password.js'),
  ...require('./arguments/redis.js'),
  ...require('./arguments/revocation.js'),
  ...require('./arguments/secret.js'),
  ...require('./arguments/session.js'),
  ...require('./arguments/spiffe.js'),
  ...require('./arguments/store.js').rows,
  ...require('./arguments/token.js'),
  ...require('./arguments/web.js'),
};
