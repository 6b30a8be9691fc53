// The secrets to plant. `make` runs in the harness and returns the `content` of the file or
// variable from which the planted process takes the secret, and the `needles` to search for.
// `plant` runs in the planted process, uses the secret as a service would, and returns it. Objects
// that it returns and that have a `close` are closed with the secrets.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

import { fingerprintKeyForms, formsOf, hmacForms, sealForms, storeForms } from './needles.mjs';

export const ENV_SECRET = 'PROVE_SECRET';

/** Groups with claims of their own. */
export const FINGERPRINT_KEYS = 'fingerprint keys of a store';
export const AUDIT_KEY = 'key of the audit trail';

const STORE_KEY = 'key of a store';

/** A fast hash: its memory cost does not matter here. */
const FAST = { memoryCost: 8192, timeCost: 1 };
/** The digest of another password. */
const DIGEST =
  '$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ$uwLMcxbwUfCIB4hZWaYIV3EQeSRzrEvPa5LF0nUzjV0';
const ENCRYPTED = generateKeyPairSync('ed25519').privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'another passphrase',
});

/**
 * The calls that take secret bytes. Each gets a small typed array, whose bytes V8 keeps in its own
 * heap. `secret` holds the same bytes.
 */
export const CALLS = {
  '`SecretBuffer.from`': ({ SecretBuffer }, bytes) => SecretBuffer.from(bytes, { wipe: true }),
  '`equals`': (_, bytes, secret) => secret.equals(bytes),
  '`timingSafeEqual`': ({ timingSafeEqual }, bytes) => timingSafeEqual(bytes, new Uint8Array(32)),
  '`JwtKey.fromSecret`': ({ JwtKey }, bytes) => JwtKey.fromSecret(bytes, { alg: 'HS256' }),
  // These bytes are no key files. The calls still read them, and refuse.
  '`JwtKey.fromPem`': ({ JwtKey }, bytes) => refused(() => JwtKey.fromPem(bytes, { alg: 'EdDSA' })),
  '`JwtKey.fromDer`': ({ JwtKey }, bytes) => refused(() => JwtKey.fromDer(bytes, { alg: 'EdDSA' })),
  'the option `passphrase`': ({ JwtKey }, bytes) =>
    refused(() => JwtKey.fromPem(ENCRYPTED, { alg: 'EdDSA', passphrase: bytes })),
  '`hash`': ({ hash }, bytes) => hash(bytes, FAST),
  '`hashSync`': ({ hashSync }, bytes) => hashSync(bytes, FAST),
  '`verify`': ({ verify }, bytes) => verify(DIGEST, bytes),
  '`verifySync`': ({ verifySync }, bytes) => verifySync(DIGEST, bytes),
  '`deriveKey`': ({ deriveKey }, bytes) => deriveKey(bytes, new Uint8Array(16), FAST),
  'the option `secret` of `hash`': ({ hash }, bytes) => hash('password', { ...FAST, secret: bytes }),
  'the option `secret` of `verifySync`': ({ verifySync }, bytes) =>
    verifySync(DIGEST, 'password', { secret: bytes }),
  'the option `secret` of a hasher': ({ PasswordHasher }, bytes) =>
    new PasswordHasher({ secret: bytes }),
  'the option `peppers` of a hasher': ({ PasswordHasher }, bytes) =>
    new PasswordHasher({ peppers: { current: 'k', keys: { k: bytes } } }),
  '`hash` of a hasher': ({ PasswordHasher }, bytes) => new PasswordHasher(FAST).hash(bytes),
  '`verifyAndUpdate` of a hasher': ({ PasswordHasher }, bytes) =>
    new PasswordHasher(FAST).verifyAndUpdate(DIGEST, bytes),
};

/**
 * To plant another secret, add it here. Those of the group of a call are given to it, and are not
 * kept.
 */
