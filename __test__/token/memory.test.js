'use strict';

// The memory that verifying takes in V8's heap. Tokens are cut from longer strings, and some
// strings are too long to be tokens.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

const MIB = 2 ** 20;

/** Runs `script`, which calls the verifiers. Returns the growth of the heap in bytes. */
async function growth(script) {
  const { code, stdout, stderr } = await runScript(
    `
    const { JwtIssuer, JwtKey, JwtVerifier } = require('@nodesec/native');
    const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
    const policy = { keys, issuer: false, audience: false };
    const sign = (claims, typ = 'JWT') => new JwtIssuer({ keys, typ, expiresIn: 60 }).sign(claims);
    /** Cuts a token from the beginning of a string of half a MiB, which V8 keeps in its heap. */
    const cut = (token) => Buffer.alloc(${MIB / 2}, token + ' ').latin1Slice().slice(0, token.length);
    const heap = () => (gc(), process.memoryUsage().heapUsed);
    (async () => {
      const verifier = new JwtVerifier({ ...policy, cache: true });
      verifier.tryVerify(sign({}));
      const plain = new JwtVerifier(policy);
      plain.tryVerify(sign({}));
      const before = heap();
      ${script}
      console.log(heap() - before, [verifier, plain].every((one) => one.tryVerify(sign({})).ok));
    })();`,
    { flags: ['--expose-gc'] },
  );
  assert.deepEqual([code, stderr], [0, '']);
  const [bytes, ok] = stdout.trim().split(' ');
  assert.equal(ok, 'true');
  return Number(bytes);
}

test('a token that is remembered does not keep the text that it was cut from', async () => {
  const bytes = await growth(`
    for (let n = 0; n < 50; n += 1) {
      const token = sign({ n });
      for (let time = 0; time < 3; time += 1) if (verifier.verify(cut(token)).n !== n) throw 1;
    }`);
  assert.ok(bytes < 5 * MIB, `${bytes}`);
});

test('a header that is remembered does not keep its text', async () => {
  const bytes = await growth(`
    for (let n = 0; n < 50; n += 1) {
      const { ok, header } = plain.tryVerify(cut(sign({ n }, 'type-' + n)));
      if (!ok || header.typ !== 'type-' + n) throw 1;
    }`);
  assert.ok(bytes < 5 * MIB, `${bytes}`);
});

test('a text that is too long for a token is not read', async () => {
  const bytes = await growth(`
    // A rope: V8 has not joined its parts yet.
    globalThis.text = 'x'.repeat(${64 * MIB});
    const tokens = [text, 'y' + text];
    for (const one of [verifier, plain]) {
      if (one.tryVerify(text).code !== 'ERR_JWT_MALFORMED') throw 1;
      if ((await one.verifyMany(tokens)).some(({ code }) => code !== 'ERR_JWT_MALFORMED')) throw 2;
    }`);
  assert.ok(bytes < 5 * MIB, `${bytes}`);
});
