'use strict';

// Objects that run code when they are read: what they throw comes back as it was thrown.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('./helpers/child.js');
const { publicFunctions } = require('./helpers/exports.js');
const { outcome } = require('./helpers/outcome.js');
const rows = require('./helpers/rows.js');

for (const [name, call] of publicFunctions()) {
  const row = rows[name];
  if (row.refused) continue;
  for (const [index, kind] of row.kinds.entries()) {
    // A member of which nothing is refused is not looked at.
    const names = Object.entries(kind.options ?? kind.members ?? {})
      .filter(([, { refused }]) => Object.keys(refused).length > 0)
      .map(([option]) => option);
    if (names.length === 0) continue;

    /** Calls with the object replaced by what `replace` makes of it. */
    const invoke = (replace) => {
      const args = row.args();
      args[index] = replace(args[index]);
      return outcome(() => call(row.on?.(), args));
    };

    test(`${name}: getters that throw`, async () => {
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

    test(`${name}: proxies`, async () => {
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

    test(`${name}: null prototypes and symbols`, async () => {
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
