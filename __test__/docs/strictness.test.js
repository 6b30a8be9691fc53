'use strict';

// The rows of docs/strictness.md. Its tokens are tested by the fuzzers, by the crate's differential
// tests and by switch-from-jwt.test.js; its keys, options, passwords and digests are tried here.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { createHmac, createPublicKey, sign } = require('node:crypto');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const argon2 = require('argon2');
const bcrypt = require('bcrypt');
const { createSigner, createVerifier } = require('fast-jwt');
const jsonwebtoken = require('jsonwebtoken');
const rustArgon2 = require('@node-rs/argon2');

const { hash, JwtKey, JwtVerifier, PasswordHasher, RemoteJwks, verify } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { KEYS, PASSWORDS, TOKENS } = require('../helpers/strictness.js');
const { STRICTER } = require('../helpers/token-differences.js');
const { SECRET, key, segment } = require('../helpers/tokens.js');
const keys = require('../vectors/keys.json').cases;

const root = path.join(__dirname, '..', '..');
const HOUR = { sub: 's', aud: 'service', exp: Math.floor(Date.now() / 1000) + 3600 };

const spki = (format) => keyPair('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format });
const jwkOf = ({ publicKey }) => publicKey.export({ format: 'jwk' });
const rsa = (modulusLength) => keyPair('rsa', { modulusLength });

/** A token under an HMAC secret. */
function hmac(secret) {
  const signed = `${segment({ alg: 'HS256' })}.${segment(HOUR)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token under a private key. */
function signed(alg, privateKey, claims) {
  const text = `${segment({ alg })}.${segment({ ...HOUR, ...claims })}`;
  const made = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${made.toString('base64url')}`;
}

/** The verification of a token in each package, with its own name of the option. */
function tokens(token, secret, options = {}, other = {}) {
  const { pem = secret, algorithms = ['HS256'] } = other;
  return {
    jsonwebtoken: () => jsonwebtoken.verify(token, secret, { algorithms, ...options }),
    jose: async () => {
      const { jwtVerify } = await import('jose');
      return jwtVerify(token, secret, { algorithms, ...options });
    },
    'fast-jwt': () => createVerifier({ key: pem, algorithms, ...other.fast })(token),
  };
}

const asSecret = (secret) => ({
  ...tokens(hmac(secret), secret),
  here: () => JwtKey.fromSecret(secret, { alg: 'HS256' }),
});

function asKey(alg, pair) {
  const other = { pem: pair.publicKey.export({ type: 'spki', format: 'pem' }), algorithms: [alg] };
  return {
    ...tokens(signed(alg, pair.privateKey), pair.publicKey, {}, other),
    here: () => JwtKey.fromKeyObject(pair.publicKey, { alg }),
  };
}

const withOptions = (options, fast, here) => ({
  ...tokens(hmac(SECRET), SECRET, options, { fast }),
  here: () => new JwtVerifier({ keys: key, issuer: false, audience: false, ...here }),
});

/** The calls of each package for a row, and the code with which we refuse it. */
const KEY_CASES = {
  'an HMAC secret that is shorter than the output of its hash': [
    'ERR_JWT_KEY', () => asSecret(Buffer.alloc(31, 'x')),
  ],
  'a string as HMAC secret': ['ERR_INVALID_ARG_TYPE', () => asSecret('x'.repeat(40))],
  'the PEM of a public key, as bytes, as HMAC secret': [
    'ERR_JWT_KEY', () => asSecret(Buffer.from(spki('pem'))),
  ],
  'the DER of a public key as HMAC secret': ['ERR_JWT_KEY', () => asSecret(spki('der'))],
  'the JWK of a public key as HMAC secret': [
    'ERR_JWT_KEY', () => asSecret(Buffer.from(JSON.stringify(jwkOf(rsa(2048))))),
  ],
  'an empty HMAC secret': ['ERR_JWT_KEY', () => asSecret(Buffer.alloc(0))],
  'an RSA key below 2048 bits': ['ERR_JWT_KEY', () => asKey('RS256', rsa(1024))],
  'a key on secp256k1 for ES256': [
    'ERR_JWT_KEY', () => asKey('ES256', keyPair('ec', { namedCurve: 'secp256k1' })),
  ],
  'a private key in PEM with the traditional encryption of OpenSSL (`Proc-Type: 4,ENCRYPTED`)': [
    'ERR_JWT_KEY', () => {
      const passphrase = 'row';
      const options = { type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase };
      const pem = rsa(2048).privateKey.export(options);
      return {
        jsonwebtoken: () => jsonwebtoken.sign(HOUR, { key: pem, passphrase }, { algorithm: 'RS256' }),
        'fast-jwt': () => createSigner({ key: { key: pem, passphrase }, algorithm: 'RS256' })(HOUR),
        here: () => JwtKey.fromPem(pem, { alg: 'RS256', passphrase }),
      };
    },
  ],
  'a public EC key that spells out the parameters of its curve': ['ERR_JWT_KEY', () => {
    const { publicKey, privateKey } = keyPair('ec', { namedCurve: 'P-256' });
    const { pem } = keys.find(({ name }) => name === 'p-256 spki, explicit parameters');
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    // The point is at the end.
    publicKey.export({ type: 'spki', format: 'der' }).subarray(-65).copy(der, der.length - 65);
    return asKey('ES256', {
      publicKey: createPublicKey({ key: der, type: 'spki', format: 'der' }),
      privateKey,
    });
  }],
  'a JWK for encryption (`"use": "enc"`) as verification key': ['ERR_JWT_KEY', () => {
    const pair = rsa(2048);
    const jwk = { ...jwkOf(pair), use: 'enc' };
    return {
      jose: async () => {
        const { importJWK, jwtVerify } = await import('jose');
        return jwtVerify(signed('RS256', pair.privateKey), await importJWK(jwk, 'RS256'));
      },
      here: () => JwtKey.fromJwk(jwk, { alg: 'RS256' }),
    };
  }],
  'a token of another issuer than the one that the JWK names': ['ERR_JWT_CLAIM', () => {
    const pair = rsa(2048);
    const jwk = { ...jwkOf(pair), issuer: 'https://id.example/one' };
    const token = signed('RS256', pair.privateKey, { iss: 'https://id.example/two' });
    return {
      jose: async () => {
        const { importJWK, jwtVerify } = await import('jose');
        return jwtVerify(token, await importJWK(jwk, 'RS256'));
      },
      here: () => {
        const keys = JwtKey.fromJwk(jwk, { alg: 'RS256' });
        return new JwtVerifier({ keys, issuer: false, audience: false }).verify(token);
      },
    };
  }],
  'a JWK Set over plain http from another machine': ['ERR_INVALID_ARG_VALUE', () => {
    const url = new URL('http://keys.example/jwks');
    const { publicKey, privateKey } = rsa(2048);
    const body = JSON.stringify({ keys: [jwkOf({ publicKey })] });
    return {
      jose: async () => {
        const { createRemoteJWKSet, customFetch, jwtVerify } = await import('jose');
        const set = createRemoteJWKSet(url, { [customFetch]: async () => new Response(body) });
        return jwtVerify(signed('RS256', privateKey), set);
      },
      here: () => new RemoteJwks(url),
    };
  }],
  'a key without an algorithm': ['ERR_MISSING_OPTION', () => {
    const pair = rsa(2048);
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' });
    const other = { pem, algorithms: undefined };
    return {
      ...tokens(signed('RS256', pair.privateKey), pair.publicKey, { algorithms: undefined }, {
        ...other,
        fast: { algorithms: [] },
      }),
      here: () => JwtKey.fromPem(pem, {}),
    };
  }],
  'the algorithm `none`': ['ERR_INVALID_ARG_VALUE', () => ({
    ...tokens(`${segment({ alg: 'none' })}.${segment(HOUR)}.`, undefined, {}, { algorithms: ['none'] }),
    here: () => new JwtVerifier({ keys: key, issuer: false, audience: false, algorithms: ['none'] }),
  })],
  'a pattern as audience': ['ERR_INVALID_ARG_TYPE', () =>
    withOptions({ audience: /serv/ }, { allowedAud: /serv/ }, { audience: /serv/ })],
  'a verifier without issuer or audience': ['ERR_MISSING_OPTION', () => ({
    ...tokens(hmac(SECRET), SECRET),
    here: () => new JwtVerifier({ keys: key }),
  })],
  'an option that is misspelled': ['ERR_UNKNOWN_OPTION', () =>
    withOptions({ audiense: 'x' }, { allowedAudiense: 'x' }, { audiense: 'x' })],
};

const CHEAP = { memoryCost: 1024, timeCost: 2, parallelism: 1 };
const isTrue = async (answer) => assert.equal(await answer, true);
/** Each package hashes `password` and verifies `other`. */
const asPassword = (password, other = password) => ({
  argon2: async () => isTrue(argon2.verify(await argon2.hash(password, CHEAP), other)),
  '@node-rs/argon2': async () => isTrue(rustArgon2.verify(await rustArgon2.hash(password, CHEAP), other)),
  bcrypt: async () => isTrue(bcrypt.compare(other, await bcrypt.hash(password, 4))),
  here: () => hash(password, CHEAP),
});
const asOptions = (options) => ({
  argon2: () => argon2.hash('password', { ...CHEAP, ...options }),
  '@node-rs/argon2': () => rustArgon2.hash('password', { ...CHEAP, ...options }),
  here: () => hash('password', { ...CHEAP, ...options }),
});

const PASSWORD_CASES = {
  'a password with half of a surrogate pair': [
    'ERR_INVALID_ARG_VALUE', () => asPassword('p\ud800', 'p\udfff'),
  ],
  'a password of more than 4096 bytes': ['ERR_OUT_OF_RANGE', () => asPassword('x'.repeat(4097))],
  'a password with a NUL byte, for a bcrypt hash': ['no match', () => {
    const digest = bcrypt.hashSync('p', 4);
    const passwords = new PasswordHasher({ legacy: ['bcrypt'] });
    return {
      bcrypt: () => assert(bcrypt.compareSync('p\0p', digest)),
      here: async () => {
        if (await passwords.verify(digest, 'p\0p')) return;
        throw Object.assign(new Error(), { code: 'no match' });
      },
    };
  }],
  'a digest with more passes, memory or lanes than the ceilings': ['ERR_PASSWORD_LIMIT', () => {
    const digest = `$argon2id$v=19$m=8,t=65,p=1$${'c29tZXNhbHQ'}$${'A'.repeat(43)}`;
    return {
      argon2: () => argon2.verify(digest, 'password'),
      '@node-rs/argon2': () => rustArgon2.verify(digest, 'password'),
      here: () => verify(digest, 'password'),
    };
  }],
  'a cost that is not an integer': ['ERR_OUT_OF_RANGE', () => asOptions({ timeCost: 2.9 })],
  'a cost of 2^32 and more': ['ERR_OUT_OF_RANGE', () => asOptions({ timeCost: 2 ** 32 + 2 })],
  'an option of `hash` that is misspelled': ['ERR_UNKNOWN_OPTION', () => asOptions({ timecost: 3 })],
};

for (const [rows, cases] of [[KEYS, KEY_CASES], [PASSWORDS, PASSWORD_CASES]]) {
  test('every row has its case', () => {
    assert.deepEqual(Object.keys(cases), rows.map(({ name }) => name));
  });
  for (const { name, acceptedBy } of rows) {
    test(`those whom the page names accept it, and we do not: ${name}`, async () => {
      const [code, make] = cases[name];
      const { here, ...others } = make();
      const accepting = [];
      for (const [library, use] of Object.entries(others)) {
        if (await accepts(use)) accepting.push(library);
      }
      assert.deepEqual(accepting, acceptedBy);
      await assert.rejects(async () => here(), { code });
    });
  }
}

async function accepts(use) {
  try {
    await use();
    return true;
  } catch {
    return false;
  }
}

test('the page is that of the tables', () => {
  const args = ['scripts/strictness.mjs', '--check'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a class without a row, a remedy or a package is an error', async () => {
  const { strictnessPage } = await import('../../scripts/lib/strictness.mjs');
  const classes = readFileSync(path.join(root, 'src/jwt/tests/differential/classes.rs'), 'utf8');
  const guide = readFileSync(path.join(root, 'docs/migrating.md'), 'utf8');
  const tables = { jose: STRICTER, TOKENS, KEYS, PASSWORDS, classes, guide };
  assert.match(strictnessPage(tables), /^# Strictness/);
  const [first, ...rest] = STRICTER;
  const newClass = classes.replace(
    /(pub\(super\) const STRICTER[^\n]*\n)/,
    '$1    Class {\n        name: "a new class",\n    },\n',
  );
  const newRow = guide.replace(/^\| no `exp` \|.*$/m, (row) => `${row}\n${row.replace('no', 'new')}`);
  for (const [change, message] of [
    [{ jose: [{ ...first, todo: undefined }, ...rest] }, /has no sentence as todo/],
    [{ jose: [{ ...first, because: '' }, ...rest] }, /has no sentence as because/],
    [{ jose: rest }, /has no row/],
    [{ TOKENS: [] }, /has no row/],
    [{ classes: newClass }, /"a new class" has no row/],
    [{ guide: newRow }, /"new `exp`" has no row/],
    [{ KEYS: [{ ...KEYS[0], acceptedBy: [] }] }, /nobody accepts/],
  ]) {
    assert.throws(() => strictnessPage({ ...tables, ...change }), message);
  }
});
