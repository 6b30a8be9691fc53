'use strict';

// Under --abort-on-uncaught-exception V8 ends the process at an exception for which it predicts no
// handler, and it predicts none for one that native code throws.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { assertPasses, assertTableOfArgumentsPasses, underFlag } = require('../helpers/abort-on-uncaught.js');

test('every wrong argument of every function is caught by try', () => {
  assertTableOfArgumentsPasses(process.execPath);
});

test('no trap of a proxy runs below a native frame, wherever the proxy is passed', () => {
  assertPasses(process.execPath, 'proxies');
});

test('no getter of a list that is too long runs below a native frame', () => {
  const program = `
    const nodesec = require('@nodesec/native');
    const names = new Array(10_001).fill('a');
    const options = { issuer: names, audience: false };
    Object.defineProperty(options, 'keys', { enumerable: true, get() {
      names.length = 1;
      Object.defineProperty(names, 0, { get() { throw new Error('mine'); } });
      return nodesec.JwtKey.fromSecret(Buffer.alloc(32, 'k'), { alg: 'HS256' });
    } });
    try {
      new nodesec.JwtVerifier(options);
    } catch (error) {
      console.log(error.code ?? error.message);
    }`;
  const { status, signal, stdout, stderr } = underFlag(process.execPath, '--eval', program);
  assert.deepEqual([status, signal], [0, null], stderr);
  assert.equal(stdout, 'ERR_OUT_OF_RANGE\n');
});

test('an exception of a getter, a proxy or a callback is caught by try', () => {
  const program = `
    const nodesec = require('@nodesec/native');
    const secret = nodesec.SecretBuffer.random(32);
    const trap = () => { throw new Error('mine'); };
    const getter = (name) => Object.defineProperty({}, name, { enumerable: true, get: trap });
    const proxy = new Proxy({}, { ownKeys: trap });
    const list = Object.defineProperty([], 0, { get: trap });
    const calls = {
      option: () => new nodesec.RateLimiter(getter('limit')),
      'nested option': () => new nodesec.PasswordHasher({ limits: getter('timeCost') }),
      record: () => new nodesec.PasswordHasher({ peppers: { current: 'a', keys: getter('a') } }),
      'own keys': () => new nodesec.RateLimiter(proxy),
      element: () => new nodesec.JwtVerifier({ keys: list, issuer: 'i', audience: 'a' }),
      claims: () => new nodesec.RevocationList().isRevoked(getter('sub')),
      'claims to revoke': () => new nodesec.RevocationList().revokeSync(getter('jti')),
      signal: () => nodesec.hash('x', getter('signal')),
      calibrate: () => nodesec.calibrate(getter('targetMs')),
      use: () => secret.use(trap),
    };
    (async () => {
      for (const [name, call] of Object.entries(calls)) {
        try {
          await call();
          console.log(name, 'returned');
        } catch (error) {
          console.log(name, error.message);
        }
      }
    })();`;
  const { status, signal, stdout, stderr } = underFlag(process.execPath, '--eval', program);
  assert.deepEqual([status, signal], [0, null], stderr);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 10);
  for (const line of lines) assert.match(line, / mine$/);
});
