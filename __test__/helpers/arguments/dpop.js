'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after } = require('node:test');

const { DpopReplayCache, JwtKey, KeyRing } = require('@nodesec/native');
const { instance, integer, kind, name, options, or } = require('../hostile.js');
const { hmacKey, publicJwk } = require('../key-kinds.js');
const { keyPair } = require('../key-pairs.js');
const { clock, clockOptions } = require('./clock.js');

const pem = keyPair('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
const pair = () => JwtKey.fromPem(pem, { alg: 'EdDSA' });
const size = { maxEntries: integer };
const given = () => ({ maxEntries: 100 });
let shared = 0;
let files = 0;
/** Of the files of caches of the machine. */
const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-proofs-'));
after(() => {
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true });
});

module.exports = {
  'new DpopReplayCache': {
    args: () => [{ ...given(), ...clockOptions() }],
    kinds: [options({ ...size, ...clock })],
  },
  'DpopReplayCache.shared': {
    args: () => [`arguments ${(shared += 1) % 100}`, given()],
    kinds: [kind(name.refused, { 'a long name': () => 'a'.repeat(257) }), options(size)],
  },
  'DpopReplayCache.machine': {
    args: () => [path.join(folder, `proofs ${(files += 1)}`), given()],
    kinds: [
      kind(name.refused, {
        'a long path': () => 'a'.repeat(4097),
        'a path with NUL': () => 'a\0b',
        'a folder': () => folder,
        'a folder that is missing': () => path.join(folder, 'no', 'folder'),
        'a file of another kind': () => __filename,
      }),
      options(size),
    ],
  },
  'DpopReplayCache.prototype.stats': {
    on: () => new DpopReplayCache(given()),
    args: () => [],
    kinds: [],
  },
  createDpopProof: {
    args: () => [
      pair(),
      { method: 'GET', url: 'https://api.example/', accessToken: 'a.b.c', nonce: 'a' },
    ],
    kinds: [
      kind(instance(JwtKey, pair).refused, {
        'a secret': hmacKey,
        'a public key': () => JwtKey.fromJwk(publicJwk, { alg: 'EdDSA' }),
        'a ring': () => new KeyRing({ keys: [hmacKey()] }),
      }),
      options({
        method: or(name, kind({ 'a long method': () => 'A'.repeat(65) })),
        url: or(name, kind({ 'a path': () => '/orders', 'another scheme': () => 'ftp://a/', 'a user': () => 'https://a@b/' })),
        accessToken: name,
        nonce: or(name, kind({ 'a long nonce': () => 'a'.repeat(1025) })),
      }),
    ],
  },
};
