'use strict';

// Pairs of keys for the other side of a test, from Node.

const { createPrivateKey, createPublicKey, generateKeyPairSync } = require('node:crypto');

/**
 * What `generateKeyPairSync` gives, read in once more: Node 20 locks up for good when the job that
 * made a key is collected as garbage while the key is exported as a JWK, since both take its lock.
 */
function keyPair(type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  const key = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    privateKey: createPrivateKey({ key, type: 'pkcs8', format: 'der' }),
    publicKey: createPublicKey({ key, type: 'pkcs8', format: 'der' }),
  };
}

module.exports = { keyPair };