export const SECRETS = [
  {
    name: 'from a file',
    ...randomSecret(),
    plant: ({ SecretBuffer }, file) => SecretBuffer.fromFile(file),
  },
  {
    name: 'from a file of base64',
    ...randomSecret('base64'),
    plant: ({ SecretBuffer }, file) => SecretBuffer.fromFile(file, { encoding: 'base64' }),
  },
  {
    name: 'large',
    ...randomSecret('latin1', 6000),
    plant({ SecretBuffer }, file) {
      const secret = SecretBuffer.fromFile(file);
      return secret.equals(secret.clone()) ? secret : undefined;
    },
  },
  {
    name: 'from the environment',
    ...randomSecret('hex'),
    variable: ENV_SECRET,
    plant: ({ SecretBuffer }) => SecretBuffer.fromEnv(ENV_SECRET, { encoding: 'hex' }),
  },
  {
    name: 'HMAC key',
    ...randomSecret(),
    derived: (bytes) => hmacForms(bytes),
    plant({ JwtIssuer, JwtKey, JwtVerifier, KeyRing, SecretBuffer }, file) {
      const secret = SecretBuffer.fromFile(file);
      const keys = new KeyRing({ keys: [JwtKey.fromSecret(secret, { alg: 'HS256' })] });
      const issuer = new JwtIssuer({ keys, issuer: 'prove', expiresIn: '5m' });
      const verifier = new JwtVerifier({ keys, issuer: 'prove', audience: false });
      for (let round = 0; round < 100; round += 1) verifier.verify(issuer.sign({ round }));
      return [secret, keys, issuer, verifier];
    },
  },
  {
    name: 'HMAC key in the key ring of a store',
    ...randomSecret(),
    derived: (bytes) => hmacForms(bytes),
    async plant({ JwtIssuer, JwtKey, JwtVerifier, KeyRing, SecretBuffer, Store }, file, { ringStore }) {
      const secret = SecretBuffer.fromFile(file);
      const opened = await Store.open(ringStore, { key: SecretBuffer.random(32) });
      const keys = await KeyRing.open(opened, { alg: 'HS256' });
      keys.add(JwtKey.fromSecret(secret, { alg: 'HS256' }), { state: 'active' });
      // Each change writes the whole ring.
      await keys.configure({ rotateEvery: '30d' });
      const issuer = new JwtIssuer({ keys, issuer: 'prove', expiresIn: '5m' });
      const verifier = new JwtVerifier({ keys, issuer: 'prove', audience: false });
      for (let round = 0; round < 100; round += 1) verifier.verify(issuer.sign({ round }));
      return [secret, opened, issuer, verifier];
    },
  },
  {
    name: 'pepper',
    ...randomSecret(),
    async plant({ SecretBuffer, hash, hashSync, verify, verifySync }, file) {
      const secret = SecretBuffer.fromFile(file);
      const digest = await hash('a password', { ...FAST, secret });
      await verify(digest, 'a password', { secret });
      verifySync(hashSync('a password', { ...FAST, secret }), 'a password', { secret });
      return secret;
    },
  },
  {
    name: 'password',
    ...randomSecret(),
    async plant({ SecretBuffer, hash, hashSync, verify, verifySync }, file) {
      const secret = SecretBuffer.fromFile(file);
      await verify(await hash(secret, FAST), secret);
      verifySync(hashSync(secret, FAST), secret);
      return secret;
    },
  },
  {
    name: 'key that seals',
    ...randomSecret(),
    derived: (bytes, { sealed }) => sealForms(bytes, readFileSync(sealed)),
    async plant({ SecretBuffer }, file, { sealed }) {
      const key = SecretBuffer.fromFile(file);
      const secret = SecretBuffer.random(40);
      const text = secret.seal(key, { context: 'prove' });
      writeFileSync(sealed, text);
      return [key, SecretBuffer.unseal(text, key, { context: 'prove' })];
    },
  },
  {
    name: 'sealed and unsealed',
    ...randomSecret(),
    plant({ SecretBuffer }, file) {
      const key = SecretBuffer.random(32);
      const secret = SecretBuffer.fromFile(file);
      const sealed = secret.seal(key, { context: 'prove' });
      secret.dispose();
      return SecretBuffer.unseal(sealed, key, { context: 'prove' });
    },
  },
  {
    name: STORE_KEY,
    ...randomSecret(),
    derived: (bytes, { copy }) => storeForms(bytes, copy),
    async plant({ RevocationList, SecretBuffer, Store }, file, { store: at, copy }) {
      const key = SecretBuffer.fromFile(file);
      await (await Store.open(at, { key })).close();
      const store = await Store.open(at, { key });
      const list = new RevocationList({ store });
      for (let round = 0; round < 100; round += 1) await list.revokeSession(`${round}`, 4e9);
      if (!list.isRevoked({ sid: '7' })) throw new Error('the list has forgotten a session');
      await store.backup(copy);
      return [key, store, list];
    },
  },
  {
    name: FINGERPRINT_KEYS,
    group: FINGERPRINT_KEYS,
    // The store draws them.
    make: () => ({ bytes: Buffer.alloc(0), content: Buffer.alloc(0), needles: [] }),
    derived(_, { copy, made }) {
      return fingerprintKeyForms(made.find(({ name }) => name === STORE_KEY).bytes, copy);
    },
  },
  {
    name: AUDIT_KEY,
    group: AUDIT_KEY,
    ...randomSecret(),
    derived: (bytes) => hmacForms(bytes),
    plant({ SecretBuffer }, file, { audit }) {
      const key = SecretBuffer.fromFile(file);
      audit.setHashKey(key);
      for (let round = 0; round < 100; round += 1) audit.hashId('subject', `${round}`);
      return key;
    },
  },
  ...Object.entries(CALLS).map(([call, take]) => ({
    name: `small array for ${call}`,
    group: call,
    ...randomSecret(),
    take,
  })),
];

function refused(call) {
  try {
    call();
  } catch (error) {
    if (error.code !== 'ERR_JWT_KEY') throw error;
    return;
  }
  throw new Error('random bytes were taken for a key');
}

function randomSecret(encoding = 'latin1', length = 32) {
  return {
    make() {
      const bytes = randomBytes(length);
      const content = Buffer.from(bytes.toString(encoding), 'latin1');
      // For a large secret both ends are enough: the time of a search grows with the number of
      // needles.
      const parts = length <= 64 ? [bytes] : [bytes.subarray(0, 32), bytes.subarray(-32)];
      return { bytes, content, needles: parts.flatMap(formsOf) };
    },
  };
}
