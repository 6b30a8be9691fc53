'use strict';

// Reads secrets that the service makes at its first start: the pepper, which goes into every
// password hash, and the master key, which opens the store. Back them up apart from the data that
// they protect, and never lose them: without the pepper no password verifies, without the master
// key no token does. A larger service keeps them in a secret store.

const { existsSync, writeFileSync } = require('node:fs');

const { SecretBuffer } = require('@nodesec/native');

const LENGTH = 32;

/**
 * Reads the secret of a file, or makes it if none of `protects`, the files and directories that
 * need it, is there.
 */
function loadSecret(name, file, protects) {
  if (!existsSync(file)) {
    if (protects.some((path) => existsSync(path))) {
      throw new Error(`there is data but no ${name} to use it with: restore it from a backup`);
    }
    createSecret(file);
  }
  // The file is read into secret memory, and refused if other users may read it.
  const secret = SecretBuffer.fromFile(file);
  if (secret.byteLength !== LENGTH) {
    throw new Error(`the ${name} must be of ${LENGTH} bytes: restore the file from a backup`);
  }
  return secret;
}

function createSecret(file) {
  const secret = SecretBuffer.random(LENGTH);
  secret.use((bytes) => writeFileSync(file, bytes, { flag: 'wx', mode: 0o600, flush: true }));
  secret.dispose();
}

module.exports = { loadSecret };
