'use strict';

// Makes key pairs with Node for the other side of a test.

const { createPrivateKey, createPublicKey, generateKeyPairSync } = require('node:crypto');

/**
 * Generates a key pair and parses it again. Node 20 deadlocks if the job that generated a key is
 * garbage-collected while the key is exported as a JWK, because both take the key's lock.
 */
function keyPair(type, options) {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  const [pkcs8, spki] = [
    { key: privateKey.export({ type: 'pkcs8', format: 'der' }), type: 'pkcs8', format: 'der' },
    // Deno and Bun do not take the public half from PKCS#8.
    { key: publicKey.export({ type: 'spki', format: 'der' }), type: 'spki', format: 'der' },
  ];
  return { privateKey: createPrivateKey(pkcs8), publicKey: createPublicKey(spki) };
}

module.exports = { keyPair };
