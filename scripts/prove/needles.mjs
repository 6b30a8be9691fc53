// Computes the forms that a secret may have in memory: its bytes, their text encodings, and the
// values that an HMAC or a cipher derives from them.

import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { compress, initialState } from './sha256.mjs';

/** The block size of SHA-256, in bytes. */
const BLOCK = 64;

/**
 * Returns every form of some bytes, in pieces that carry at least 64 bits of them. So the harness
 * also finds a part of a secret, for example in a register or at the end of a buffer.
 */
export function formsOf(bytes) {
  const latin1 = bytes.toString('latin1');
  return [
    ...binary('raw', bytes),
    ...text('hex', bytes.toString('hex'), 16),
    ...text('HEX', bytes.toString('hex').toUpperCase(), 16),
    // Starting at the first, second and third byte: within a longer text the groups of three bytes
    // may start at any of them.
    ...[0, 1, 2].flatMap((skipped) => [
      ...text(`base64+${skipped}`, wholeBase64(bytes.subarray(skipped), 'base64'), 12),
      ...text(`base64url+${skipped}`, wholeBase64(bytes.subarray(skipped), 'base64url'), 12),
    ]),
    ...pieces('raw as UTF-8', Buffer.from(latin1), 16),
    ...pieces('raw as UTF-16', Buffer.from(latin1, 'utf16le'), 16),
  ];
}

/** The forms of an HMAC-SHA256 key: its padded blocks, and the states after them (RFC 2104). */
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
      // The rest of the block, behind the key, is the same for all keys.
      ...binary(`${name} block`, padded.subarray(0, key.length)),
      ...binary(`${name} state`, state),
    ];
  });
}

/**
 * The values that sealing derives from the caller's key and the salt, which are bytes 2 to 33 of
 * the sealed data.
 */
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

const STORE_SALT = '@nodesec/native store 1';
const KEYS_RECORD = Buffer.from('revocation/keys');
/** The bytes of an integer of SQLite, by its serial type (section 2.1 of its file format). */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];
/** The constants of SipHash's state: words of the key are combined with them. */
const SIP_WORDS = ['somepseu', 'dorandom', 'lygenera', 'tedbytes'].map((word) =>
  Buffer.from(word, 'latin1').reverse(),
);

/** The values that a store derives from its key. `folder` is a backup of the store. */
export function storeForms(key, folder) {
  const extracted = createHmac('sha256', STORE_SALT).update(key).digest();
  const record = storedRecord(folder);
  return [
    ...binary('extracted key', extracted),
    ...hmacForms(extracted).map((form) => ({ ...form, name: `extracted key, ${form.name}` })),
    ...['head', 'record', 'rows', 'secrets', 'check'].flatMap((label) => {
      const derived = storeKey(key, label);
      return [
        ...binary(`${label} key`, derived),
        ...hmacForms(derived).map((form) => ({ ...form, name: `${label} key, ${form.name}` })),
      ];
    }),
    ...binary('cipher key of a record', cipherKey(key, record.salt)),
  ];
}

/** The keys of SipHash in a store: those of fingerprints, which a record holds, and of the sum. */
export function fingerprintKeyForms(key, folder) {
  const { salt, position, sealed } = storedRecord(folder);
  const cipher = createDecipheriv('aes-256-gcm', cipherKey(key, salt), Buffer.alloc(12));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(KEYS_RECORD.length);
  cipher.setAAD(Buffer.concat([Buffer.from('r'), position, length, KEYS_RECORD]));
  cipher.setAuthTag(sealed.subarray(-16));
  const ofIds = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  const ofSum = createHmac('sha256', storeKey(key, 'rows')).update('rows').digest().subarray(0, 16);
  const keys = Buffer.concat([ofIds, ofSum]);
  const states = [0, 1].map((pair) => {
    const words = Buffer.from(keys);
    words.forEach((byte, at) => {
      words[at] = byte ^ SIP_WORDS[2 * pair + (Math.floor(at / 8) % 2)][at % 8];
    });
    return words;
  });
  return [...binary('keys', keys), ...states.flatMap((state) => binary('first states', state))];
}

function storeKey(key, label) {
  return Buffer.from(hkdfSync('sha256', key, STORE_SALT, label, 32));
}

function cipherKey(key, salt) {
  return createHmac('sha256', storeKey(key, 'record')).update(salt).digest();
}

/** The record with the keys of fingerprints, as the file of the database has it. */
function storedRecord(folder) {
  const bytes = readFileSync(path.join(folder, 'store.db'));
  const name = bytes.indexOf(KEYS_RECORD);
  if (name < 0) throw new Error('the store has no keys of fingerprints');
  // In front of the name are the serial types of the name, of the position and, in two bytes, of
  // the value; after it the position and the value, of which the first 16 bytes are the salt.
  const width = INTEGER_BYTES[bytes[name - 3]];
  const size = ((bytes[name - 2] & 0x7f) * 128 + bytes[name - 1] - 12) / 2;
  const at = name + KEYS_RECORD.length;
  const position = Buffer.alloc(8);
  Buffer.from(bytes.subarray(at, at + width)).reverse().copy(position);
  const value = bytes.subarray(at + width, at + width + size);
  return { salt: value.subarray(0, 16), position, sealed: value.subarray(16) };
}

/** The bytes as they are, reversed, and with the byte order of 4-byte and 8-byte words swapped. */
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

/**
 * Encodes only whole groups of three bytes: a shorter group depends on the bytes that follow it.
 */
function wholeBase64(bytes, encoding) {
  return bytes.subarray(0, Math.floor(bytes.length / 3) * 3).toString(encoding);
}

function stateAfter(block) {
  const state = Buffer.alloc(32);
  compress(initialState(), block).forEach((word, index) => state.writeUInt32BE(word, index * 4));
  return state;
}
