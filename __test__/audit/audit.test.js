'use strict';

// The audit trail in processes and threads of its own: the key of the hashes, subscribers, rings
// that threads share, and what happens without a subscriber.

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { test } = require('node:test');

const { RateLimiter, SecretBuffer } = require('@nodesec/native');
const { channels, hashId, record } = require('@nodesec/native/audit');
const { runScript } = require('../helpers/child.js');
const { heard } = require('../helpers/heard.js');
const { coded } = require('../helpers/outcome.js');

const PREPARE = `
  const { subscribe } = require('node:diagnostics_channel');
  const { Worker } = require('node:worker_threads');
  const { hashId, record, setHashKey } = require('@nodesec/native/audit');
  const { KeyRing, RateLimiter, SecretBuffer, secureHeap, JwtKey, JwtVerifier } = require('@nodesec/native');
  const report = (value) => console.log(JSON.stringify(value));
  const codeOf = (fn) => { try { fn(); } catch (error) { return error.code; } };
  const keyOf = (byte) => SecretBuffer.from(Buffer.alloc(32, byte));`;

async function run(script, options) {
  const { code, stdout, stderr } = await runScript(`${PREPARE} ${script}`, options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('processes with the same key have the same hashes, and others have others', async () => {
  const script = (set) => `${set} report([hashId('subject', 'u-1'), hashId('session', 'u-1')]);`;
  const [one, two, other, drawn] = await Promise.all(
    ['setHashKey(keyOf(1));', 'setHashKey(keyOf(1));', 'setHashKey(keyOf(2));', ''].map((set) =>
      run(script(set)),
    ),
  );
  assert.deepEqual(one, two);
  assert.equal(new Set([...one, ...other, ...drawn]).size, 6);
});

test('every thread has the key of the process, and none can set another one', async () => {
  const reported = await run(`
    setHashKey(keyOf(1));
    const worker = new Worker(\`
      const { parentPort } = require('node:worker_threads');
      const { hashId, setHashKey } = require('@nodesec/native/audit');
      const { SecretBuffer } = require('@nodesec/native');
      const codeOf = (fn) => { try { fn(); } catch (error) { return error.code; } };
      setHashKey(SecretBuffer.from(Buffer.alloc(32, 1)));
      const refused = codeOf(() => setHashKey(SecretBuffer.from(Buffer.alloc(32, 2))));
      parentPort.postMessage([hashId('subject', 'u-1'), refused]);
    \`, { eval: true });
    worker.on('message', ([hash, refused]) => report([hash === hashId('subject', 'u-1'), refused]));`);
  assert.deepEqual(reported, [true, 'ERR_INVALID_ARG_VALUE']);
});

test('a key can be disposed of once it is set', async () => {
  const reported = await run(`
    const key = keyOf(1);
    setHashKey(key);
    const before = hashId('subject', 'u-1');
    key.dispose();
    report([before === hashId('subject', 'u-1'), codeOf(() => setHashKey(key))]);`);
  assert.deepEqual(reported, [true, 'ERR_SECRET_DISPOSED']);
});

test('without a subscriber no hash is computed, so that no key is drawn', async () => {
  const reported = await run(`
    const key = JwtKey.fromSecret(keyOf(1), { alg: 'HS256' });
    const verifier = new JwtVerifier({ keys: key, issuer: false, audience: false });
    const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
    const work = () => {
      verifier.tryVerify('a.b.c');
      limiter.check('key');
      record('invoice.read', { subject: 'u-1' });
    };
    const live = () => secureHeap.status().liveSecrets;
    const before = live();
    for (let i = 0; i < 10; i += 1) work();
    const without = live() - before;
    subscribe('nodesec:limit.denied', () => {});
    work();
    report([without, live() - before]);`);
  assert.deepEqual(reported, [0, 1]);
});

test('a full heap costs events their hashes, and never fails the call', async () => {
  const reported = await run(
    `
    secureHeap.configure({ maxBytes: 16384, onDegraded: 'ignore' });
    const kept = [];
    try { for (;;) kept.push(SecretBuffer.random(4064)); } catch {}
    try { for (;;) kept.push(SecretBuffer.random(16)); } catch {}
    const events = [];
    subscribe('nodesec:limit.denied', (event) => events.push(event));
    const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
    report([limiter.check('key'), limiter.check('key'), Object.keys(events[0])]);`,
    { env: { NODESEC_SECMEM: '' } },
  );
  const members = ['event', 'time', 'id', 'outcome', 'limit', 'windowMs', 'burst'];
  assert.deepEqual(reported, [true, false, members]);
});

test('a subscriber that throws does not disturb the call, and others get the event', async () => {
  const reported = await run(`
    const caught = [];
    const events = [];
    process.on('uncaughtException', (error) => caught.push(error.message));
    subscribe('nodesec:limit.denied', () => { throw new Error('of the subscriber'); });
    subscribe('nodesec:limit.denied', (event) => events.push(event.event));
    const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
    limiter.check('key');
    const denied = limiter.check('key');
    setImmediate(() => report({ denied, events, caught }));`);
  assert.deepEqual(reported, {
    denied: false,
    events: ['limit.denied'],
    caught: ['of the subscriber'],
  });
});

test('a subscriber can call the module, and cannot change an event', async () => {
  const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
  const seen = [];
  const meddle = (event) => {
    seen.push(Object.isFrozen(event), limiter.check('another key'), Reflect.set(event, 'outcome', 'ok'));
  };
  subscribe('nodesec:limit.denied', meddle);
  const [event] = await heard(() => {
    limiter.check('key');
    limiter.check('key');
  });
  unsubscribe('nodesec:limit.denied', meddle);
  assert.deepEqual(seen, [true, true, false]);
  const prototype = Object.getPrototypeOf(event);
  assert.deepEqual([Reflect.ownKeys(prototype), Object.getPrototypeOf(prototype)], [[], null]);
  assert.equal(Object.isFrozen(prototype), true);
  assert.equal(event.outcome, 'denied');
});

test('a change of a shared ring is published once in each thread that has it', async () => {
  const reported = await run(`
    const events = [];
    for (const name of ['added', 'rotated', 'retired', 'revoked', 'removed']) {
      subscribe('nodesec:key.' + name, ({ event }) => events.push(event));
    }
    const key = JwtKey.fromSecret(keyOf(1), { alg: 'HS256', kid: 'shared' });
    const [ring, same] = [1, 2].map(() => KeyRing.shared('audit', { alg: 'EdDSA' }));
    ring.add(key, { state: 'retired' });
    const own = events.splice(0);
    const worker = new Worker(\`
      const { subscribe } = require('node:diagnostics_channel');
      const { parentPort } = require('node:worker_threads');
      const { KeyRing } = require('@nodesec/native');
      const events = [];
      subscribe('nodesec:key.revoked', ({ event }) => events.push(event));
      KeyRing.shared('audit', { alg: 'EdDSA' }).revoke('shared');
      parentPort.postMessage(events);
    \`, { eval: true });
    worker.on('message', (theirs) => {
      const wait = () => {
        if (events.length === 0) return setTimeout(wait, 5);
        setTimeout(() => report({ own, theirs, events, same: same.list().length > 0 }), 50);
      };
      wait();
    });`);
  assert.deepEqual(reported, {
    own: ['key.added'],
    theirs: ['key.revoked'],
    events: ['key.revoked'],
    same: true,
  });
});

test('a ring that rotates on its own publishes it without a call of the ring', async () => {
  const reported = await run(`
    const { JwtIssuer } = require('@nodesec/native');
    const ring = new KeyRing({ alg: 'EdDSA', rotateEvery: '1h' });
    const events = [];
    subscribe('nodesec:key.added', ({ event, kid }) => events.push([event, typeof kid]));
    const issuer = new JwtIssuer({ keys: ring, expiresIn: '1m' });
    issuer.sign({});
    const alive = setInterval(() => {
      if (events.length === 0) return;
      clearInterval(alive);
      report(events[0]);
    }, 5);`);
  assert.deepEqual(reported, ['key.added', 'string']);
});

test('a ring can be collected although it is watched', async () => {
  const reported = await run(
    `
    const count = 200;
    let collected = 0;
    const registry = new FinalizationRegistry(() => { collected += 1; });
    for (let i = 0; i < count; i += 1) {
      const ring = new KeyRing({ alg: 'EdDSA' });
      ring.add(JwtKey.fromSecret(keyOf(1), { alg: 'HS256' }));
      registry.register(ring);
    }
    const wait = () => {
      gc();
      if (collected < count - 10) return setTimeout(wait, 5);
      report('collected');
    };
    setTimeout(wait, 5);`,
    { flags: ['--expose-gc'] },
  );
  assert.equal(reported, 'collected');
});

test('record publishes the fields as they are, and the ids as hashes', async () => {
  const [event] = await heard(() =>
    record('invoice.read', {
      subject: 'ada@example.com',
      outcome: 'denied',
      code: 'ERR_QUOTA',
      invoice: 17,
      note: null,
      absent: undefined,
      toString: 'text',
    }),
  );
  const { time, id, ...rest } = event;
  assert.deepEqual(rest, {
    event: 'app.recorded',
    outcome: 'denied',
    action: 'invoice.read',
    code: 'ERR_QUOTA',
    fields: { invoice: 17, note: null, toString: 'text' },
    subject: hashId('subject', 'ada@example.com'),
  });
  assert.ok(time > 0 && id.length === 36 && Object.isFrozen(event.fields));
});

test('record reads each field once, and refuses what it refuses with and without a subscriber', async () => {
  let reads = 0;
  const once = () =>
    record('a', {
      get amount() {
        reads += 1;
        return reads === 1 ? 1 : { token: 'a secret' };
      },
    });
  const [event] = await heard(once);
  assert.deepEqual([reads, event.fields], [1, { amount: 1 }]);
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`field${index}`, index]));
  for (const [fields, code] of [
    [many, 'ERR_OUT_OF_RANGE'],
    [{ note: 'x'.repeat(10_000_000) }, 'ERR_OUT_OF_RANGE'],
    [{ request: { headers: {} } }, 'ERR_INVALID_ARG_TYPE'],
    [{ 'a name': 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ ['__proto__']: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ subject: 42 }, 'ERR_INVALID_ARG_TYPE'],
    [{ subject: '' }, 'ERR_INVALID_ARG_TYPE'],
    [{ code: 'lower' }, 'ERR_INVALID_ARG_VALUE'],
    [{ outcome: 'fine' }, 'ERR_INVALID_ARG_VALUE'],
    [new Map(), 'ERR_INVALID_ARG_TYPE'],
    [SecretBuffer.random(16), 'ERR_INVALID_ARG_TYPE'],
  ]) {
    assert.throws(() => record('a', fields), coded(code));
    const events = await heard(() => assert.throws(() => record('a', fields), coded(code)));
    assert.deepEqual(events, []);
  }
});

