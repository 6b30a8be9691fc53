'use strict';

// RSA keys of Infineon's library, which can be factored (CVE-2017-15361).

const assert = require('node:assert/strict');
const { checkPrimeSync, createHash, createPrivateKey, createPublicKey } =
  require('node:crypto');
const { test } = require('node:test');

const { JwtKey } = require('@nodesec/native');

const isPrime = (number) => Array.from({ length: number - 2 }, (_, at) => at + 2)
  .every((divisor) => number % divisor !== 0);
const primes = (count) => {
  const found = [];
  for (let number = 2; found.length < count; number++) if (isPrime(number)) found.push(number);
  return found;
};
/** For 2048 bits, the primes of a key depend on the product of the first 126 primes. */
const M = primes(126).reduce((product, prime) => product * BigInt(prime), 1n);

function power(base, exponent, modulus) {
  let result = 1n;
  for (let [left, square] = [exponent, base % modulus]; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** A number of 256 bits that depends on its label alone. */
const drawn = (label) => BigInt(`0x${createHash('sha256').update(label).digest('hex')}`);

/** A prime k · M + (65537 ^ a mod M) of 1024 bits, as that library chose its primes. */
function weakPrime(label) {
  const start = power(65537n, drawn(label), M);
  const least = (3n << 1022n) / M;
  for (let k = least + drawn(`${label} k`) % (least / 8n); ; k++) {
    if (checkPrimeSync(k * M + start)) return k * M + start;
  }
}

function inverse(value, modulus) {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return ((x % modulus) + modulus) % modulus;
}

const number = (value) => {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
};

function jwkOf(p, q) {
  const [e, n] = [65537n, p * q];
  const d = inverse(e, (p - 1n) * (q - 1n));
  const parts = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const members = Object.entries(parts).map(([name, value]) => [name, number(value)]);
  return { kty: 'RSA', ...Object.fromEntries(members) };
}

const strongPrime = (label) => {
  let prime = (3n << 1022n) + (drawn(label) << 512n) + drawn(`${label} low`) * 2n + 1n;
  while (!checkPrimeSync(prime)) prime += 2n;
  return prime;
};

const weak = jwkOf(weakPrime('p'), weakPrime('q'));
const strong = jwkOf(strongPrime('p'), strongPrime('q'));
const publicHalf = ({ kty, n, e }) => ({ kty, n, e });

/** Every way in which a key comes in. */
function imports(jwk, alg) {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  const pairs = [[privateKey, 'pkcs8'], [privateKey, 'pkcs1'], [publicKey, 'spki'], [publicKey, 'pkcs1']];
  return [
    ...pairs.flatMap(([key, type]) => [
      () => JwtKey.fromPem(key.export({ type, format: 'pem' }), { alg }),
      () => JwtKey.fromDer(key.export({ type, format: 'der' }), { alg }),
      () => JwtKey.fromKeyObject(key, { alg }),
    ]),
    () => JwtKey.fromJwk(jwk, { alg }),
    () => JwtKey.fromJwk(publicHalf(jwk), { alg }),
  ];
}

test('a key of ROCA is refused in every form, and other keys of the same form are read', () => {
  for (const alg of ['RS256', 'PS512']) {
    for (const make of imports(weak, alg)) {
      assert.throws(make, { code: 'ERR_JWT_KEY', message: /ROCA \(CVE-2017-15361\)/ });
    }
    for (const make of imports(strong, alg)) assert.equal(make().alg, alg);
  }
});

test('a key of ROCA in a JWK Set is left out', () => {
  const keys = [publicHalf(weak), publicHalf(strong)].map((jwk, at) => ({ ...jwk, kid: `k${at}` }));
  assert.deepEqual(JwtKey.fromJwks({ keys }).map(({ kid }) => kid), ['k1']);
});

test('a key with only one weak prime has no fingerprint', () => {
  for (const jwk of [
    jwkOf(weakPrime('p'), strongPrime('q')),
    jwkOf(strongPrime('p'), weakPrime('q')),
  ]) {
    assert.equal(JwtKey.fromJwk(jwk, { alg: 'RS256' }).private, true);
  }
});
