// Sets up the token libraries, each as its documentation recommends for many tokens of one key.
// Keys are parsed in advance where a library allows it. Header, claims and checks are the same,
// except where a comment below says otherwise.

import { createSecretKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';

import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
import nodeRs from '@node-rs/jsonwebtoken';
import { createSigner, createVerifier } from 'fast-jwt';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

import { AUDIENCE, ISSUER, KID, seconds, TTL } from './claims.mjs';

const PAIRS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519'],
};

/** Makes a key, in every form that the libraries need. */
export function makeKey(alg) {
  if (alg === 'HS256') {
    const secret = randomBytes(32);
    const object = createSecretKey(secret);
    const own = JwtKey.fromSecret(secret, { alg, kid: KID });
    return { alg, own, raw: secret, signing: object, verifying: object, texts: [secret, secret] };
  }
  const { privateKey, publicKey } = generateKeyPairSync(...PAIRS[alg]);
  const own = JwtKey.fromKeyObject(privateKey, { alg, kid: KID });
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' });
  const texts = [
    privateKey.export({ format: 'pem', type: 'pkcs8' }),
    publicKey.export({ format: 'pem', type: 'spki' }),
  ];
  return { alg, own, raw, signing: privateKey, verifying: publicKey, texts };
}

/**
 * The signers by name, ours first. Each call makes a token with the current time and a new jti,
 * except that fast-jwt repeats its jti.
 */
export function signersOf({ alg, own, signing, texts }, claims) {
  const issuer = new JwtIssuer({ keys: own, issuer: ISSUER, audience: AUDIENCE, expiresIn: TTL });
  // fast-jwt uses one jti for all tokens of a signer, so it saves the time of making a new one.
  const fastSigner = createSigner({
    key: texts[0],
    algorithm: alg,
    kid: KID,
    iss: ISSUER,
    aud: AUDIENCE,
    jti: randomUUID(),
    expiresIn: TTL * 1000,
  });
  const header = { algorithm: alg, keyId: KID };
  const signers = {
    '@nodesec/native': () => issuer.sign(claims),
    'fast-jwt': () => fastSigner(claims),
    jsonwebtoken: () =>
      jsonwebtoken.sign(claims, signing, {
        algorithm: alg,
        keyid: KID,
        issuer: ISSUER,
        audience: AUDIENCE,
        expiresIn: TTL,
        jwtid: randomUUID(),
      }),
    '@node-rs/jsonwebtoken': () => {
      const iat = seconds();
      const registered = { iat, exp: iat + TTL, iss: ISSUER, aud: AUDIENCE, jti: randomUUID() };
      return nodeRs.signSync({ ...registered, ...claims }, texts[0], header);
    },
    jose: () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg, typ: 'JWT', kid: KID })
        .setIssuedAt()
        .setExpirationTime(`${TTL}s`)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setJti(randomUUID())
        .sign(signing),
  };
  return withoutUnable(signers, alg);
}

/**
 * The verifiers by name, ours first. Each checks issuer, audience and expiry, and returns the
 * claims. Ours, fast-jwt and jose also require a jti. `cached` is the number of tokens that the
 * caches of ours and of fast-jwt hold.
 */
export function verifiersOf({ alg, own, verifying, texts }, cached = 0) {
  const verifier = new JwtVerifier({
    keys: own,
    issuer: ISSUER,
    audience: AUDIENCE,
    requiredClaims: ['jti'],
    cache: cached > 0 && { maxEntries: cached },
  });
  const fastVerifier = createVerifier({
    key: texts[1],
    algorithms: [alg],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    requiredClaims: ['exp', 'jti'],
    cache: cached,
  });
  const forJsonwebtoken = { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE };
  const forJose = { ...forJsonwebtoken, requiredClaims: ['exp', 'jti'] };
  const forNodeRs = {
    algorithms: [alg],
    iss: [ISSUER],
    aud: [AUDIENCE],
    requiredSpecClaims: ['exp', 'iss', 'aud'],
    leeway: 0,
  };
  const verifiers = {
    '@nodesec/native': (token) => verifier.verify(token),
    'fast-jwt': (token) => fastVerifier(token),
    jsonwebtoken: (token) => jsonwebtoken.verify(token, verifying, forJsonwebtoken),
    '@node-rs/jsonwebtoken': (token) => nodeRs.verifySync(token, texts[1], forNodeRs),
    jose: async (token) => (await jwtVerify(token, verifying, forJose)).payload,
  };
  return withoutUnable(verifiers, alg);
}

/** jsonwebtoken has no EdDSA. */
function withoutUnable(peers, alg) {
  const { jsonwebtoken: able, ...others } = peers;
  return alg === 'EdDSA' ? others : { ...others, jsonwebtoken: able };
}
