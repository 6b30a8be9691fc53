'use strict';

// Loads the pepper: a secret that goes into every password hash and is not in the database, so that
// a stolen database alone cannot be attacked. Back it up separately from the users, and never lose
// it: without it no password verifies. A larger service keeps it in a secret store.

const { existsSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const { SecretBuffer } = require('@nodesec/native');

const { usersFile } = require('./users.js');

const LENGTH = 32;

function loadPepper(dataDirectory) {
  const file = path.join(dataDirectory, 'pepper');
  if (!existsSync(file)) createPepper(file, dataDirectory);
  // The file is read into secret memory, and refused if other users may read it.
  const pepper = SecretBuffer.fromFile(file);
  if (pepper.byteLength !== LENGTH) {
    throw new Error(`the pepper must be of ${LENGTH} bytes: restore the file from a backup`);
  }
  return pepper;
}

function createPepper(file, dataDirectory) {
  if (existsSync(usersFile(dataDirectory))) {
    throw new Error('there are users but no pepper to verify them with: restore it from a backup');
  }
  const pepper = SecretBuffer.random(LENGTH);
  pepper.use((bytes) => writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 }));
  pepper.dispose();
}

module.exports = { loadPepper };
