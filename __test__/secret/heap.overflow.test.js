'use strict';

// A full heap that seals the secrets for which it has no room. The heap belongs to the process, so
// each test runs in a process of its own.

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

/**
 * Runs a script with a full heap of 16 KiB, not counting its reserve. Returns the reported value.
 */
async function run(script, env = {}) {
  const { code, signal, stdout, stderr } = await runScript(
    `const assert = require('node:assert');
     const { JwtKey, SecretBuffer, hashSync, secureHeap, timingSafeEqual } = require('@nodesec/native');
     const report = (value) => console.log(JSON.stringify(value));
     const codeOf = (fn) => { try { fn(); } catch (error) { return error.code; } };
     secureHeap.configure({ maxBytes: 32768, overflow: 'seal', onDegraded: 'ignore' });
     const counts = () => {
       const { liveSecrets, sealedSecrets } = secureHeap.status();
       return [liveSecrets, sealedSecrets];
     };
     const fillers = Array.from({ length: 4 }, () => SecretBuffer.random(4064));
     assert.deepEqual(counts(), [4, 0]);
     ${script}`,
    { env: { NODESEC_SECMEM: '', ...env } },
  );
  assert.equal(code, 0, `${signal} ${stderr}`);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('everything a SecretBuffer can do, it can do sealed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-overflow-'));
  try {
    const file = path.join(folder, 'secret');
    writeFileSync(file, `${'c0ffee'.repeat(300)}\n`, { mode: 0o600 });
    const reported = await run(
      `
      const bytes = Buffer.from('correct horse battery staple 012');
      const one = SecretBuffer.from(bytes);
      assert.deepEqual(counts(), [4, 1]);
      assert.equal(one.byteLength, 32);
      assert.equal(String(one), '[SecretBuffer 32 bytes]');
      one.use((lent) => assert.deepEqual(Buffer.from(lent), bytes));
      const other = SecretBuffer.fromString(bytes.toString('hex'), 'hex');
      assert.ok(one.equals(bytes) && one.equals(other) && !one.equals(fillers[0]));
      assert.ok(timingSafeEqual(one, other) && timingSafeEqual(other, bytes.toString()));
      const copy = one.clone();
      const adopted = SecretBuffer.adopt(one.share());
      assert.deepEqual(counts(), [4, 3]);
      one.dispose();
      assert.ok(copy.equals(bytes) && adopted.equals(copy));
      assert.deepEqual(counts(), [4, 3]);
      assert.equal(codeOf(() => one.use(() => {})), 'ERR_SECRET_DISPOSED');

      const long = SecretBuffer.random(4064);
      const key = SecretBuffer.random(4064);
      const opened = SecretBuffer.unseal(long.seal(key, { context: 'c' }), key, { context: 'c' });
      assert.ok(opened.equals(long));
      assert.equal(
        codeOf(() => SecretBuffer.unseal(long.seal(key, { context: 'c' }), long, { context: 'c' })),
        'ERR_SECRET_SEAL',
      );
      const fromFile = SecretBuffer.fromFile(process.env.SECRET_FILE, { encoding: 'hex' });
      assert.ok(fromFile.equals(Buffer.from('c0ffee'.repeat(300), 'hex')));
      assert.ok(SecretBuffer.fromEnv('SECRET').equals(bytes));
      assert.match(hashSync(copy, { secret: adopted, profile: 'test' }), /^\\$argon2id/);

      const sealedInHeap = fillers[0].seal(copy, { context: 'c' });
      (async () => {
        await copy.useAsync(async (lent) => {
          await new Promise(setImmediate);
          assert.deepEqual(Buffer.from(lent), bytes);
        });
        assert.ok(SecretBuffer.unseal(sealedInHeap, adopted, { context: 'c' }).equals(fillers[0]));
        secureHeap.verify();
        secureHeap.disposeAll();
        report([...counts(), copy.disposed, secureHeap.status().usedBytes > 0]);
      })();
      `,
      { SECRET_FILE: file, SECRET: 'correct horse battery staple 012' },
    );
    // Only the key is still in use.
    assert.deepEqual(reported, [0, 0, true, true]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a key, and a secret that is too long to seal, are refused with the numbers', async () => {
  const { codes, message, counts } = await run(`
    const sealed = SecretBuffer.random(32);
    let message;
    try { SecretBuffer.random(4065); } catch (error) { ({ message } = error); }
    report({
      codes: [
        codeOf(() => SecretBuffer.random(4065)),
        codeOf(() => JwtKey.fromSecret(sealed, { alg: 'HS256' })),
        codeOf(() => secureHeap.configure({ overflow: 'error' })),
      ],
      message,
      counts: counts(),
    });
  `);
  assert.deepEqual(codes, [
    'ERR_SECRET_EXHAUSTED',
    'ERR_SECRET_EXHAUSTED',
    'ERR_SECRET_CONFIGURED',
  ]);
  assert.match(message, /4065 bytes.*at most 4064 bytes/);
  assert.deepEqual(counts, [4, 1]);
});

