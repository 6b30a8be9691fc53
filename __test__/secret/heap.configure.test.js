'use strict';

// The heap belongs to the process, so each test runs in a process of its own.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runScript } = require('../helpers/child.js');

/**
 * Runs a script with the API in scope. Returns the value that the script reports, and its stderr.
 */
async function run(script, env = {}) {
  const { code, signal, stdout, stderr } = await runScript(
    `const { JwtKey, SecretBuffer, secureHeap } = require('@nodesec/native');
     const report = (value) => console.log(JSON.stringify(value));
     const codeOf = (fn) => { try { fn(); } catch (error) { return error.code; } };
     ${script}`,
    { env: { NODESEC_SECMEM: '', ...env } },
  );
  assert.equal(code, 0, `${signal} ${stderr}`);
  return { reported: JSON.parse(stdout), stderr };
}

const count = (text, part) => text.split(part).length - 1;

test('a backend is chosen before the first secret, also after a look at the status', async () => {
  const { reported } = await run(`
    secureHeap.status();
    secureHeap.configure({ backend: 'dontdump', onDegraded: 'ignore', maxBytes: 65536 });
    const secret = SecretBuffer.random(32);
    const { backend, locked, kernelUnmapped, maxBytes, reasons } = secureHeap.status();
    report({ backend, locked, kernelUnmapped, maxBytes, reasons });
  `);
  assert.deepEqual(reported, {
    backend: process.platform === 'linux' ? 'dontdump' : 'plain',
    locked: false,
    kernelUnmapped: false,
    maxBytes: 65536,
    reasons: reported.reasons,
  });
  assert.ok(reported.reasons.length > 0);
});

test('afterwards only maxBytes can be raised', async () => {
  const { reported } = await run(`
    JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' });
    secureHeap.configure({ maxBytes: 2 ** 25 });
    secureHeap.configure({});
    report([
      { backend: 'plain' }, { require: [] }, { onDegraded: 'ignore' }, { maxBytes: 2 ** 24 },
      { maxBytes: 2 ** 26, backend: 'auto' },
    ].map((options) => codeOf(() => secureHeap.configure(options))).concat(secureHeap.status().maxBytes));
  `);
  assert.deepEqual(reported, [...Array(5).fill('ERR_SECRET_CONFIGURED'), 2 ** 25]);
});

test('a required property that is missing stops the configuration and every secret', async () => {
  const { reported, stderr } = await run(`
    const demand = { backend: 'plain', require: ['kernelUnmapped'] };
    const key = () => JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' });
    report([
      codeOf(() => secureHeap.configure(demand)),
      codeOf(() => SecretBuffer.random(32)),
      codeOf(key),
      codeOf(() => secureHeap.configure({ require: [], onDegraded: 'error' })),
      codeOf(() => SecretBuffer.random(32)),
      codeOf(() => secureHeap.configure({ onDegraded: 'ignore' })) ?? 'fine',
      codeOf(key) ?? 'fine',
    ]);
  `);
  assert.deepEqual(reported, [...Array(5).fill('ERR_SECRET_DEGRADED'), 'fine', 'fine']);
  assert.equal(stderr, '');
});

test('a degraded heap warns once, from any first use', async () => {
  const { reported, stderr } = await run(
    `
    process.on('warning', ({ name, code, message }) => report({ name, code, message }));
    for (let i = 0; i < 3; i++) JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' });
    SecretBuffer.random(32);
    `,
    { NODESEC_SECMEM: 'plain' },
  );
  const { message, ...rest } = reported;
  assert.deepEqual(rest, { name: 'SecurityWarning', code: 'NODESEC_SECRET_DEGRADED' });
  assert.match(message, /not locked and not excluded from core dumps/);
  assert.equal(count(stderr, 'NODESEC_SECRET_DEGRADED'), 1);
});

test('an environment variable that names no backend is refused, and not passed over', async () => {
  const { reported } = await run(
    `
    const messages = [];
    const refused = (fn) => {
      try {
        fn();
      } catch ({ code, message }) {
        messages.push(message);
        return code;
      }
    };
    const codes = [
      () => SecretBuffer.random(32),
      () => JwtKey.fromSecret(new Uint8Array(32).fill(7), { alg: 'HS256' }),
      () => secureHeap.configure({ backend: 'mlock' }),
      () => secureHeap.status(),
    ].map(refused);
    report({ codes, messages: [...new Set(messages)] });
    `,
    { NODESEC_SECMEM: 'memfd-secret' },
  );
  assert.deepEqual(reported.codes, Array(4).fill('ERR_INVALID_ARG_VALUE'));
  assert.equal(reported.messages.length, 1);
  assert.match(reported.messages[0], /NODESEC_SECMEM.*memfd_secret, mlock, dontdump, plain/);
});

test('the environment has the last word on the backend, not on what is required', async () => {
  const { reported } = await run(
    `
    secureHeap.configure({ backend: 'memfd_secret', onDegraded: 'ignore' });
    const { backend, reasons } = secureHeap.status();
    report({ backend, reasons, code: codeOf(() => secureHeap.configure({ require: ['locked'] })) });
    `,
    { NODESEC_SECMEM: 'plain' },
  );
  assert.deepEqual(reported, {
    backend: 'plain',
    reasons: ['NODESEC_SECMEM: start at plain'],
    code: 'ERR_SECRET_DEGRADED',
  });
});
