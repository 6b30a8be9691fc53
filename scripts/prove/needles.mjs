// What a secret may look like in memory: the bytes, the texts that stand for them, and what an HMAC
// or a cipher computes from them.

import { createHmac, hkdfSync } from 'node:crypto';

import { compress, initialState } from './sha256.mjs';

/** The block of SHA-256, in bytes. */
const BLOCK = 64;

/**
 * Every form of some bytes, in pieces that carry at least 64 bits of them: a part of a secret, as a
 * register or the end of a buffer may hold, is found as well.
 */
export function formsOf(bytes) {
  const latin1 = bytes.toString('latin1');
  return [
    ...binary('raw', bytes),
    ...text('hex', bytes.toString('hex'), 16),
    ...text('HEX', bytes.toString('hex').toUpperCase(), 16),
    // From the first, second and third byte on, as within a longer text.
    ...[0, 1, 2].flatMap((skipped) => [
      ...text(`base64+${skipped}`, wholeBase64(bytes.subarray(skipped), 'base64'), 12),
      ...text(`base64url+${skipped}`, wholeBase64(bytes.subarray(skipped), 'base64url'), 12),
    ]),
    ...pieces('raw as UTF-8', Buffer.from(latin1), 16),
    ...pieces('raw as UTF-16', Buffer.from(latin1, 'utf16le'), 16),
  ];
}

/** What HMAC-SHA256 makes of a key: the padded blocks, and the states after them (RFC 2104). */
export function hmacForms(key) {
  const block = Buffer.alloc(BLOCK);
  key.copy(block);
  return [
    ['inner', 0x36],
    ['outer', 0x5c],
  ].flatMap(([name, pad]) => {
    const padded = block.map((byte) => byte ^ pad);
    const state = stateAfter(padded);
    return [
      // Behind the key the block is the same for everybody.
      ...binary(`${name} block`, padded.subarray(0, key.length)),
      ...binary(`${name} state`, state),
    ];
  });
}

/** What sealing derives from the caller's key and the salt at the head of what it sealed. */
export function sealForms(key, sealed) {
  const salt = sealed.subarray(2, 34);
  const extracted = createHmac('sha256', salt).update(key).digest();
  const cipherKey = hkdfSync('sha256', key, salt, '@nodesec/native seal 1', 32);
  return [
    ...binary('extracted key', extracted),
    ...hmacForms(extracted).map((form) => ({ ...form, name: `extracted key, ${form.name}` })),
    ...binary('cipher key', Buffer.from(cipherKey)),
  ];
}

/** The bytes forwards, backwards, and by words of 4 and 8 bytes in the other order. */
function binary(name, bytes) {
  return [
    ...pieces(name, bytes, 8),
    ...pieces(`${name}, reversed`, Buffer.from(bytes).reverse(), 8),
    ...pieces(`${name}, swapped by 4`, Buffer.from(bytes).swap32(), 8),
    ...pieces(`${name}, swapped by 8`, Buffer.from(bytes).swap64(), 8),
  ];
}

function text(name, string, length) {
  return [
    ...pieces(name, Buffer.from(string), length),
    ...pieces(`${name}, reversed`, Buffer.from(string).reverse(), length),
    ...pieces(`${name} as UTF-16`, Buffer.from(string, 'utf16le'), 2 * length),
  ];
}

function pieces(name, bytes, length) {
  const found = [];
  for (let at = 0; at + length <= bytes.length; at += length) {
    found.push({ name, bytes: bytes.subarray(at, at + length) });
  }
  return found;
}

/** Only the groups that three bytes fill: the last may depend on what comes behind. */
function wholeBase64(bytes, encoding) {
  return bytes.subarray(0, Math.floor(bytes.length / 3) * 3).toString(encoding);
}

function stateAfter(block) {
  const state = Buffer.alloc(32);
  compress(initialState(), block).forEach((word, index) => state.writeUInt32BE(word, index * 4));
  return state;
}
