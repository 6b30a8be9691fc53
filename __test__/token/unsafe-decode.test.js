'use strict';

// unsafeDecode reads a token as a verifier with the right key reads it. fuzz.test.js compares the
// two on generated tokens.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { unsafeDecode } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { Random } = require('../helpers/token-mutations.js');
const { KID, craft, craftClaims, segment, verifier } = require('../helpers/tokens.js');
const { assertSameReading } = require('../helpers/unverified.js');

const GOOD = craftClaims({ sub: 'ann', roles: ['é'] });
const [HEADER, PAYLOAD, SIGNATURE] = GOOD.split('.');
const padded = (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
const deep = (depth) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const head = (members) => `{"alg":"HS256","kid":"${KID}",${members}}`;

/** Texts that a verifier calls malformed, by the reason that unsafeDecode gives. */
const REFUSED = {
  'it is longer than maxBytes, by default 16 KiB': [
    craft({ sub: 'x'.repeat(16 * 1024) }),
    'x'.repeat(16_385),
    '10MB'.repeat(2_500_000),
  ],
  'it has characters that are not ASCII': [`${GOOD}é`, `\ufeff${GOOD}`, '\ud800', '.é.'],
  'it is not three segments with dots between them': [
    'a', 'a.b', `${GOOD}.`, `${GOOD}.x`, '...', `${HEADER}.${PAYLOAD}`,
  ],
  'it has five segments, as encrypted tokens (JWE) have, which are not supported': [
    `${GOOD}.x.y`, '....',
  ],
  'it begins with "Bearer "; pass the text after it': [`Bearer ${GOOD}`, 'bearer x'],
  'it is padded with "=", which padding: \'allow\' accepts': [
    `${padded('eyJhbGciOiJIUzI1NiJ9')}=.${PAYLOAD}.${SIGNATURE}`,
    `${HEADER}.e30=.${SIGNATURE}`, `${GOOD}=`,
  ],
  'its header is longer than 8 KiB; a maxBytes above 16 KiB allows more': [
    craft({}, head(`"x":"${'x'.repeat(7000)}"`)),
  ],
  'its header is not base64url as RFC 7515 has it': [
    ` ${GOOD}`, `${HEADER}\n.${PAYLOAD}.${SIGNATURE}`, `a.${PAYLOAD}.${SIGNATURE}`,
  ],
  'its payload is not base64url as RFC 7515 has it': [
    `${HEADER}.${PAYLOAD.replace(/.$/, '$& ')}.${SIGNATURE}`,
    `${HEADER}.e31.${SIGNATURE}`, `${HEADER}.e3+.${SIGNATURE}`,
  ],
  'its signature is not base64url as RFC 7515 has it': [
    `${GOOD} `, `${GOOD}\n`, `${GOOD}\0`, `${HEADER}.${PAYLOAD}.!!!`,
    `${HEADER}.${PAYLOAD}.a`,
  ],
  'its header is not UTF-8': [craft({}, Buffer.from('{"alg":"HS256","x":"\xff"}', 'latin1'))],
  'its payload is not UTF-8': [
    craft(Buffer.from('{"sub":"\xff"}', 'latin1')),
    craft(Buffer.from([...Buffer.from('{"sub":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])),
  ],
  'its header is not a JSON object': [craft({}, '[]'), craft({}, ''), craft({}, '\ufeff{"alg":"HS256"}')],
  'its payload is not a JSON object': [
    `${HEADER}..${SIGNATURE}`, craft('[]'), craft('null'), craft('"text"'), craft('{"a":01}'),
    craft('{} {}'), craft('\ufeff{}'), craft('{"a":1,}'), craft("{'a':1}"), craft('{"a":"\n"}'),
  ],
  'its header has two members of one name': [craft({}, head('"x":1,"x":1'))],
  'its payload has two members of one name': [
    craft('{"sub":"a","sub":"b"}'), craft('{"sub":"a","s\\u0075b":"b"}'),
    craft('{"x":[{"__proto__":1,"__proto__":2}]}'),
  ],
  'its header is nested deeper than 32 levels': [craft({}, head(`"x":${deep(32)}`))],
  'its payload is nested deeper than 32 levels': [craft(deep(32)), craft(deep(5000))],
  'its payload has half of a surrogate pair': [
    craft('{"a":"\\ud800"}'), craft('{"a":"\\udc00"}'), craft('{"a":"\\ud800\\u0041"}'),
    craft('{"a":"\\ud800\\"}'),
  ],
  'its header has no acceptable "alg"': [
    craft({}, '{}'), craft({}, '{"alg":256}'), craft({}, '{"\\u0061lg":"HS256"}'),
  ],
  'its header has no acceptable "kid"': [craft({}, '{"alg":"HS256","kid":1}')],
  'its header has no acceptable "typ"': [craft({}, '{"alg":"HS256","typ":null}')],
  'its header has no acceptable "b64"': [craft({}, head('"b64":true'))],
  'its header has no acceptable "zip"': [craft({}, head('"z\\u0069p":"DEF"'))],
};

test('a text that a verifier calls malformed is refused, and the error names the reason', () => {
  const policy = verifier({ requireExp: false });
  for (const [reason, texts] of Object.entries(REFUSED)) {
    const message = `this is not a well-formed token: ${reason}`;
    for (const text of texts) {
      const what = text.slice(0, 100);
      assert.throws(() => unsafeDecode(text), coded('ERR_JWT_MALFORMED', { message }), what);
      const verdict = policy.tryVerify(text);
      // A verifier looks at the payload only after the signature.
      if (verdict.code !== 'ERR_JWT_SIGNATURE') assert.equal(verdict.message, message, what);
      assertSameReading(text, verdict);
    }
  }
  const message = 'no token was given';
  assert.throws(() => unsafeDecode(''), coded('ERR_JWT_MALFORMED', { message }));
  assertSameReading('', policy.tryVerify(''));
});

test('a token that a verifier refuses for another reason is read', () => {
  const policy = verifier({ issuer: 'i', typ: 'JWT' });
  for (const [token, code] of [
    [craft({ sub: 's' }, { alg: 'none' }), 'ERR_JWT_ALGORITHM'],
    [`${segment({ alg: 'none' })}.${PAYLOAD}.`, 'ERR_JWT_ALGORITHM'],
    [craft({}, { alg: 'HS256', crit: ['exp'], kid: 1 }), 'ERR_JWT_CRITICAL'],
    [craft({}, { alg: 'HS256', kid: 'other' }), 'ERR_JWT_KEY_NOT_FOUND'],
    [craft({}, { alg: 'HS256', kid: 'k'.repeat(257) }), 'ERR_JWT_KEY_NOT_FOUND'],
    [`${HEADER}.${PAYLOAD}.`, 'ERR_JWT_SIGNATURE'],
    [`${HEADER}.${segment({ sub: 'bob' })}.${SIGNATURE}`, 'ERR_JWT_SIGNATURE'],
    [craft({}, { alg: 'HS256' }), 'ERR_JWT_CLAIM'],
    [craftClaims({ iss: 1 }), 'ERR_JWT_CLAIM'],
    [craftClaims({ iss: 'i', exp: 1 }), 'ERR_JWT_EXPIRED'],
    [craftClaims({ iss: 'i' }), undefined],
  ]) {
    const result = policy.tryVerify(token);
    assert.equal(result.code, code, token);
    assertSameReading(token, result);
    const parts = token.split('.', 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.deepEqual(Object.values(unsafeDecode(token)), parts);
  }
});

test('a member that is called __proto__ is a member, and no prototype', () => {
  const { claims } = unsafeDecode(craft('{"__proto__":{"admin":true}}'));
  assert.deepEqual(Object.keys(claims), ['__proto__']);
  assert.equal(claims.admin, undefined);
});

test('maxBytes and padding allow the texts that they allow a verifier', () => {
  const long = craftClaims({ x: 'x'.repeat(20_000) });
  const spelled = GOOD.split('.').map(padded).join('.');
  assert.notEqual(spelled, GOOD);
  for (const form of [
    {}, { maxBytes: 32_768 }, { padding: 'allow' }, { maxBytes: 2 ** 20, padding: 'allow' },
    { maxBytes: 1024 },
  ]) {
    for (const token of [GOOD, long, spelled, `${spelled}=`, craftClaims({ x: 'x'.repeat(1000) })]) {
      assertSameReading(token, verifier(form).tryVerify(token), form);
    }
  }
  assert.equal(unsafeDecode(long, { maxBytes: 32_768 }).claims.x.length, 20_000);
  assert.deepEqual(unsafeDecode(spelled, { padding: 'allow' }), unsafeDecode(GOOD));
});

test('a token that is changed in a few characters is judged alike', () => {
  const policy = verifier({ requireExp: false });
  const random = new Random(Number(process.env.SEED ?? 3));
  const pool = [...'AZaz09-_.=+/ \n{}"é\0'];
  let refused = 0;
  const rounds = 4000;
  for (let round = 0; round < rounds; round++) {
    const text = [...GOOD];
    for (let changes = random.below(3); changes >= 0; changes--) {
      text.splice(random.below(text.length), random.below(2), random.pick(pool));
    }
    const token = text.join('');
    const result = policy.tryVerify(token);
    assertSameReading(token, result);
    if (result.code === 'ERR_JWT_MALFORMED') refused++;
  }
  assert.ok(refused > rounds / 10 && refused < rounds - rounds / 10, `${refused} of ${rounds}`);
});
