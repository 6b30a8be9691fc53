'use strict';

// PEM files in every layout, compared with Node's readers. `PEMS` is the number of files of random
// layouts and `SEED` selects them; a failure names its seed.

const assert = require('node:assert/strict');
const { createPrivateKey, createPublicKey, ECDH } = require('node:crypto');
const { test } = require('node:test');

const { JwtKey } = require('@nodesec/native');
const { keyPair } = require('../helpers/key-pairs.js');
const { layouts } = require('../helpers/pem-layouts.js');
const { Random } = require('../helpers/token-mutations.js');
const certificates = require('../vectors/certificates.json').cases;
const vectors = require('../vectors/keys.json').cases;

const PEMS = Number(process.env.PEMS ?? 4000);
const SEED = Number(process.env.SEED ?? 5);

const rsa = keyPair('rsa', { modulusLength: 2048 });
const p256 = keyPair('ec', { namedCurve: 'P-256' });
const ed25519 = keyPair('ed25519');
const [p384, p521] = ['P-384', 'P-521'].map((namedCurve) => keyPair('ec', { namedCurve }));
const pem = (key, type) => key.export({ type, format: 'pem' });

const CURVES = { 'P-256': ['prime256v1', 32], 'P-384': ['secp384r1', 48], 'P-521': ['secp521r1', 66] };
/** `id-ecPublicKey` in DER (RFC 5480 section 2.1.1). */
const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex');