test('a secret that was sealed makes a key once there is room', async () => {
  const alg = await run(`
    const sealed = SecretBuffer.random(32);
    // Room for the key's computed state, and for its original.
    for (const filler of fillers.slice(0, 2)) filler.dispose();
    report(JwtKey.fromSecret(sealed, { alg: 'HS256' }).alg);
  `);
  assert.equal(alg, 'HS256');
});

test('a heap with room for nothing but what is set aside is refused', async () => {
  const { code, stdout } = await runScript(`
    const { secureHeap } = require('@nodesec/native');
    for (const maxBytes of [32768, 16384]) {
      try {
        secureHeap.configure({ overflow: 'seal', maxBytes });
        console.log(secureHeap.status().capacityBytes);
      } catch (error) { console.log(error.code); }
    }
  `);
  assert.equal(code, 0);
  assert.equal(stdout, '32768\nERR_OUT_OF_RANGE\n');
});

test('any sequence of calls gives what it gives with plain buffers', async () => {
  const { steps, sealed } = await run(`
    let state = 1;
    const below = (end) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * end);
    };
    const live = fillers.map((secret) => ({ secret, plain: secret.use((lent) => Buffer.from(lent)) }));
    const key = SecretBuffer.random(64);
    let sealed = 0;
    const actions = [
      () => {
        const plain = Buffer.alloc(1 + below(below(2) ? 4064 : 100), below(256));
        live.push({ secret: SecretBuffer.from(plain), plain });
      },
      ({ secret }, at) => { secret.dispose(); live.splice(at, 1); },
      ({ secret, plain }) => live.push({ secret: secret.clone(), plain }),
      ({ secret, plain }) => live.push({ secret: SecretBuffer.adopt(secret.share()), plain }),
      ({ secret, plain }) => {
        const blob = secret.seal(key, { context: 'x' });
        live.push({ secret: SecretBuffer.unseal(blob, key, { context: 'x' }), plain });
      },
      ({ secret, plain }) => {
        const other = live[below(live.length)];
        assert.equal(secret.equals(other.secret), plain.equals(other.plain));
      },
      ({ secret, plain }) => secret.use((lent) => assert.ok(plain.equals(lent))),
    ];
    for (let step = 0; step < 3000; step++) {
      const at = below(live.length);
      const action = live.length === 0 ? 0 : live.length > 60 ? 1 : below(actions.length);
      actions[action](live[at], at);
      sealed = Math.max(sealed, secureHeap.status().sealedSecrets);
    }
    for (const { secret, plain } of live) assert.ok(secret.equals(plain));
    secureHeap.verify();
    secureHeap.disposeAll();
    assert.deepEqual(counts(), [0, 0]);
    report({ steps: 3000, sealed });
  `);
  assert.equal(steps, 3000);
  assert.ok(sealed > 10, `${sealed}`);
});

test('the sealed secrets of a worker are freed when it is terminated', async () => {
  const found = await run(`
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { SecretBuffer } = require('@nodesec/native');
      globalThis.held = [1, 32, 4064].map((bytes) => SecretBuffer.random(bytes));
      globalThis.held[0].share();
      require('node:worker_threads').parentPort.postMessage('ready');
      setInterval(() => {}, 1000);
    \`;
    const worker = new Worker(source, { eval: true });
    worker.once('message', () => {
      const during = counts();
      worker.once('exit', async () => {
        // Deno tells of the end before the thread has ended.
        const isLater = () => process.versions.deno && counts()[1] > 1;
        for (let n = 0; n < 500 && isLater(); n += 1) await new Promise((next) => setTimeout(next, 20));
        report([during, counts()]);
      });
      worker.terminate();
    });
  `);
  // One of them is waiting to be adopted.
  assert.deepEqual(found, [[4, 3], [4, 1]]);
});

test('threads use sealed secrets at the same time', async () => {
  const results = await run(`
    const { Worker } = require('node:worker_threads');
    const plain = Buffer.alloc(4064, 'x');
    const shared = SecretBuffer.from(plain);
    const source = \`
      const { parentPort, workerData } = require('node:worker_threads');
      const { SecretBuffer } = require('@nodesec/native');
      const secret = SecretBuffer.adopt(workerData);
      const plain = Buffer.alloc(4064, 'x');
      let right = 0;
      for (let i = 0; i < 500; i++) {
        const own = SecretBuffer.random(32);
        if (secret.equals(plain) && secret.clone().equals(secret) && !own.equals(secret)) right++;
        own.dispose();
      }
      parentPort.postMessage(right);
    \`;
    const results = [1, 2, 3].map(() => new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true, workerData: shared.share() });
      worker.once('message', resolve).once('error', reject);
    }));
    Promise.all(results).then(report);
  `);
  assert.deepEqual(results, [500, 500, 500]);
});
