'use strict';

// JwtVerifiers: the unverified issuer only chooses the verifier that judges.

const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, RemoteJwks } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { KID, SECRET, craft, craftClaims, key, now, segment } = require('../helpers/tokens.js');

const OTHER_SECRET = Buffer.alloc(32, 'another secret of 32 bytes ');
const HEADER = { alg: 'HS256', kid: KID };
const other = JwtKey.fromSecret(OTHER_SECRET, { alg: 'HS256', kid: KID });
const of = (issuer, options) =>
  new JwtVerifier({ keys: key, issuer, audience: false, ...options });
const both = () => new JwtVerifiers({ a: of('a'), b: of(['x', 'b'], { keys: other }) });
const claims = (iss) => ({ iss, exp: now() + 100 });
const ofB = (payload) => craft(payload, HEADER, OTHER_SECRET);

/** Asserts that every call refuses the token alike. */
async function assertRefused(verifiers, token, code, details = {}) {
  const { message, ...result } = verifiers.tryVerify(token);
  assert.deepEqual(result, { ok: false, code, ...details });
  assert.deepEqual(await verifiers.tryVerifyAsync(token), { message, ...result });
  assert.deepEqual(await verifiers.verifyMany([token]), [{ message, ...result }]);
  assert.throws(() => verifiers.verify(token), coded(code, { message, ...details }));
  await assert.rejects(verifiers.verifyAsync(token), coded(code, { message, ...details }));
}

test('each token is judged by the verifier of its issuer, and by its keys alone', async () => {
  const verifiers = both();
  for (const [iss, token] of [
    ['a', craft(claims('a'))],
    ['b', ofB(claims('b'))],
    ['a', craft(`{"exp":${now() + 9},"\\u0069ss":"\\u0061","n":{"iss":"b"}}`)],
  ]) {
    assert.equal(verifiers.verify(token).iss, iss);
    assert.equal((await verifiers.verifyAsync(token)).iss, iss);
    const { ok, header } = verifiers.tryVerify(token);
    assert.deepEqual([ok, header.kid], [true, KID]);
    assert.equal((await verifiers.tryVerifyAsync(token)).claims.iss, iss);
  }
  for (const token of [ofB(claims('a')), craft(claims('b'))]) {
    await assertRefused(verifiers, token, 'ERR_JWT_SIGNATURE');
  }
  await assertRefused(verifiers, craft({ ...claims('a'), exp: 1 }), 'ERR_JWT_EXPIRED');
});

test('a token that chooses no verifier is refused as a verifier refuses it', async () => {
  const verifiers = both();
  const rejection = (reason) => ['ERR_JWT_CLAIM', { claim: 'iss', reason }];
  for (const [payload, ...refusal] of [
    [{ exp: now() + 9 }, ...rejection('missing')],
    [claims('c'), ...rejection('mismatch')],
    [claims(''), ...rejection('mismatch')],
    [claims('A'), ...rejection('mismatch')],
    [claims('a\0'), ...rejection('mismatch')],
    // Accepted by the verifier of b, which stands for b alone.
    [claims('x'), ...rejection('mismatch')],
    [claims('__proto__'), ...rejection('mismatch')],
    [claims('constructor'), ...rejection('mismatch')],
    [claims('toString'), ...rejection('mismatch')],
    [claims('0'), ...rejection('mismatch')],
    [claims(null), ...rejection('type')],
    [claims(['a']), ...rejection('type')],
    [claims(0), ...rejection('type')],
    [claims({ a: 'a' }), ...rejection('type')],
    [`{"iss":"a","iss":"b","exp":${now() + 9}}`, 'ERR_JWT_MALFORMED'],
    [`{"iss":"a","\\u0069ss":"b","exp":${now() + 9}}`, 'ERR_JWT_MALFORMED'],
    ['{"iss":"a"', 'ERR_JWT_MALFORMED'],
    ['["a"]', 'ERR_JWT_MALFORMED'],
    ['', 'ERR_JWT_MALFORMED'],
    [Buffer.from('{"iss":"\xff"}', 'latin1'), 'ERR_JWT_MALFORMED'],
    [`{"iss":"a","d":${'['.repeat(40)}${']'.repeat(40)}}`, 'ERR_JWT_MALFORMED'],
  ]) {
    await assertRefused(verifiers, craft(payload), ...refusal);
  }
  const good = craft(claims('a'));
  for (const token of [
    undefined,
    null,
    '',
    42,
    {},
    Symbol('a'),
    'a',
    'a.b',
    `${good}.x`,
    `${good}=`,
    `${good}\ud800`,
    `!.${good.split('.').slice(1).join('.')}`,
    `Bearer ${good}`,
    'x'.repeat(20_000),
    'x'.repeat(10_000_000),
  ]) {
    await assertRefused(verifiers, token, 'ERR_JWT_MALFORMED');
    assert.deepEqual(verifiers.tryVerify(token), of('a').tryVerify(token));
  }
});

test('names of Object.prototype are names like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '0'].filter(Boolean);
  const entries = names.map((name) => [name, of(name)]);
  const record = Object.create(null);
  for (const [name, verifier] of entries) record[name] = verifier;
  for (const verifiers of [new Map(entries), Object.fromEntries(entries), record]) {
    const chosen = new JwtVerifiers(verifiers);
    for (const name of names) assert.equal(chosen.verify(craft(claims(name))).iss, name);
    assert.equal(chosen.tryVerify(craft(claims('valueOf'))).code, 'ERR_JWT_CLAIM');
  }
});

