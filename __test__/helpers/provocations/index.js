'use strict';

// By event: a call that provokes it, and resolves to the bare ids and the secrets of the call. The
// event may hold none of them, and has the hash of each id that has the name of a member.

module.exports = {
  ...require('./keys.js'),
  ...require('./limits.js'),
  ...require('./passwords.js'),
  ...require('./requests.js'),
  ...require('./revocations.js'),
  ...require('./sessions.js'),
};
