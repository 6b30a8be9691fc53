'use strict';

const errors = require('./lib/errors.js');
const { randomToken, uuidv4, uuidv7 } = require('./lib/ids.js');
const { KeyRing } = require('./lib/keyring.js');
const { JwtKey } = require('./lib/keys.js');
const { RateLimiter } = require('./lib/limits.js');
const { PasswordHasher } = require('./lib/password-hasher.js');
const passwords = require('./lib/passwords.js');
const { RemoteJwks } = require('./lib/remote-jwks.js');
const { RevocationList } = require('./lib/revocations.js');
const { SecretBuffer, secureHeap, timingSafeEqual } = require('./lib/secrets.js');
const { Sessions } = require('./lib/sessions.js');
const { parseSpiffeId, spiffeIdOf } = require('./lib/spiffe.js');
const { JwtIssuer, unsafeDecode, verifyJws } = require('./lib/tokens.js');
const { JwtVerifier } = require('./lib/verifier.js');

const {
  argon2d,
  argon2i,
  argon2id,
  calibrate,
  deriveKey,
  hash,
  hashSync,
  needsRehash,
  parseHash,
  passwordPool,
  verify,
  verifySync,
} = passwords;
const {
  AbortError,
  ArgumentError,
  BindingError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
} = errors;

// Spelt out, so that `import { hash } from '@nodesec/native'` sees every name.
module.exports = {
  argon2d,
  argon2i,
  argon2id,
  calibrate,
  deriveKey,
  hash,
  hashSync,
  needsRehash,
  parseHash,
  passwordPool,
  verify,
  verifySync,
  PasswordHasher,
  SecretBuffer,
  secureHeap,
  timingSafeEqual,
  JwtIssuer,
  JwtKey,
  JwtVerifier,
  KeyRing,
  RemoteJwks,
  unsafeDecode,
  verifyJws,
  parseSpiffeId,
  spiffeIdOf,
  RevocationList,
  Sessions,
  RateLimiter,
  randomToken,
  uuidv4,
  uuidv7,
  AbortError,
  ArgumentError,
  BindingError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
};