test('a verifier that does not demand the name is refused, in words', () => {
  for (const verifier of [
    of('b'),
    of(['b', 'A', 'a ']),
    of(false),
    JwtVerifier.spiffe({ trustDomain: 'example.org', bundle: { keys: [] }, audience: 'a' }),
  ]) {
    for (const verifiers of [{ c: of('c'), a: verifier }, new Map([['a', verifier]])]) {
      assert.throws(() => new JwtVerifiers(verifiers), {
        code: 'ERR_INVALID_ARG_VALUE',
        message: /^the verifier for "a" must name this issuer in its option issuer/,
      });
    }
  }
  const long = `https://${'\n'.repeat(1000)}`;
  assert.throws(() => new JwtVerifiers({ [long]: of('a') }), ({ message }) => {
    assert.ok(message.length < 500 && !message.includes('\n'));
    return true;
  });
});

test('a value that is no map of verifiers is refused', () => {
  for (const [verifiers, code] of [
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    ['a', 'ERR_INVALID_ARG_TYPE'],
    [of('a'), 'ERR_INVALID_ARG_TYPE'],
    [[of('a')], 'ERR_INVALID_ARG_TYPE'],
    [new Set([of('a')]), 'ERR_INVALID_ARG_TYPE'],
    [{ a: undefined }, 'ERR_INVALID_ARG_TYPE'],
    [{ a: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ a: both() }, 'ERR_INVALID_ARG_TYPE'],
    [{ a: [of('a')] }, 'ERR_INVALID_ARG_TYPE'],
    [new Map([[1, of('1')]]), 'ERR_INVALID_ARG_TYPE'],
    [new Map([['\ud800', of('a')]]), 'ERR_INVALID_ARG_VALUE'],
    [{ '': of('a') }, 'ERR_OUT_OF_RANGE'],
    [{ ['a'.repeat(2049)]: of('a') }, 'ERR_OUT_OF_RANGE'],
    [{}, 'ERR_OUT_OF_RANGE'],
    [new Map(), 'ERR_OUT_OF_RANGE'],
    [new Map(Array.from({ length: 10_001 }, (_, n) => [`${n}`, key])), 'ERR_OUT_OF_RANGE'],
  ]) {
    assert.throws(() => new JwtVerifiers(verifiers), coded(code));
  }
  assert.throws(() => JwtVerifiers({ a: of('a') }), TypeError);
});

test('the verifiers are read once', () => {
  let reads = 0;
  const map = new Map([['a', of('a')]]);
  const fixed = new JwtVerifiers(map);
  map.set('b', of('b')).delete('a');
  assert.equal(fixed.verify(craft(claims('a'))).iss, 'a');
  assert.equal(fixed.tryVerify(craft(claims('b'))).ok, false);
  const record = {
    get a() {
      reads += 1;
      return of('a');
    },
  };
  assert.equal(new JwtVerifiers(record).verify(craft(claims('a'))).iss, 'a');
  assert.equal(reads, 1);
});

test('verifyMany keeps the order', async () => {
  const verifiers = both();
  const tokens = Array.from({ length: 1000 }, (_, n) => [
    craft({ ...claims('a'), n }),
    ofB({ ...claims('b'), n }),
    craft({ ...claims('c'), n }),
    ofB({ ...claims('a'), n }),
    'x'.repeat(20_000),
    n,
  ]).flat();
  const results = await verifiers.verifyMany(tokens);
  assert.equal(results.length, 6000);
  results.forEach((result, index) => {
    const n = Math.floor(index / 6);
    assert.equal(result.ok, index % 6 < 2, index);
    if (result.ok) assert.deepEqual([result.claims.n, result.claims.iss], [n, 'ab'[index % 6]]);
    else assert.deepEqual(result, verifiers.tryVerify(tokens[index]));
  });
  assert.deepEqual(await verifiers.verifyMany([]), []);
  await assert.rejects(verifiers.verifyMany('a'), coded('ERR_INVALID_ARG_TYPE'));
  await assert.rejects(verifiers.verifyMany(new Array(10_001)), coded('ERR_OUT_OF_RANGE'));
});

test('each verifier keeps its own cache, length and padding', () => {
  const verifiers = new JwtVerifiers({
    cached: of('cached', { cache: true }),
    long: of('long', { maxBytes: 2 ** 20 }),
    padded: of('padded', { padding: 'allow' }),
    a: of('a'),
  });
  const cached = craft(claims('cached'));
  assert.equal(verifiers.verify(cached), verifiers.verify(cached));
  for (const [length, ok] of [[100, true], [20_000, false]]) {
    const x = 'x'.repeat(length);
    assert.ok(verifiers.verify(craft({ ...claims('long'), x })));
    assert.equal(verifiers.tryVerify(craft({ ...claims('a'), x })).ok, ok);
  }
  const padded = (iss) => {
    const [header, payload] = [HEADER, { ...claims(iss), p: '' }].map(segment);
    const whole = (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
    const signed = `${whole(header)}.${whole(payload)}`;
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  };
  assert.match(padded('padded'), /=/);
  assert.ok(verifiers.verify(padded('padded')));
  assert.equal(verifiers.tryVerify(padded('a')).code, 'ERR_JWT_MALFORMED');
});

test('verifyAsync waits for the keys of the issuer that was chosen', async () => {
  const signing = await JwtKey.generate('EdDSA');
  const token = new JwtIssuer({ keys: signing, issuer: 'remote', expiresIn: 60 }).sign({});
  const body = JSON.stringify({ keys: [signing.toPublicJwk()] });
  const remote = new RemoteJwks('https://keys.example/', { fetch: async () => new Response(body) });
  const verifiers = new JwtVerifiers({ a: of('a'), remote: of('remote', { keys: remote }) });
  assert.equal((await verifiers.verifyAsync(token)).iss, 'remote');
  assert.equal((await verifiers.verifyMany([token, craftClaims({ iss: 'a' })]))[1].ok, true);
});
