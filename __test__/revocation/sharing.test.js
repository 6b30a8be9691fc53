'use strict';

// One list in several threads, and the events that each of them hears.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { RevocationList } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { now } = require('../helpers/tokens.js');

const SOON = now() + 3600;

/** Lets the listeners hear what has been told. */
async function until(isSo) {
  while (!isSo()) await new Promise(setImmediate);
}

test('a shared list is one list for all who name it, and no other', () => {
  const list = RevocationList.shared('one', { maxEntries: 100 });
  list.revokeIdSync('a', SOON);
  assert.equal(RevocationList.shared('one').isRevoked({ jti: 'a' }), true);
  assert.equal(RevocationList.shared('other').size, 0);
  assert.equal(new RevocationList().isRevoked({ jti: 'a' }), false);
});

test('other options for a known name are refused, and equal or missing ones are not', () => {
  RevocationList.shared('options', { maxEntries: 100, maxTokenTtl: '1h' });
  for (const options of [undefined, {}, { maxEntries: 100 }, { maxTokenTtl: 3600, onFull: 'error' }]) {
    assert.equal(RevocationList.shared('options', options).stats().maxEntries, 100);
  }
  for (const options of [{ maxEntries: 101 }, { maxTokenTtl: '2h' }, { onFull: 'reject-older' }]) {
    assert.throws(() => RevocationList.shared('options', options), coded('ERR_INVALID_ARG_VALUE'));
  }
  const clock = () => new Date();
  assert.throws(() => RevocationList.shared('options', { clock }), coded('ERR_UNKNOWN_OPTION'));
});

test('a shared list that is closed stays closed under its name', async () => {
  const list = RevocationList.shared('closed');
  await RevocationList.shared('closed').close();
  assert.throws(() => list.isRevoked({ jti: 'a' }), coded('ERR_REVOCATION_CLOSED'));
  const again = RevocationList.shared('closed');
  assert.throws(() => again.revokeKeySync('k'), coded('ERR_REVOCATION_CLOSED'));
});

const WORKER = `
  const { parentPort } = require('node:worker_threads');
  const { RevocationList } = require('@nodesec/native');
  const list = RevocationList.shared('threads');
  list.on('revoked', (event) => parentPort.postMessage({ heard: event }));
  parentPort.on('message', ({ revoke, ask }) => {
    if (revoke) list.revokeIdSync(revoke, ${SOON});
    if (ask) parentPort.postMessage({ answer: list.isRevoked({ jti: ask }) });
  });
  parentPort.postMessage({ ready: true });
`;

