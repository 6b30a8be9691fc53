// The secrets to plant. `make` runs in the harness and returns the `content` of the file or
// variable from which the planted process takes the secret, and the `needles` to search for.
// `plant` runs in the planted process, uses the secret as a service would, and returns it.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { formsOf, hmacForms, sealForms } from './needles.mjs';

export const ENV_SECRET = 'PROVE_SECRET';

/** A fast hash: its memory cost does not matter here. */
const FAST = { memoryCost: 8192, timeCost: 1 };

/** To plant another secret, add it here. */
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
    async plant({ SecretBuffer }, file, { sealed, writeFileSync }) {
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
];

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
