'use strict';

// Secrets in Deno, whose permissions do not cover native code, and which does not finalize the
// objects of a worker that ends.

const assert = require('node:assert/strict');
const { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { LOADING, ROOT, runDeno } = require('../helpers/deno.js');
const { deno } = require('../helpers/peers.js');

/** Runs a program with the package as `native`. Returns the value that it reports. */
function run(binary, flags, program) {
  const loading = 'import { Worker as NodeWorker } from "node:worker_threads"; const native = load();';
  const env = { NODESEC_DENO: 'sesame' };
  const { status, reported, stderr } = runDeno(binary, flags, `${loading}${program}`, env);
  assert.equal(status, 0, stderr);
  return reported[0];
}

test("fromFile and fromEnv honour Deno's permissions", (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
  try {
    const file = path.join(folder, 'secret');
    writeFileSync(file, 'sesame', { mode: 0o600 });
    const taking = `
      const taken = (take) => {
        try {
          return take().byteLength;
        } catch ({ name, code, message, permission, resource }) {
          return { name, code, message, permission, resource };
        }
      };
      report([
        taken(() => native.SecretBuffer.fromFile(${JSON.stringify(file)})),
        taken(() => native.SecretBuffer.fromEnv('NODESEC_DENO')),
      ]);
    `;
    const denied = { name: 'SecretError', code: 'ERR_ACCESS_DENIED' };
    const [ofFile, ofEnv] = run(binary, LOADING, taking);
    const { message: aboutFile, ...file1 } = ofFile;
    assert.deepEqual(file1, { ...denied, permission: 'read', resource: file });
    assert.match(aboutFile, /--allow-read/);
    const { message: aboutEnv, ...env1 } = ofEnv;
    assert.deepEqual(env1, { ...denied, permission: 'env', resource: 'NODESEC_DENO' });
    assert.match(aboutEnv, /--allow-env/);
    const allowed = ['--allow-ffi', `--allow-read=${ROOT},${folder}`, '--allow-env=NODE_ENV,NODESEC_DENO'];
    assert.deepEqual(run(binary, allowed, taking), [6, 6]);
    // The file that was asked about is read, and not the one that the kernel finds by this path.
    const elsewhere = path.join(folder, 'elsewhere');
    mkdirSync(path.join(elsewhere, 'room'), { recursive: true });
    mkdirSync(path.join(folder, 'inside'));
    symlinkSync(path.join(elsewhere, 'room'), path.join(folder, 'inside', 'door'));
    writeFileSync(path.join(elsewhere, 'secret'), 'not to be read', { mode: 0o600 });
    writeFileSync(path.join(folder, 'inside', 'secret'), 'mine', { mode: 0o600 });
    const inside = ['--allow-ffi', '--allow-env=NODE_ENV', `--allow-read=${ROOT},${folder}/inside`];
    const door = `${folder}/inside/door/../secret`;
    const lengthOf = `report(native.SecretBuffer.fromFile(${JSON.stringify(door)}).byteLength);`;
    assert.equal(run(binary, inside, lengthOf), 4);
    const denying = [...allowed, `--deny-read=${file}`, '--deny-env=NODESEC_DENO'];
    assert.deepEqual(
      run(binary, denying, taking).map(({ code }) => code),
      Array(2).fill('ERR_ACCESS_DENIED'),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Uses every kind of object that holds a secret, and never lets go of it. */
const HOLDING = `
  const { JwtIssuer, JwtKey, KeyRing, PasswordHasher, RevocationList, SecretBuffer, Sessions } = native;
  const secret = SecretBuffer.random(32);
  const key = JwtKey.fromSecret(secret, { alg: 'HS256' });
  const issuer = new JwtIssuer({ keys: key, issuer: 'i', expiresIn: 60 });
  globalThis.held = [
    secret,
    secret.clone(),
    secret.equals(secret),
    key,
    issuer,
    issuer.sign({}),
    new KeyRing({ alg: 'HS256', keys: [key] }),
    new PasswordHasher({ secret }),
    new Sessions({ issuer, revocations: new RevocationList() }),
  ];
`;

const ENDINGS = {
  'a Worker of node:worker_threads': `
    const worker = new NodeWorker(
      \`const native = require('./index.js'); ${HOLDING}
       require('node:worker_threads').parentPort.postMessage(native.secureHeap.status().liveSecrets);\`,
      { eval: true },
    );
    seen.push(await new Promise((resolve) => worker.once('message', resolve)));
    await worker.terminate();
  `,
  'a Worker that is terminated': `
    const worker = webWorker('');
    seen.push(await new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data))));
    worker.terminate();
  `,
  'a Worker that closes itself': `
    const worker = webWorker('setTimeout(() => self.close());');
    seen.push(await new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data))));
  `,
};

for (const [what, use] of Object.entries(ENDINGS)) {
  test(`no secret of ${what} is left in Deno`, (t) => {
    const binary = deno(t);
    if (binary === undefined) return;
    const program = `
      const webWorker = (ending) => {
        const text = \`
          import { createRequire } from 'node:module';
          const native = createRequire(${JSON.stringify(path.join(ROOT, 'x.js'))})('./index.js');
          ${HOLDING}
          postMessage(native.secureHeap.status().liveSecrets);
          \` + ending;
        return new Worker('data:text/javascript,' + encodeURIComponent(text), { type: 'module' });
      };
      const seen = [];
      for (let round = 0; round < 5; round += 1) { ${use} }
      const live = () => native.secureHeap.status().liveSecrets;
      // A worker goes on for a moment after it was told to end.
      for (let round = 0; round < 500 && live() > 0; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      report({ seen, left: live() });
    `;
    const { seen, left } = run(binary, ['--allow-all'], program);
    assert.equal(seen.length, 5);
    assert.ok(seen.every((count) => count > 0), `${seen}`);
    assert.equal(left, 0);
  });
}

test('the work of a worker that is terminated leaves no secret and no open store in Deno', (t) => {
  const binary = deno(t);
  if (binary === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-deno-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const place = JSON.stringify(path.join(folder, 'store'));
  const opening = `
    globalThis.key = SecretBuffer.fromString('6b'.repeat(32), 'hex');
    const open = () => Store.open(${place}, { key });`;
  const program = `
    const { JwtKey, SecretBuffer, Store, secureHeap } = native;
    ${opening}
    const store = await open();
    const before = secureHeap.status().liveSecrets;
    const left = () => [secureHeap.status().liveSecrets - before, store.stats().openers - 1];
    const most = [0, 0];
    for (let round = 0; round < 5; round += 1) {
      const worker = new NodeWorker(\`
        const { JwtKey, SecretBuffer, Store } = require('./index.js');
        ${opening}
        for (let n = 0; n < 2; n += 1) {
          JwtKey.generate('RS256');
          open();
        }
        require('node:worker_threads').parentPort.postMessage('begun');
        setInterval(() => {}, 1000);
      \`, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      left().forEach((count, index) => (most[index] = Math.max(most[index], count)));
    }
    for (let wait = 0; wait < 500 && left().some((count) => count > 0); wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      left().forEach((count, index) => (most[index] = Math.max(most[index], count)));
    }
    report({ most, left: left() });
  `;
  const { most, left } = run(binary, ['--allow-all'], program);
  assert.ok(most.every((count) => count > 0), most);
  assert.deepEqual(left, [0, 0]);
});