test('a revocation of one thread is refused and heard in every other', async () => {
  const list = RevocationList.shared('threads', { maxEntries: 1000 });
  const heard = [];
  list.on('revoked', (event) => heard.push(event));
  const workers = [1, 2].map(() => new Worker(WORKER, { eval: true }));
  const said = workers.map(() => []);
  workers.forEach((worker, n) => worker.on('message', (message) => said[n].push(message)));
  try {
    await until(() => said.every(([first]) => first?.ready));
    list.revokeSessionSync('s', SOON);
    workers[0].postMessage({ revoke: 'x' });
    await until(() => heard.length === 2 && said.every((messages) => messages.length === 3));
    const events = [
      { kind: 'session', until: SOON, origin: 'local', missed: 0 },
      { kind: 'id', until: SOON, origin: 'local', missed: 0 },
    ];
    assert.deepEqual(heard, events);
    for (const messages of said) {
      assert.deepEqual(messages.slice(1), events.map((event) => ({ heard: event })));
    }
    assert.equal(list.isRevoked({ jti: 'x' }), true);
    workers[1].postMessage({ ask: 'x' });
    const [{ answer }] = await once(workers[1], 'message');
    assert.equal(answer, true);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  // Listeners of threads that have ended hear nothing, and hold nothing up.
  list.revokeIdSync('y', SOON);
  await until(() => heard.length === 3);
});

test('a listener hears every revocation once, of each kind, and a full list that makes room', async () => {
  const list = new RevocationList({ maxEntries: 5, maxTokenTtl: 600, onFull: 'reject-older' });
  const heard = [];
  list.on('revoked', (event) => heard.push(event));
  await list.revoke({ jti: 'a', exp: SOON });
  list.revokeSessionSync('a', SOON);
  await list.revokeSubject('a', 1000);
  await list.revokeKey('a');
  list.revokeAllSync({ issuedBefore: 2000 });
  await list.revokeId('b', SOON);
  await until(() => heard.length === 7);
  assert.deepEqual(heard.map(({ kind }) => kind), 'id session subject key all all id'.split(' '));
  const { rejectsIssuedUntil } = list.stats();
  const ends = [SOON, SOON, 1600, undefined, 2600, rejectsIssuedUntil + 600, SOON];
  assert.deepEqual(heard.map((event) => event.until), ends);
  assert.ok(heard.every((event) => Object.isFrozen(event) && Object.keys(event).length === 4));
});

const BUSY = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { RevocationList } = require('@nodesec/native');
  const list = RevocationList.shared('busy');
  const heard = [];
  list.on('revoked', (event) => heard.push(event));
  setInterval(() => {
    if (heard.at(-1)?.kind !== 'key') return;
    const { missed } = heard[0];
    const others = heard.slice(1).every((event) => event.missed === 0);
    parentPort.postMessage({ missed, others, before: heard.at(-2).until, last: heard.at(-1) });
    heard.length = 0;
  }, 1);
  parentPort.postMessage('listens');
  Atomics.wait(workerData, 0, 0);
`;

test('a thread that is busy for a million revocations gets the last ones and the number of the others', async () => {
  const list = RevocationList.shared('busy', { maxEntries: 2000 });
  const wake = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(BUSY, { eval: true, workerData: wake });
  try {
    await once(worker, 'message');
    const count = 1_000_000;
    for (let n = 0; n < count; n += 1) list.revokeIdSync(`${n % 1000}`, SOON + n);
    const told = once(worker, 'message');
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
    // The thread hears this one with the others, or right after them.
    list.revokeKeySync('last');
    const [{ missed, ...rest }] = await told;
    const last = { kind: 'key', until: undefined, origin: 'local', missed: 0 };
    assert.deepEqual(rest, { others: true, before: SOON + count - 1, last });
    assert.ok([count - 10_000, count - 9999].includes(missed), `${missed}`);
  } finally {
    await worker.terminate();
  }
});

test('once hears one revocation, off none, and a function that is added twice hears twice', async () => {
  const list = new RevocationList();
  const counts = { once: 0, off: 0, twice: 0, last: 0 };
  const count = (name) => () => counts[name]++;
  const [off, offOnce, twice] = [count('off'), count('off'), count('twice')];
  assert.equal(list.once('revoked', count('once')), list);
  assert.equal(list.on('revoked', off).off('revoked', off), list);
  list.once('revoked', offOnce).off('revoked', offOnce);
  list.on('revoked', twice).on('revoked', twice).on('revoked', count('last'));
  for (const jti of ['a', 'b']) list.revokeIdSync(jti, SOON);
  await until(() => counts.last === 2);
  assert.deepEqual(counts, { once: 1, off: 0, twice: 4, last: 2 });
  list.off('revoked', twice).off('revoked', twice);
  list.revokeIdSync('c', SOON);
  await until(() => counts.last === 3);
  assert.deepEqual(counts, { once: 1, off: 0, twice: 4, last: 3 });
});

test('another event than revoked, and a listener that is no function, are refused', () => {
  const list = new RevocationList();
  for (const call of ['on', 'once', 'off']) {
    assert.throws(() => list[call]('change', () => {}), coded('ERR_INVALID_ARG_VALUE'));
    assert.throws(() => list[call]('revoked', {}), coded('ERR_INVALID_ARG_TYPE'));
  }
});

const LISTENS = `
  const { RevocationList } = require('@nodesec/native');
  const list = new RevocationList();
  process.on('uncaughtException', ({ message }) => console.log(message));
  list.on('revoked', () => { throw new Error('thrown'); });
  list.on('revoked', ({ kind }) => console.log(kind, list.isRevoked({ jti: 'a' })));
  list.revokeIdSync('a', ${SOON});
  setImmediate(() => setImmediate(() => console.log('on')));
`;

test('a listener that throws breaks nothing, and a listener keeps no process running', () => {
  const options = { encoding: 'utf8', cwd: __dirname };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', LISTENS], options);
  assert.deepEqual([stdout.split('\n').sort(), stderr, status], [['', 'id true', 'on', 'thrown'], '', 0]);
});

test('a list with a listener is collected when nobody holds it', () => {
  const program = `
    const { RevocationList } = require('@nodesec/native');
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    for (let n = 0; n < 100; n++) {
      const list = new RevocationList();
      list.on('revoked', () => {});
      registry.register(list);
    }
    (async () => {
      for (let n = 0; n < 100 && collected < 90; n++) {
        gc();
        await new Promise(setImmediate);
      }
      console.log(collected >= 90);
    })();
  `;
  const options = { encoding: 'utf8', cwd: __dirname };
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', program], options);
  assert.equal(stdout, 'true\n', stderr);
});
