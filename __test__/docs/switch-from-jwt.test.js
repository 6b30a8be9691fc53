'use strict';

// Checks every cell of the token table in docs/migrating.md: how jsonwebtoken, jose, fast-jwt and
// this package answer the same tokens.

const assert = require('node:assert/strict');
const { createSecretKey } = require('node:crypto');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { createVerifier } = require('fast-jwt');
const jsonwebtoken = require('jsonwebtoken');

const { JwtVerifier } = require('@nodesec/native');
const { KID, SECRET, craft, key, now } = require('../helpers/tokens.js');

const HEADER = { alg: 'HS256', typ: 'JWT', kid: KID };
/** A payload as JSON text. `more` adds text that no object serializes to. */
const payload = (members, more = '') => {
  const all = { iss: 'i', aud: 'a', sub: 's', iat: now() - 10, exp: now() + 1000, ...members };
  return JSON.stringify(all).replace(/}$/, `${more}}`);
};
const token = (members, header = {}) => craft(payload(members), { ...HEADER, ...header });
const resigned = (change) => {
  const [header, claims] = token({}).split('.');
  return craft(Buffer.from(claims, 'base64url'), Buffer.from(header, 'base64url'), change);
};

/** Each case of the table, with its token. */
const CASES = {
  'all is well': () => token({}),
  'expired': () => token({ exp: now() - 1 }),
  'not active yet': () => token({ nbf: now() + 100 }),
  'another signature': () => resigned(Buffer.alloc(32)),
  'not a token': () => 'not.a.token',
  'another algorithm': () => token({}, { alg: 'HS384' }),
  'no signature, `alg` is `none`': () => `${token({}, { alg: 'none' }).split('.', 2).join('.')}.`,
  'another issuer': () => token({ iss: 'j' }),
  'another audience': () => token({ aud: 'b' }),
  'no issuer': () => token({ iss: undefined }),
  'an extension that is critical': () => token({}, { crit: ['x'], x: 1 }),
  'no `exp`': () => token({ exp: undefined }),
  '`exp` is text': () => token({ exp: `${now() + 1000}` }),
  '`exp` is 1e400': () => craft(payload({ exp: undefined }, ',"exp":1e400'), HEADER),
  '`iat` is in the future': () => token({ iat: now() + 100 }),
  'two members of one name': () => craft(payload({}, ',"sub":"t"'), HEADER),
  '`sub` is a number': () => token({ sub: 1 }),
  '`aud` has more than strings': () => token({ aud: ['a', 1] }),
  'another `kid` than the key': () => token({}, { kid: 'k2' }),
  '`kid` is a number': () => token({}, { kid: 1 }),
  '`b64` without `crit`': () => token({}, { b64: false }),
  'half a surrogate pair': () => token({ name: '\ud800' }),
  'a byte order mark': () => craft(`\ufeff${payload({})}`, HEADER),
  'padding behind the signature': () => `${token({})}=`,
  'longer than 16 KiB': () => token({ text: 'x'.repeat(13_000) }),
  'nested deeper than 32': () =>
    craft(payload({}, `,"deep":${'['.repeat(32)}${']'.repeat(32)}`), HEADER),
};

/** The verification of each library. */
const READERS = {
  jsonwebtoken: (text) =>
    jsonwebtoken.verify(text, SECRET, { algorithms: ['HS256'], issuer: 'i', audience: 'a' }),
  jose: async (text) => {
    const { jwtVerify } = await import('jose');
    const options = { algorithms: ['HS256'], issuer: 'i', audience: 'a' };
    return jwtVerify(text, createSecretKey(SECRET), options);
  },
  'fast-jwt': createVerifier({
    key: SECRET,
    algorithms: ['HS256'],
    allowedIss: 'i',
    allowedAud: 'a',
  }),
  here: (text) => new JwtVerifier({ keys: key, issuer: 'i', audience: 'a' }).verify(text),
};

const brief = async (read, text) => {
  try {
    await read(text);
    return 'accepts';
  } catch (error) {
    return `\`${error.code ?? error.name}\``;
  }
};

const guide = readFileSync(path.join(__dirname, '..', '..', 'docs', 'migrating.md'), 'utf8');
const rows = [...guide.matchAll(/^\| (.*) \| (.*) \| (.*) \| (.*) \| (.*) \|$/gm)]
  .map(([, name, ...cells]) => [name, cells]);
const [, ...table] = rows;

for (const [name, cells] of table) {
  test(`it is as docs/migrating.md says: ${name}`, async () => {
    const text = CASES[name]();
    const said = await Promise.all(Object.values(READERS).map((read) => brief(read, text)));
    assert.deepEqual(said, cells);
  });
}

test('the table of docs/migrating.md has every case', () => {
  assert.deepEqual(table.map(([name]) => name), Object.keys(CASES));
  assert.equal(rows[0][1].length, Object.keys(READERS).length);
});
