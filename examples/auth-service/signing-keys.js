'use strict';

// Keeps the key ring in a file, sealed with the master key, so that tokens outlive a restart. One
// process rotates the ring: two with a copy each would sign with keys that the other does not know.

const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');

const { KeyRing } = require('@nodesec/native');

/** Opens the ring of a file, or makes both. */
async function openKeyRing(file, masterKey, options) {
  const keys = existsSync(file)
    ? KeyRing.unseal(readFileSync(file), masterKey, options)
    : new KeyRing(options);
  const save = () => replaceFile(file, keys.seal(masterKey));
  // A process that dies between a rotation and this is no loss: the file has the key that signs
  // now, as the next one.
  const saveChange = () => {
    try {
      save();
    } catch (error) {
      console.error('auth-service: the signing keys cannot be saved:', error);
    }
  };
  await keys.ready();
  save();
  keys.on('change', saveChange);
  return { keys, close: () => keys.off('change', saveChange) };
}

/** Reads the ring of a file that another process has made, and never changes it. */
async function readKeyRing(file, masterKey, options) {
  const keys = KeyRing.unseal(readFileSync(file), masterKey, options);
  await keys.ready();
  return { keys, close: () => {} };
}

/** Replaces a file as a whole, even if the machine stops meanwhile. */
function replaceFile(file, bytes) {
  const temporary = `${file}.new`;
  writeFileSync(temporary, bytes, { mode: 0o600, flush: true });
  renameSync(temporary, file);
}

module.exports = { openKeyRing, readKeyRing };
