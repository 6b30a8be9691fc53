'use strict';

const path = require('node:path');

/**
 * The files and directories of the service. A deployment may put the store on a disk of its
 * own, and the secrets where backups of the data do not reach.
 */
function placesOf(dataDirectory, env = process.env) {
  const inData = (name) => path.join(dataDirectory, name);
  return {
    users: inData('users.mdb'),
    /** A directory on a local disk. Its parent exists; the store makes the directory itself. */
    store: env.AUTH_STORE || inData('store'),
    /** The address of a Redis for instances on several machines, in place of store and limits. */
    redis: env.AUTH_REDIS_URL || undefined,
    /** A directory on a local disk, or in memory, for the limits of several workers. */
    limits: env.AUTH_LIMITS || inData('limits'),
    masterKey: env.AUTH_MASTER_KEY_FILE || inData('master-key'),
    pepper: env.AUTH_PEPPER_FILE || inData('pepper'),
  };
}

module.exports = { placesOf };
