'use strict';

const assert = require('node:assert/strict');
const { createPrivateKey, createPublicKey, createSecretKey } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, SecretBuffer, verifyJws } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { coded } = require('../helpers/outcome.js');
const { cases } = require('../vectors/keys.json');

const HS256 = { alg: 'HS256' };
const SECRET = Buffer.alloc(32, 7);
const oct = { kty: 'oct', k: SECRET.toString('base64url') };
const { publicKey, privateKey } = keyPair('ed25519');
const jwk = privateKey.export({ format: 'jwk' });
const publicJwk = publicKey.export({ format: 'jwk' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

/** A stored pair of keys, which need not be generated. */
const stored = (name) => {
  const { pem } = cases.find((entry) => entry.name === name);
  return { privateKey: createPrivateKey(pem), publicKey: createPublicKey(pem) };
};

const refused = (make, code = 'ERR_JWT_KEY') => assert.throws(make, coded(code));

// Generating an RSA key takes up to a second, so the tests generate no more than they need.
test('generated keys are private and have ids of their own', async () => {
  const rsa = [JwtKey.generate('RS256'), JwtKey.generate('PS512', { modulusLength: 3072 })];
  for (const alg of ['HS256', 'HS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']) {
    const [one, other] = await Promise.all([JwtKey.generate(alg), JwtKey.generate(alg)]);
    assert.equal(one.alg, alg);
    assert.equal(one.private, true);
    assert.match(one.kid, alg.startsWith('HS') ? /^[\w-]{22}$/ : /^[\w-]{43}$/);
    assert.notEqual(one.kid, other.kid);
  }
  assert.equal((await JwtKey.generate('ES256', { kid: 'mine' })).kid, 'mine');
  const made = await Promise.all(rsa);
  const bits = (key) => Buffer.from(key.toPublicJwk().n, 'base64url').length * 8;
  assert.deepEqual(made.map((key) => [key.alg, bits(key)]), [['RS256', 2048], ['PS512', 3072]]);
  assert.ok(made.every((key) => key.private && /^[\w-]{43}$/.test(key.kid)));
});

test('a modulus that RSA cannot have here is refused', async () => {
  for (const [alg, modulusLength, code] of [
    ['RS256', 1024, 'ERR_OUT_OF_RANGE'],
    ['RS256', 2049, 'ERR_OUT_OF_RANGE'],
    ['ES256', 2048, 'ERR_JWT_KEY'],
  ]) {
    await assert.rejects(JwtKey.generate(alg, { modulusLength }), coded(code));
  }
});

test('an HMAC secret has 32 to 4096 bytes', () => {
  for (const secret of [SECRET, SecretBuffer.random(32), Buffer.alloc(4096)]) {
    assert.equal(JwtKey.fromSecret(secret, HS256).private, true);
  }
  for (const secret of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(4097)]) {
    refused(() => JwtKey.fromSecret(secret, HS256));
  }
  refused(() => JwtKey.fromSecret(SECRET, { alg: 'RS256' }));
  refused(() => JwtKey.fromSecret(SECRET, {}), 'ERR_MISSING_OPTION');
  // A string is never accepted as a secret.
  refused(() => JwtKey.fromSecret('x'.repeat(32), HS256), 'ERR_INVALID_ARG_TYPE');
});

test('the id of an HMAC key says nothing about its secret', () => {
  const [one, other] = [1, 2].map(() => JwtKey.fromSecret(SECRET, HS256).kid);
  assert.notEqual(one, other);
});

test('an HMAC key has no public half', () => {
  refused(() => JwtKey.fromSecret(SECRET, HS256).toPublicJwk());
});

test('a symmetric JWK makes an HMAC key', () => {
  const key = JwtKey.fromJwk({ ...oct, alg: 'HS256', kid: 'own' });
  assert.deepEqual([key.alg, key.kid], ['HS256', 'own']);
  assert.equal(JwtKey.fromJwk({ ...oct, kid: 'own' }, { ...HS256, kid: 'mine' }).kid, 'mine');
  for (const k of [undefined, null, 1, '', `${oct.k}=`, `${oct.k}!`, 'AB', [oct.k]]) {
    refused(() => JwtKey.fromJwk({ ...oct, k }, HS256));
  }
  refused(() => JwtKey.fromJwk(oct), 'ERR_MISSING_OPTION');
});

test('a JWK is only for what it says it is for', () => {
  for (const [own, alg] of [
    [oct, 'HS256'],
    [jwk, 'EdDSA'],
    [publicJwk, 'EdDSA'],
  ]) {
    assert.equal(JwtKey.fromJwk({ ...own, alg, use: 'sig' }, { alg }).alg, alg);
    refused(() => JwtKey.fromJwk({ ...own, use: 'enc' }, { alg }));
    refused(() => JwtKey.fromJwk({ ...own, alg: 'HS512' }, { alg }));
    refused(() => JwtKey.fromJwk({ ...own, alg }, { alg: 'ES256' }));
    refused(() => JwtKey.fromJwk({ ...own, alg }, { alg: null }), 'ERR_INVALID_ARG_TYPE');
    refused(() => JwtKey.fromJwk({ ...own, alg: 'none' }));
  }
});

test('a private JWK makes a private key whose public half it is', () => {
  const key = JwtKey.fromJwk(jwk, { alg: 'EdDSA' });
  assert.equal(key.private, true);
  assert.equal(key.toPublicJwk().x, publicJwk.x);
  assert.equal('d' in key.toPublicJwk(), false);
  assert.equal(key.kid, JwtKey.fromJwk(publicJwk, { alg: 'EdDSA' }).kid);
});

test('a malformed JWK is refused', () => {
  for (const broken of [
    {},
    { kty: 'OKP' },
    { ...publicJwk, crv: 'X25519' },
    { ...publicJwk, x: `${publicJwk.x}A` },
    { ...publicJwk, x: publicJwk.x.slice(1) },
    { ...jwk, d: 'AAAA' },
    { ...jwk, x: 'A'.repeat(43) },
  ]) {
    refused(() => JwtKey.fromJwk(broken, { alg: 'EdDSA' }));
  }
});

test('a key is bound to one algorithm, of its own kind', () => {
  const rsa = stored('rsa-2048 pkcs8');
  const p384 = keyPair('ec', { namedCurve: 'P-384' });
  const x25519 = keyPair('x25519');
  for (const [pair, alg] of [
    [rsa, 'ES256'],
    [rsa, 'EdDSA'],
    [p384, 'ES256'],
    [p384, 'RS256'],
    [x25519, 'EdDSA'],
    [{ publicKey, privateKey }, 'ES256'],
    [{ publicKey, privateKey }, 'HS256'],
  ]) {
    for (const key of [pair.publicKey, pair.privateKey]) {
      const type = key.type === 'private' ? 'pkcs8' : 'spki';
      refused(() => JwtKey.fromKeyObject(key, { alg }));
      refused(() => JwtKey.fromJwk(key.export({ format: 'jwk' }), { alg }));
      refused(() => JwtKey.fromPem(key.export({ type, format: 'pem' }), { alg }));
    }
  }
  refused(() => JwtKey.fromKeyObject(createSecretKey(SECRET), { alg: 'EdDSA' }));
});

test('a modulus of 1024 bits is too short', () => {
  const short = stored('rsa-1024 pkcs8');
  refused(() => JwtKey.fromKeyObject(short.publicKey, { alg: 'RS256' }));
  refused(() => JwtKey.fromKeyObject(short.privateKey, { alg: 'RS256' }));
});

test('a PEM may be text, bytes or a secret', () => {
  const alg = 'EdDSA';
  for (const form of [pem, Buffer.from(pem), SecretBuffer.fromString(pem)]) {
    assert.equal(JwtKey.fromPem(form, { alg }).toPublicJwk().x, publicJwk.x);
  }
});

test('a PEM that is not one key is refused', () => {
  const cipher = 'aes-256-cbc';
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher,
    passphrase: 'secret',
  });
  for (const broken of [
    '',
    'garbage',
    pem + pem,
    pem.replaceAll('PRIVATE', 'PUBLIC'),
    pem.replaceAll('PRIVATE KEY', 'CERTIFICATE'),
    pem.slice(0, -30),
    pem.replace(/\n.{10}/, '\n'),
    encrypted,
    Buffer.from(pem).fill(0),
    'x'.repeat(60_000),
  ]) {
    refused(() => JwtKey.fromPem(broken, { alg: 'EdDSA' }));
  }
});

