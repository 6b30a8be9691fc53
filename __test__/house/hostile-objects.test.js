'use strict';

// Objects that run code when they are read. Their errors must reach the caller unchanged.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { JwtVerifier, RemoteJwks } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { publicFunctions } = require('../helpers/exports.js');
const { outcome } = require('../helpers/outcome.js');
const table = require('../helpers/arguments.js');

for (const [name, call] of publicFunctions()) {
  const row = table[name];
  if (row.refused) continue;
  for (const [index, kind] of row.kinds.entries()) {
    // The function does not read a member that accepts any value.
    const names = Object.entries(kind.options ?? kind.members ?? {})
      .filter(([, { refused }]) => Object.keys(refused).length > 0)
      .map(([option]) => option);
    if (names.length === 0) continue;

    /** Calls the function with one argument replaced by the result of `replace`. */
    const invoke = (replace) => {
      const args = row.args();
      args[index] = replace(args[index]);
      return outcome(() => call(row.on?.(), args));
    };

    test(`${name} throws what a getter of an option throws`, async () => {
      for (const option of names) {
        const thrown = new Error(option);
        const { error } = await invoke((value) =>
          Object.defineProperty({ ...value }, option, {
            enumerable: true,
            get() {
              throw thrown;
            },
          }),
        );
        assert.equal(error, thrown, option);
      }
    });

    test(`${name} reads options through a proxy, and throws what its trap throws`, async () => {
      const through = await invoke((value) => new Proxy(value, {}));
      assert.ifError(through.error);

      const thrown = new Error('trap');
      const trap = () => {
        throw thrown;
      };
      const trapped = await invoke((value) => new Proxy(value, { get: trap, ownKeys: trap }));
      assert.equal(trapped.error, thrown);

      const revoked = await invoke((value) => {
        const { proxy, revoke } = Proxy.revocable(value, {});
        revoke();
        return proxy;
      });
      assert.ok(revoked.error instanceof TypeError);
    });

    test(`${name} takes options with a null prototype or a symbol`, async () => {
      const bare = await invoke((value) => Object.assign(Object.create(null), value));
      assert.ifError(bare.error);
      const marked = await invoke((value) => ({ ...value, [Symbol('mark')]: 1 }));
      assert.ifError(marked.error);
    });
  }
}

test('a polluted Object.prototype supplies no option', async () => {
  const { code, stderr } = await runScript(`
    const { JwtKey, JwtVerifier, SecretBuffer } = require('@nodesec/native');
    const keys = JwtKey.fromSecret(SecretBuffer.random(32), { alg: 'HS256' });
    Object.prototype.audience = false;
    require('node:assert').throws(() => new JwtVerifier({ keys, issuer: 'i' }), {
      code: 'ERR_MISSING_OPTION',
    });
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('members of Object.prototype change no error, and no error becomes an answer', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { hash, JwtKey, JwtVerifier, SecretBuffer } = require('@nodesec/native');
    const secret = SecretBuffer.random(32);
    const keys = JwtKey.fromSecret(secret, { alg: 'HS256' });
    const verifier = new JwtVerifier({ keys, issuer: 'i', audience: false });
    const names = ['fault', 'message', 'code', 'retryAfterMs', 'claim', 'reason', 'cause'];
    const kinds = [
      { value: 7, writable: true },
      { value: 7, writable: false },
      { get: () => 7, set() {} },
      { get: () => 7 },
    ];
    const thrown = (call) => {
      try {
        call();
      } catch (error) {
        return error;
      }
    };
    (async () => {
      for (const kind of kinds) {
        for (const name of names) {
          Object.defineProperty(Object.prototype, name, { ...kind, configurable: true });
        }
        const errors = [
          thrown(() => secret.equals(5)),
          thrown(() => new JwtVerifier({ keys, issuer: 'i' })),
          thrown(() => verifier.verify('x')),
          await hash(5).catch((error) => error),
        ];
        for (const name of names) delete Object.prototype[name];
        assert.deepStrictEqual(errors.map((error) => ({ ...error })), [
          { code: 'ERR_INVALID_ARG_TYPE' },
          { code: 'ERR_MISSING_OPTION' },
          { code: 'ERR_JWT_MALFORMED' },
          { code: 'ERR_INVALID_ARG_TYPE' },
        ]);
        for (const error of errors) assert.match(error.message, / /);
      }
    })();
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('a call that returns an instance takes no member of the instance for an error', () => {
  class Named extends RemoteJwks {
    fault = null;
    message = 'a member of ours';
  }
  const keys = new Named('https://keys.example/');
  assert.ok(new JwtVerifier({ keys, issuer: false, audience: false }));
});

test('a getter that detaches bytes that the call reads causes no crash', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { RateLimiter, SecretBuffer, hashSync, timingSafeEqual } = require('@nodesec/native');
    const limiter = new RateLimiter({ limit: 5, windowMs: 1000 });
    const detaching = (other) => {
      const buffer = new ArrayBuffer(8192);
      const bytes = new Uint8Array(buffer);
      const victim = other?.buffer ?? buffer;
      const get = () => {
        structuredClone(victim, { transfer: [victim] });
        gc();
      };
      for (const name of ['resizable', 'byteLength', 'detached']) {
        Object.defineProperty(buffer, name, { get });
        Object.defineProperty(bytes, name, { get });
      }
      return bytes;
    };
    limiter.check(detaching());
    SecretBuffer.from(detaching(), { wipe: true });
    const other = new Uint8Array(8192);
    timingSafeEqual(other, detaching(other));
    const password = new Uint8Array(4096);
    const options = {
      profile: 'test',
      get raw() {
        structuredClone(password.buffer, { transfer: [password.buffer] });
        gc();
        return true;
      },
    };
    assert.throws(() => hashSync(password, options), { code: 'ERR_INVALID_ARG_VALUE' });
    const resizable = new Uint8Array(new ArrayBuffer(32, { maxByteLength: 64 }));
    assert.equal(SecretBuffer.from(resizable).equals(new Uint8Array(32)), true);
  `, { flags: ['--expose-gc'] });
  assert.equal(stderr, '');
  assert.equal(code, 0);
});
