import assert from 'node:assert/strict';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';

import { JwtIssuer, JwtKey, JwtVerifier, RevocationList } from '@nodesec/native';
import { createSigner, createVerifier } from 'fast-jwt';
import { jwtVerify, SignJWT } from 'jose';

const ISSUER = 'https://id.example';
const AUDIENCE = 'api';
const TTL = 900;
const CLAIMS = { sub: 'u-12345', role: 'admin' };
const SETTING = 'HS256, issuer, audience, expiry and jti in a payload of 150 bytes';

export const rows = [
  {
    name: 'tokens: sign HS256',
    setting: SETTING,
    target: { 'fast-jwt': 3 },
    prepare: async () => {
      const { ours, fastJwt, jose } = await signers();
      return [
        { name: '@nodesec/native', run: repeat(ours) },
        { name: 'fast-jwt', run: repeat(fastJwt) },
        { name: 'jose', run: repeatAsync(jose) },
      ];
    },
  },
  {
    name: 'tokens: verify HS256',
    setting: `${SETTING}; ours checks a revocation list of 100,000 entries as well`,
    target: { 'fast-jwt': 3 },
    prepare: async () => {
      const { ours, fastJwt, jose } = await verifiers();
      return [
        { name: '@nodesec/native', run: repeat(ours) },
        { name: 'fast-jwt', run: repeat(fastJwt) },
        { name: 'jose', run: repeatAsync(jose) },
      ];
    },
  },
];

const secret = randomBytes(32);
const key = JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k1' });
const issuer = new JwtIssuer({ keys: key, issuer: ISSUER, audience: AUDIENCE, expiresIn: TTL });

/** Each makes a token with the same header members and claims, a new jti and the time included. */
async function signers() {
  // fast-jwt takes one jti for all tokens of a signer, which spares it the making of one.
  const fastSigner = createSigner({
    key: secret,
    algorithm: 'HS256',
    kid: 'k1',
    iss: ISSUER,
    aud: AUDIENCE,
    jti: randomUUID(),
    expiresIn: TTL * 1000,
  });
  const keyObject = createSecretKey(secret);
  const ours = () => issuer.sign(CLAIMS);
  const fastJwt = () => fastSigner(CLAIMS);
  const jose = () =>
    new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
      .setIssuedAt()
      .setExpirationTime(`${TTL}s`)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setJti(randomUUID())
      .sign(keyObject);
  const contents = [ours(), fastJwt(), await jose()].map((token) => contentOf(token));
  assert.deepEqual(contents[1], contents[0]);
  assert.deepEqual(contents[2], contents[0]);
  return { ours, fastJwt, jose };
}

async function verifiers() {
  const revocations = new RevocationList();
  const later = Math.floor(Date.now() / 1000) + TTL;
  for (let i = 0; i < 25_000; i += 1) {
    revocations.revokeIdSync(randomUUID(), later);
    revocations.revokeSessionSync(randomUUID(), later);
    revocations.revokeSubjectSync(`gone-${i}`);
    revocations.revokeKeySync(`old-${i}`);
  }
  const verifier = new JwtVerifier({
    keys: key,
    issuer: ISSUER,
    audience: AUDIENCE,
    revocations,
  });
  const fastVerifier = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    requiredClaims: ['exp', 'jti'],
    cache: false,
  });
  const keyObject = createSecretKey(secret);
  const expected = { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE };
  const token = issuer.sign(CLAIMS);
  assert.equal(Buffer.from(token.split('.')[1], 'base64url').length, 150);
  const ours = () => verifier.verify(token);
  const fastJwt = () => fastVerifier(token);
  const jose = () => jwtVerify(token, keyObject, expected);
  assert.deepEqual(fastJwt(), ours());
  assert.deepEqual((await jose()).payload, ours());
  const forged = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BA' : 'AA'}`;
  assert.throws(() => verifier.verify(forged), { code: 'ERR_JWT_SIGNATURE' });
  assert.throws(() => fastVerifier(forged));
  await assert.rejects(jwtVerify(forged, keyObject, expected));
  return { ours, fastJwt, jose };
}

/** Header and claims without what differs between any two tokens. */
function contentOf(token) {
  const [header, claims] = token
    .split('.', 2)
    .map((segment) => JSON.parse(Buffer.from(segment, 'base64url')));
  assert.match(claims.jti, /^[0-9a-f-]{36}$/);
  return { header, claims: { ...claims, jti: null, iat: null, exp: claims.exp - claims.iat } };
}

function repeat(operation) {
  return (n) => {
    for (let i = 0; i < n; i += 1) operation();
  };
}

function repeatAsync(operation) {
  return async (n) => {
    for (let i = 0; i < n; i += 1) await operation();
  };
}