test('an error does not quote the key', () => {
  const text = jwk.d.slice(0, 20);
  for (const make of [
    () => JwtKey.fromJwk({ ...jwk, d: jwk.d.slice(0, 30) }, { alg: 'EdDSA' }),
    () => JwtKey.fromJwk({ ...jwk, x: oct.k }, { alg: 'EdDSA' }),
    () => JwtKey.fromPem(`${pem}${jwk.d}`.replace('KEY', jwk.d), { alg: 'EdDSA' }),
  ]) {
    assert.throws(make, (error) => {
      assert.equal(error.code, 'ERR_JWT_KEY');
      assert.ok(!`${error.stack} ${error.cause}`.includes(text));
      return true;
    });
  }
});

test('an id has at most 256 bytes', () => {
  assert.equal(JwtKey.fromSecret(SECRET, { ...HS256, kid: 'ключ "1"' }).kid, 'ключ "1"');
  refused(() => JwtKey.fromSecret(SECRET, { ...HS256, kid: 'k'.repeat(257) }), 'ERR_OUT_OF_RANGE');
});

test('a public key cannot sign', () => {
  const keys = JwtKey.fromKeyObject(publicKey, { alg: 'EdDSA' });
  refused(() => new JwtIssuer({ keys, expiresIn: 60 }));
});

