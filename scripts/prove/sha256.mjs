// The compression function of SHA-256 (FIPS 180-4 section 6.2.2), which Node does not offer by
// itself. HMAC implementations store a key as the state after one block.

const PRIMES = firstPrimes(64);
const ROUND = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

/** The state before the first block. */
export function initialState() {
  return PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
}

/** The state after a block of 64 bytes, as eight words. */
export function compress(state, block) {
  const words = Array.from({ length: 16 }, (_, index) => block.readUInt32BE(index * 4));
  for (let t = 16; t < 64; t += 1) {
    const [w2, w7, w15, w16] = [2, 7, 15, 16].map((back) => words[t - back]);
    const small0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
    const small1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
    words.push((w16 + small0 + w7 + small1) | 0);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + big1 + ((e & f) ^ (~e & g)) + ROUND[t] + words[t]) | 0;
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((word, index) => (word + state[index]) >>> 0);
}

function rotate(word, by) {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits of the fractional part. */
function fraction(number) {
  return Math.floor((number % 1) * 2 ** 32);
}

function firstPrimes(count) {
  const primes = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}
