'use strict';

const { ConcurrencyLimiter } = require('./lib/concurrency.js');
const { DpopReplayCache, createDpopProof } = require('./lib/dpop.js');
const errors = require('./lib/errors.js');
const { randomToken, uuidv4, uuidv7 } = require('./lib/id.js');
const { ipKey } = require('./lib/ip-key.js');
const { KeyRing } = require('./lib/key-ring.js');
const { JwtKey } = require('./lib/key.js');
const { RateLimiter } = require('./lib/limiter.js');
const { LoginThrottle } = require('./lib/login-throttle.js');
const { PasswordHasher } = require('./lib/password/hasher.js');
const passwords = require('./lib/password.js');
const { RemoteJwks } = require('./lib/key-set.js');
const { RevocationList } = require('./lib/revocation.js');
const { SecretBuffer, timingSafeEqual } = require('./lib/secret.js');
const { secureHeap } = require('./lib/secure-heap.js');
const { Sessions } = require('./lib/session.js');
const { parseSpiffeId, spiffeIdOf } = require('./lib/spiffe.js');
const { Store } = require('./lib/store.js');
const { JwtIssuer } = require('./lib/issuer.js');
const { signJws, verifyJws } = require('./lib/jws.js');
const { unsafeDecode } = require('./lib/token.js');
const { JwtVerifier } = require('./lib/verifier.js');
const { JwtVerifiers } = require('./lib/verifiers.js');

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
  DpopError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
  StoreError,
  WebError,
} = errors;

// Every name is spelled out, so that `import { hash } from '@nodesec/native'` finds it.
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
  JwtVerifiers,
  KeyRing,
  RemoteJwks,
  signJws,
  unsafeDecode,
  verifyJws,
  parseSpiffeId,
  spiffeIdOf,
  Store,
  RevocationList,
  Sessions,
  createDpopProof,
  DpopReplayCache,
  ConcurrencyLimiter,
  ipKey,
  LoginThrottle,
  RateLimiter,
  randomToken,
  uuidv4,
  uuidv7,
  AbortError,
  ArgumentError,
  BindingError,
  DpopError,
  JwtError,
  LimitError,
  NodesecError,
  PasswordError,
  RevocationError,
  SecretError,
  SessionError,
  SpiffeError,
  StoreError,
  WebError,
};