const VAULT = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'];

test('a JWK must be for the operations that its key is for', () => {
  const alg = 'EdDSA';
  const both = ['sign', 'verify'];
  const cases = [
    [publicJwk, alg, ['verify'], true],
    [publicJwk, alg, ['sign'], false],
    [jwk, alg, ['sign'], true],
    [jwk, alg, ['verify'], false],
    [oct, 'HS256', both, true],
    [oct, 'HS256', ['sign'], false],
    [oct, 'HS256', ['verify', 'sign', 'sign'], false],
    // Azure Key Vault lists all that the key can do.
    [publicJwk, alg, VAULT, true],
    [jwk, alg, VAULT, true],
    [oct, 'HS256', VAULT, true],
    [publicJwk, alg, ['verify', 'https://vault.example/attest'], true],
    [publicJwk, alg, VAULT.filter((name) => name !== 'verify'), false],
    [jwk, alg, VAULT.filter((name) => name !== 'sign'), false],
    [oct, 'HS256', VAULT.filter((name) => name !== 'sign'), false],
  ];
  for (const [own, alg, operations, accepted] of cases) {
    const make = () => JwtKey.fromJwk({ ...own, key_ops: operations }, { alg });
    if (accepted) assert.equal(make().alg, alg);
    else refused(make);
  }
  for (const operations of [[], 'verify', ['deriveKey'], [['verify']]]) {
    refused(() => JwtKey.fromJwk({ ...publicJwk, key_ops: operations }, { alg }));
  }
});

test('an Ed25519 key verifies under both names', () => {
  for (const [own, other] of [
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA'],
  ]) {
    const keys = JwtKey.fromKeyObject(privateKey, { alg: own });
    const token = new JwtIssuer({ keys, expiresIn: 60 }).sign({});
    const reader = JwtKey.fromJwk({ ...publicJwk, alg: own }, { alg: other });
    const policy = { keys: reader, issuer: false, audience: false };
    assert.ok(new JwtVerifier(policy).verify(token).exp);
    const narrow = new JwtVerifier({ ...policy, algorithms: [other] });
    assert.equal(narrow.tryVerify(token).code, 'ERR_JWT_ALGORITHM');
  }
});

