'use strict';

// The rows of docs/strictness.md that are no class of token-differences.js. `because` and `todo`
// are cells of the page. scripts/strictness.mjs loads this file without the native part.

/**
 * More tokens that only this package refuses: by the name of their class in
 * src/jwt/tests/differential/classes.rs (`crate`) and in the table of docs/migrating.md (`rows`).
 */
const TOKENS = [
  {
    name: '`kid` or `typ` is null',
    crate: true,
    because: 'RFC 7515 sections 4.1.4 and 4.1.9: both are strings, and `null` is none.',
    todo: 'Leave a parameter without a value out of the header.',
  },
  {
    name: 'a `typ` that is not the one asked for',
    crate: true,
    because:
      'RFC 8725 section 3.11: an explicit type keeps a token of one kind from being used as ' +
      'another.',
    todo: 'Set `typ` on the issuer to the `typ` of the verifier, or leave out the option.',
  },
  {
    name: 'older than `maxAge`',
    crate: true,
    because: 'OpenID Connect Core section 3.1.3.7: a verifier may bound the age of a token.',
    todo: 'Raise `maxAge`, or leave out the option.',
  },
  {
    name: 'in the second of its expiry',
    crate: true,
    because: 'RFC 7519 section 4.1.4: a token is not accepted on or after `exp`.',
    todo: 'Renew tokens before they expire, or set `clockTolerance`.',
  },
  {
    name: 'in the half second before it is active',
    crate: true,
    because: 'RFC 7519 section 4.1.5: a token is not accepted before `nbf`.',
    todo: 'Synchronize the clocks, or set `clockTolerance`. Left out, 5 seconds are tolerated.',
  },
  {
    name: 'no `exp`',
    rows: ['no `exp`'],
    because: 'A stolen token without it is good for ever.',
    todo: 'Set `expiresIn` on the issuer. For tokens of others, set `requireExp: false`.',
  },
  {
    name: 'no `iss`, although the verifier names an issuer',
    rows: ['no issuer'],
    because: 'RFC 8725 section 3.8: the issuer is validated, so it must be there.',
    todo: 'Set `issuer` on the issuer, or waive it on the verifier with `issuer: false`.',
  },
];

const KEY_FILE = 'A verifier that takes it for a secret accepts what anybody signs with a public text: ';

