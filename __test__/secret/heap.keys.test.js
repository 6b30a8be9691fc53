'use strict';

// Private keys: the originals are in the secure heap, and `status()` counts the copies that the
// crypto library has parsed. The native tests in jwt/tests/remains.rs look for remains of keys in
// memory.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const SCRIPT = `
  const { JwtIssuer, JwtKey, JwtVerifier, secureHeap } = require('@nodesec/native');
  const { setTimeout } = require('node:timers/promises');
  const now = () => {
    const { liveSecrets, parsedPrivateKeys } = secureHeap.status();
    return { liveSecrets, parsedPrivateKeys };
  };
  /** Uses keys that only the verifier still holds after the call. */
  const work = async () => {
    const keys = [];
    for (const alg of ['EdDSA', 'ES256', 'RS256', 'HS256']) {
      keys.push(await JwtKey.generate(alg));
    }
    // A verifier keeps only the public halves.
    const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
    const issuer = new JwtIssuer({ keys: keys[0], expiresIn: '1m' });
    verifier.verify(issuer.sign({ sub: 'someone' }));
    return [verifier, now()];
  };
  (async () => {
    const before = now();
    const [verifier, during] = await work();
    const end = Date.now() + 20_000;
    while (now().parsedPrivateKeys > 0 && Date.now() < end) {
      gc();
      await setTimeout(10);
    }
    console.log(JSON.stringify({ before, during, after: now() }));
    verifier.tryVerify('');
  })();
`;

test('status() counts the private keys outside, until they are collected', async () => {
  const { code, stdout, stderr } = await runScript(SCRIPT, { flags: ['--expose-gc'] });
  assert.equal(code, 0, stderr);
  const { before, during, after } = JSON.parse(stdout);
  assert.deepEqual(before, { liveSecrets: 0, parsedPrivateKeys: 0 });
  // One original for each of the four keys, and the computed state of the HMAC key.
  assert.deepEqual(during, { liveSecrets: 5, parsedPrivateKeys: 3 });
  // The verifier still has the HMAC key, which has no public half.
  assert.deepEqual(after, { liveSecrets: 2, parsedPrivateKeys: 0 });
});