test('verifyJws gives the bytes of any payload', () => {
  // RFC 8037 appendix A.4.
  const token =
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
  const key = JwtKey.fromJwk(
    { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    { alg: 'EdDSA' },
  );
  const algorithms = ['EdDSA'];
  const payload = verifyJws(token, key, { algorithms });
  assert.ok(Buffer.isBuffer(payload));
  assert.equal(payload.toString(), 'Example of Ed25519 signing');
  for (const [text, keys, names, code] of [
    [token, key, ['ES256'], 'ERR_JWT_ALGORITHM'],
    [token, [], algorithms, 'ERR_JWT_KEY_NOT_FOUND'],
    [`${token}.`, key, algorithms, 'ERR_JWT_MALFORMED'],
    ['x'.repeat(100_000), key, algorithms, 'ERR_JWT_MALFORMED'],
    // A verifier gives the same code: the text is not base64url.
    [`${token}\ud800`, key, algorithms, 'ERR_JWT_MALFORMED'],
    [token.replace('RXhh', 'RXhi'), key, algorithms, 'ERR_JWT_SIGNATURE'],
  ]) {
    refused(() => verifyJws(text, keys, { algorithms: names }), code);
  }
});

/**
 * RSA keys whose private exponents are the same modulo lcm(p - 1, q - 1), and larger. The primes
 * are random, and with them how many of the multiples stay below the modulus. The library may read
 * an exponent that is above the modulus and has no more digits; it is the same key.
 */
function unreduced(jwk) {
  const read = (name) => BigInt(`0x${Buffer.from(jwk[name], 'base64url').toString('hex')}`);
  const [p, q] = [read('p') - 1n, read('q') - 1n];
  let [gcd, rest] = [p, q];
  while (rest > 0n) [gcd, rest] = [rest, gcd % rest];
  return [1n, gcd - 1n, gcd, gcd + 20n, 1000n * gcd].map((times) => {
    const d = read('d') + (times * p * q) / gcd;
    const digits = d.toString(16);
    const even = digits.length % 2 === 0 ? digits : `0${digits}`;
    const changed = { ...jwk, d: Buffer.from(even, 'hex').toString('base64url') };
    return { changed, below: d < read('n'), longer: d.toString(2).length > 2048 };
  });
}

test('an RSA key whose exponent is not reduced is read or refused for that', () => {
  const jwk = keyPair('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  for (const { changed, below, longer } of unreduced(jwk)) {
    const file = keyObjectOf(changed);
    for (const alg of ['RS256', 'PS512']) {
      const makers = [() => JwtKey.fromJwk(changed, { alg }), () => JwtKey.fromPem(pkcs1(changed), { alg })];
      if (file !== undefined) makers.push(() => JwtKey.fromKeyObject(file, { alg }));
      for (const make of makers) {
        const { code, message } = outcomeOf(make);
        if (below) assert.equal(code, undefined);
        else if (longer) assert.equal(code, 'ERR_JWT_KEY');
        else assert.ok(code === undefined || code === 'ERR_JWT_KEY', code);
        if (code) assert.match(message, /d must be below the modulus/);
      }
    }
  }
});

/** The PEM of a key (RFC 8017, appendix A.1.2). */
function pkcs1(jwk) {
  const encoded = (tag, body) => {
    const { length } = body;
    const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from([tag, ...size]), body]);
  };
  const integers = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'].map((name) => {
    const bytes = Buffer.from(jwk[name], 'base64url');
    return encoded(2, bytes[0] < 128 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]));
  });
  const der = encoded(0x30, Buffer.concat([encoded(2, Buffer.alloc(1)), ...integers]));
  return `-----BEGIN RSA PRIVATE KEY-----\n${der.toString('base64')}\n-----END RSA PRIVATE KEY-----\n`;
}

/** Undefined if OpenSSL refuses the key, as it does since 3.5 for a long exponent. */
function keyObjectOf(jwk) {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch (error) {
    assert.ok(parseFloat(process.versions.openssl) >= 3.5, error);
    return undefined;
  }
}

function outcomeOf(make) {
  try {
    return { private: make().private };
  } catch (error) {
    return error;
  }
}