/** Keys and options that others accept, as __test__/docs/strictness.test.js shows. */
const KEYS = [
  {
    name: 'an HMAC secret that is shorter than the output of its hash',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because: 'RFC 7518 section 3.2. A short secret is found by trial from one token.',
    todo:
      'Make one with `SecretBuffer.random(32)`. Verify the old tokens with the old library until ' +
      'the last one expires.',
  },
  {
    name: 'a string as HMAC secret',
    acceptedBy: ['jsonwebtoken', 'fast-jwt'],
    because: 'RFC 8725 section 3.5: passwords are no keys. Text can also be meant as PEM or base64.',
    todo: "Say which bytes it stands for: `Buffer.from(text, 'base64')` or `Buffer.from(text)`.",
  },
  {
    name: 'the PEM of a public key, as bytes, as HMAC secret',
    acceptedBy: ['jose', 'fast-jwt'],
    because: `${KEY_FILE}CVE-2015-9235, CVE-2023-48223, CVE-2026-34950.`,
    todo: 'Read key files with `JwtKey.fromPem`.',
  },
  {
    name: 'the DER of a public key as HMAC secret',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because: `${KEY_FILE}CVE-2015-9235.`,
    todo: 'Read key files with `JwtKey.fromDer`.',
  },
  {
    name: 'the JWK of a public key as HMAC secret',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because: `${KEY_FILE}GHSA-g3jj-5cmm-3hxx.`,
    todo: 'Read JWKs with `JwtKey.fromJwk`.',
  },
  {
    name: 'an empty HMAC secret',
    acceptedBy: ['jsonwebtoken'],
    because: 'Everybody can sign with it: CVE-2026-44351.',
    todo: 'Check that the variable with the secret is set; `SecretBuffer.fromEnv` does.',
  },
  {
    name: 'an RSA key below 2048 bits',
    acceptedBy: ['jsonwebtoken', 'fast-jwt'],
    because: 'RFC 7518 sections 3.3 and 3.5. 829 bits were factored in 2020.',
    todo: "Make another: `JwtKey.generate('RS256')`, or ES256 or EdDSA, which are faster.",
  },
  {
    name: 'a key on secp256k1 for ES256',
    acceptedBy: ['fast-jwt'],
    because: 'RFC 7518 section 3.4: ES256 is P-256. ES256K (RFC 8812) is another algorithm.',
    todo: 'Use a key on P-256. ES256K is not supported.',
  },
  {
    name: 'a private key in PEM with the traditional encryption of OpenSSL (`Proc-Type: 4,ENCRYPTED`)',
    acceptedBy: ['jsonwebtoken', 'fast-jwt'],
    because:
      'The key of the cipher is MD5 of the passphrase, without iterations, so it is found by trial. ' +
      'RFC 7468 has no such headers.',
    todo: 'Convert it to PKCS#8: `openssl pkcs8 -topk8 -v2 aes-256-cbc`.',
  },
  {
    name: 'a public EC key that spells out the parameters of its curve',
    acceptedBy: ['jsonwebtoken', 'jose'],
    because: 'RFC 5480 section 2.1.1. Invented parameters have made another key verify: CVE-2020-0601.',
    todo: 'Convert it: `openssl ec -pubin -pubout -param_enc named_curve`.',
  },
  {
    name: 'a JWK for encryption (`"use": "enc"`) as verification key',
    acceptedBy: ['jose'],
    because: 'RFC 7517 section 4.2: the owner says what the key is for.',
    todo: 'Take the key of the set that has `"use": "sig"`.',
  },
  {
    name: 'a token of another issuer than the one that the JWK names',
    acceptedBy: ['jose'],
    because: 'A key of one tenant must not sign for another, and such an `issuer` says whose it is.',
    todo:
      'Use the keys of the issuer, or leave the member `issuer` out of the JWK. The option `fetch` of ' +
      '`RemoteJwks` can take it out of a set.',
  },
  {
    name: 'a JWK Set over plain http from another machine',
    acceptedBy: ['jose'],
    because: 'RFC 8725 section 3.10: everyone on the path could replace the keys.',
    todo: 'Use https. In a private network, set `allowInsecureHttp: true`.',
  },
  {
    name: 'a key without an algorithm',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because:
      'RFC 8725 section 3.1: a key is used with one algorithm. Otherwise the token chooses one.',
    todo: 'Name it when the key is read: `{ alg }`.',
  },
  {
    name: 'the algorithm `none`',
    acceptedBy: ['jsonwebtoken', 'fast-jwt'],
    because: 'RFC 8725 section 3.2, CVE-2022-23540: such a token is not signed.',
    todo: 'Sign the tokens. In tests, use a key that the test makes.',
  },
  {
    name: 'a pattern as audience',
    acceptedBy: ['jsonwebtoken', 'fast-jwt'],
    because:
      'RFC 7519 section 4.1.3: names are compared exactly. Patterns match more than was meant, ' +
      'and may take very long: CVE-2026-35040, CVE-2026-35041.',
    todo: 'List the names: `audience: [one, two]`.',
  },
  {
    name: 'a verifier without issuer or audience',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because: 'RFC 8725 sections 3.8 and 3.9: else a token for another service is accepted.',
    todo: 'Name them, or waive each with `false`.',
  },
  {
    name: 'an option that is misspelled',
    acceptedBy: ['jsonwebtoken', 'jose', 'fast-jwt'],
    because: 'A check that is misspelled is not made.',
    todo: 'Correct the name. The error suggests one.',
  },
];

/** Passwords and digests that others accept, as __test__/docs/strictness.test.js shows. */
const PASSWORDS = [
  {
    name: 'a password with half of a surrogate pair',
    acceptedBy: ['argon2', '@node-rs/argon2', 'bcrypt'],
    because:
      'RFC 3629 section 3: UTF-8 has no surrogates. Each becomes U+FFFD, so different passwords ' +
      'have one hash.',
    todo: 'Check `isWellFormed()` when the request comes in, and answer 400.',
  },
  {
    name: 'a password of more than 4096 bytes',
    acceptedBy: ['argon2', '@node-rs/argon2', 'bcrypt'],
    because: 'A stranger chooses its length, and hashing it costs memory and time: CVE-2013-1443.',
    todo: 'Limit the length of the field, and answer 400.',
  },
  {
    name: 'a password with a NUL byte, for a bcrypt hash',
    acceptedBy: ['bcrypt'],
    because:
      'The key of bcrypt repeats, so `p` and `p\\0p` are one password. A new hash of the second would ' +
      'shut the first out.',
    todo: 'Nothing: no password matches, and people do not type NUL.',
  },
  {
    name: 'a digest with more passes, memory or lanes than the ceilings',
    acceptedBy: ['argon2', '@node-rs/argon2'],
    because: 'Whoever can write a digest into the database could occupy every core with it.',
    todo: 'Raise `limits` if the digest is yours. The defaults are 64 passes, 1 GiB and 64 lanes.',
  },
  {
    name: 'a cost that is not an integer',
    acceptedBy: ['argon2', '@node-rs/argon2'],
    because: 'It is cut to another cost than the one in the source.',
    todo: 'Round it, or call `calibrate`, whose costs are integers.',
  },
  {
    name: 'a cost of 2^32 and more',
    acceptedBy: ['@node-rs/argon2'],
    because: 'It wraps around: 2^32 + 2 passes are 2.',
    todo: 'Correct the number.',
  },
  {
    name: 'an option of `hash` that is misspelled',
    acceptedBy: ['argon2', '@node-rs/argon2'],
    because: 'The hash has the default cost instead of yours.',
    todo: 'Correct the name. The error suggests one.',
  },
];

module.exports = { KEYS, PASSWORDS, TOKENS };