function element(tag, ...parts) {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

/** The SPKI of a key whose point has this form, as `openssl ec -conv_form` writes it. */
function withPoint({ publicKey }, form) {
  const [curve, length] = CURVES[publicKey.export({ format: 'jwk' }).crv];
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const start = der.indexOf(EC_PUBLIC_KEY) - 2;
  const identifier = der.subarray(start, start + 2 + der[start + 1]);
  const point = ECDH.convertKey(der.subarray(-1 - 2 * length), curve, undefined, undefined, form);
  return element(0x30, identifier, element(3, Buffer.of(0), point));
}

function pemOf(der) {
  const body = der.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
}

const POINTS = [['ES256', p256], ['ES384', p384], ['ES512', p521]].flatMap(([alg, pair]) =>
  ['compressed', 'hybrid'].map((form) => [alg, pair, form]),
);

/** Each structure with its algorithm and its PEM by Node. */
const FILES = [
  ...[['RS256', rsa], ['ES256', p256], ['EdDSA', ed25519]].flatMap(([alg, pair]) => [
    ['PKCS#8', alg, pem(pair.privateKey, 'pkcs8')],
    ['SPKI', alg, pem(pair.publicKey, 'spki')],
  ]),
  ['PKCS#1', 'RS256', pem(rsa.privateKey, 'pkcs1')],
  ['PKCS#1 public', 'RS256', pem(rsa.publicKey, 'pkcs1')],
  ['SEC 1', 'ES256', pem(p256.privateKey, 'sec1')],
  ...POINTS.map(([alg, pair, form]) => [`SPKI, ${form} point`, alg, pemOf(withPoint(pair, form))]),
];

const LAYOUTS = Object.entries(
  layouts({
    certificate: certificates[0].cert,
    other: pem(keyPair('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8'),
  }),
);

/** Why a file that Node reads is refused: the reason, the layouts, and the message. */
const REASONS = [
  {
    reason: 'Two keys: a reader that takes the first, or the private one, may take another key.',
    layouts: ['the same key twice', 'another key before', 'another key after'],
    message: /must have one key/,
  },
  {
    reason: 'Headers (RFC 1421): RFC 7468 has none. OpenSSL skips them if they are very short.',
    layouts: ['a short header'],
    message: /no headers/,
  },
  {
    reason: 'A dash in the body is no base64. OpenSSL takes it for the end, and skips the rest.',
    layouts: ['a dash after the body', 'text after a dash in the body'],
    message: /malformed/,
  },
  {
    reason: 'Control characters are no white space (RFC 7468 section 3).',
    layouts: ['control characters at the ends of lines', 'NUL at the ends of lines'],
    message: /malformed/,
  },
  {
    reason: 'The label names the structure, which is never guessed.',
    layouts: [
      'the label of SEC 1',
      'the label of PKCS#1',
      'the label of a public PKCS#1',
    ],
    message: /not a valid/,
  },
];

/** The public key that Node reads, as a JWK; `undefined` if it reads none. */
function nodes(text) {
  for (const create of [createPrivateKey, createPublicKey]) {
    try {
      const { x, y, n } = create(text).export({ format: 'jwk' });
      return [x ?? n, y].join();
    } catch {
      // Not a private key, or not a key.
    }
  }
  return undefined;
}

/** Our reading: the public key, or the message of the refusal. */
function ours(text, alg) {
  try {
    const { x, y, n } = JwtKey.fromPem(text, { alg }).toPublicJwk();
    return { key: [x ?? n, y].join() };
  } catch (error) {
    assert.equal(error.code, 'ERR_JWT_KEY', error.stack);
    return { refusal: error.message };
  }
}

test('a PEM that Node reads is refused only for a named reason', () => {
  const used = new Set();
  let [read, laxer] = [0, 0];
  for (const [structure, alg, file] of FILES) {
    for (const [layout, write] of LAYOUTS) {
      const text = write(file);
      const [theirs, { key, refusal }] = [nodes(text), ours(text, alg)];
      const name = `${structure} for ${alg}: ${layout}`;
      if (theirs === undefined) {
        if (key !== undefined) laxer++;
        continue;
      }
      if (key !== undefined) {
        assert.equal(key, theirs, name);
        read++;
        continue;
      }
      const found = REASONS.find((reason) => reason.layouts.includes(layout));
      assert.ok(found?.message.test(refusal), `${name}: ${refusal}`);
      used.add(layout);
    }
  }
  assert.ok(LAYOUTS.length >= 30 && read > 300 && laxer > 30, `${LAYOUTS.length} ${read} ${laxer}`);
  const unused = REASONS.flatMap((reason) => reason.layouts).filter((layout) => !used.has(layout));
  assert.deepEqual(unused, []);
});

test('each layout that only we read gives the key of the file', () => {
  const byName = new Map(LAYOUTS);
  for (const layout of [
    'CR',
    'one line',
    'one line with spaces',
    'vertical tabs in the body',
    'form feeds in the body',
    'all indented',
    'a blank line before END',
    'blank lines between all lines',
    'text after END',
  ]) {
    for (const [structure, alg, file] of FILES) {
      const { key, refusal } = ours(byName.get(layout)(file), alg);
      assert.equal(key, nodes(file), `${structure}, ${layout}: ${refusal}`);
    }
  }
});

test('a PEM that nobody reads is refused with the remedy', () => {
  const byName = new Map(LAYOUTS);
  for (const [layout, message] of [
    ['the two characters \\n', /two characters \\n.*pem\.replaceAll\('\\\\n', '\\n'\)/],
    ['the four characters \\r\\n', /two characters \\n/],
    ['in quotes', /two characters \\n/],
    ['a header', /no headers/],
    ['a header about encryption', /openssl pkcs8 -topk8/],
    ['four dashes at the start', /no section/],
    ['no END', /malformed/],
    ['any label', /PKCS#8, SPKI, PKCS#1 or SEC 1/],
  ]) {
    for (const [, alg, file] of FILES) {
      const text = byName.get(layout)(file);
      const { refusal } = ours(text, alg);
      assert.match(refusal ?? 'read', message, layout);
      // The remedy of the message works.
      if (layout === 'the two characters \\n') {
        assert.equal(ours(text.replaceAll('\\n', '\n'), alg).key, nodes(file));
      }
    }
  }
});

/** Changes that keep the key, which random files have several of at once. */
const WHITE = [' ', '\t', '\n', '\r', '\r\n', '  \n', '\n\t'];
const AROUND = ['', '\n', ' \n', 'text\n', '# -----\n', '\ufeff', '\r\n'];

test('a PEM of a random layout that Node reads is read as the same key', () => {
  const random = new Random(SEED);
  let both = 0;
  for (let turn = 0; turn < PEMS; turn++) {
    const [, alg, file] = random.pick(FILES);
    const [begin, ...body] = file.trimEnd().split('\n');
    const end = body.pop();
    const white = random.below(3);
    const text = body.join('').replaceAll(/./g, (character) =>
      random.below(60) === 0 ? character + random.pick(WHITE.slice(0, white * 2 + 3)) : character);
    const whole = [AROUND, [begin], WHITE, [text], WHITE, [end], ['\n', '', ' ', '\r\n'], AROUND]
      .map((choices) => random.pick(choices))
      .join('');
    const theirs = nodes(whole);
    if (theirs === undefined) continue;
    both++;
    const { key, refusal } = ours(whole, alg);
    assert.equal(key, theirs, `SEED=${SEED} ${turn}: ${refusal}\n${JSON.stringify(whole)}`);
  }
  assert.ok(both > PEMS / 10, `SEED=${SEED}: ${both} of ${PEMS}`);
});

test('a compressed or hybrid point makes the key of the uncompressed point', () => {
  for (const [alg, pair, form] of POINTS) {
    const own = JwtKey.fromKeyObject(pair.publicKey, { alg });
    const der = withPoint(pair, form);
    const object = createPublicKey({ key: der, type: 'spki', format: 'der' });
    for (const key of [JwtKey.fromDer(der, { alg }), JwtKey.fromKeyObject(object, { alg })]) {
      assert.equal(key.kid, own.kid, `${alg} ${form}`);
      assert.deepEqual(key.toPublicJwk(), own.toPublicJwk());
    }
  }
});

test('a point with a wrong first byte or off the curve is refused, as by Node', () => {
  for (const [alg, pair, form] of POINTS) {
    const der = withPoint(pair, form);
    const [curve, length] = CURVES[pair.publicKey.export({ format: 'jwk' }).crv];
    const first = der.length - 1 - (form === 'hybrid' ? 2 * length : length);
    // A compressed point with the other byte is another point, a hybrid one with 4 uncompressed.
    const others = form === 'hybrid' ? [2, 3, der[first] ^ 1] : [4, 6, 7];
    for (const byte of [0, 1, 5, 8, 0xff, ...others]) {
      const changed = Buffer.from(der);
      changed[first] = byte;
      const name = `${curve} ${form} ${byte}`;
      assert.throws(() => createPublicKey({ key: changed, type: 'spki', format: 'der' }), name);
      assert.throws(() => JwtKey.fromDer(changed, { alg }), { code: 'ERR_JWT_KEY' }, name);
    }
    let refused = 0;
    for (let last = 0; last < 256; last++) {
      const changed = Buffer.from(der);
      changed[changed.length - 1] = last;
      const read = (make) => {
        try {
          return make().export?.({ format: 'jwk' }).x ?? make().toPublicJwk().x;
        } catch {
          return undefined;
        }
      };
      const theirs = read(() => createPublicKey({ key: changed, type: 'spki', format: 'der' }));
      assert.equal(read(() => JwtKey.fromDer(changed, { alg })), theirs);
      if (theirs === undefined) refused++;
    }
    assert.ok(refused > 50, `${curve} ${form}: ${refused}`);
  }
});

test('a public key that spells out its curve is refused with the remedy', () => {
  const { pem: text } = vectors.find(({ name }) => name === 'p-256 spki, explicit parameters');
  const { refusal } = ours(text, 'ES256');
  assert.match(refusal, /openssl ec -pubin -pubout -param_enc named_curve/);
  const object = createPublicKey(text);
  assert.throws(() => JwtKey.fromKeyObject(object, { alg: 'ES256' }), { message: /named_curve/ });
});
