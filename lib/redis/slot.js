'use strict';

// The slot of a key in a cluster: CRC-16 (XMODEM) of its hash tag, modulo 16,384, as in the
// specification of Redis Cluster.

const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;

/** The remainder of each byte. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/** The slot of a key, a text. */
function slotOf(key) {
  let crc = 0;
  for (const byte of Buffer.from(tagOf(key))) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ byte];
  return crc % SLOTS;
}

/** The part in the first braces; all of a key whose braces are missing or empty. */
function tagOf(key) {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

module.exports = { slotOf };