test('a polluted Object.prototype adds nothing to an event', async () => {
  const reported = await run(`
    const { RevocationList, Sessions, JwtIssuer } = require('@nodesec/native');
    const { channels } = require('@nodesec/native/audit');
    const events = [];
    for (const channel of channels) {
      // It depends on the machine whether memory can be locked.
      if (channel === 'nodesec:secret.degraded') continue;
      subscribe(channel, (event) => events.push(event));
    }
    const key = JwtKey.fromSecret(keyOf(1), { alg: 'HS256' });
    const verifier = new JwtVerifier({ keys: key, issuer: false, audience: false });
    const limiter = new RateLimiter({ limit: 1, windowMs: 86_400_000 });
    const issuer = new JwtIssuer({ keys: key, expiresIn: '5m' });
    const sessions = new Sessions({ issuer, revocations: new RevocationList(), refreshTtl: '1h' });
    const names = ['subject', 'session', 'tokenId', 'limitKey', 'code', 'claim', 'kid', 'from', 'fields'];
    (async () => {
      for (const kind of [{ value: 'polluted' }, { get: () => 'polluted', set() {} }]) {
        for (const name of names) {
          Object.defineProperty(Object.prototype, name, { ...kind, configurable: true });
        }
        limiter.check('key');
        limiter.check('key');
        record('invoice.read');
        verifier.tryVerify('a.b.c');
        new KeyRing().add(key);
        await sessions.refresh('of nobody');
      }
      for (const name of names) delete Object.prototype[name];
      report(events.map((event) => [event.event, ...Object.keys(event).slice(4)]));
      if (JSON.stringify(events).includes('polluted')) throw new Error('polluted');
    })();`);
  const once = [
    ['limit.denied', 'limit', 'windowMs', 'burst', 'limitKey'],
    ['app.recorded', 'action'],
    ['token.refused', 'code', 'token'],
    ['key.added', 'kid', 'alg', 'state'],
    ['session.refused'],
  ];
  const again = [once[0], ...once];
  assert.deepEqual(reported, [...once, ...again]);
});

test('the trail works in an ES module, and its channels are those of the subpath', async () => {
  const { code, stdout, stderr } = await runScript(
    `const { channels, record } = await import('@nodesec/native/audit');
     const { subscribe } = await import('node:diagnostics_channel');
     for (const channel of channels) subscribe(channel, ({ event }) => console.log(event));
     record('invoice.read');`,
    { flags: ['--input-type=module'] },
  );
  assert.deepEqual([code, stdout, stderr], [0, 'app.recorded\n', '']);
  assert.ok(channels.every((name) => /^nodesec:[a-z]+\.[a-z]+$/.test(name)));
});

test('signing and refusing go on while a shared ring is watched by a thread that ends', async () => {
  const reported = await run(`
    const { JwtIssuer } = require('@nodesec/native');
    const ring = KeyRing.shared('ending', { alg: 'EdDSA' });
    const worker = new Worker(\`
      const { KeyRing } = require('@nodesec/native');
      KeyRing.shared('ending', { alg: 'EdDSA' });
    \`, { eval: true });
    worker.on('exit', async () => {
      await ring.rotate();
      await ring.rotate({ force: true });
      report(ring.list().length);
    });`);
  assert.ok(reported >= 2);
});
