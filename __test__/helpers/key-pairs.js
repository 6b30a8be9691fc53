'use strict';

// Makes key pairs with Node for the other side of a test.

const { createPrivateKey, createPublicKey, generateKeyPairSync } = require('node:crypto');

/**
 * Generates a key pair and parses it again. Node 20 deadlocks if the job that generated a key is
 * garbage-collected while the key is exported as a JWK, because both take the key's lock.
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
