'use strict';

// Secrets handed over from thread to thread.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { SecretBuffer, secureHeap } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const refused = coded('ERR_SECRET_TICKET', { name: 'SecretError' });

/**
 * A worker that adopts the secret of each ticket, shares it under a new ticket, disposes of its own
 * handle, and answers with the new ticket.
 */
const RELAY = `
  const { parentPort } = require('node:worker_threads');
  const { SecretBuffer } = require('@nodesec/native');
  parentPort.on('message', (ticket) => {
    const secret = SecretBuffer.adopt(ticket);
    const other = secret.share();
    // Dispose before the answer, because the other thread counts secrets after it.
    secret.dispose();
    parentPort.postMessage(other);
  });
`;

test('a secret goes to a thread and comes back', async () => {
  const worker = new Worker(RELAY, { eval: true });
  try {
    for (const length of [0, 32, 5000]) {
      const secret = SecretBuffer.from(Buffer.alloc(length, 'x'));
      const { liveSecrets } = secureHeap.status();
      const ticket = secret.share();
      assert.match(ticket, /^[\w-]{22}$/);
      secret.dispose();
      worker.postMessage(ticket);
      const [returned] = await once(worker, 'message');
      assert.notEqual(returned, ticket);
      const adopted = SecretBuffer.adopt(returned);
      assert.ok(adopted.equals(Buffer.alloc(length, 'x')));
      // The secret stays in the same slot all the time.
      assert.equal(secureHeap.status().liveSecrets, liveSecrets);
      assert.throws(() => SecretBuffer.adopt(ticket), refused);
      assert.throws(() => SecretBuffer.adopt(returned), refused);
      // Do not leave this to the garbage collector: its work would change the numbers of the next
      // round.
      adopted.dispose();
    }
  } finally {
    await worker.terminate();
  }
});

test('a secret outlives the thread that shared it', async () => {
  const worker = new Worker(
    `
    const { parentPort } = require('node:worker_threads');
    const { SecretBuffer } = require('@nodesec/native');
    parentPort.postMessage(SecretBuffer.fromString('secret').share());
    `,
    { eval: true },
  );
  const [[ticket], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  assert.equal(code, 0);
  assert.ok(SecretBuffer.adopt(ticket).equals(Buffer.from('secret')));
});

test('a secret that is adopted outlasts the one that was shared', () => {
  const secret = SecretBuffer.fromString('secret');
  const adopted = SecretBuffer.adopt(secret.share());
  secret.dispose();
  assert.ok(adopted.equals(Buffer.from('secret')));
  assert.throws(() => secret.share(), coded('ERR_SECRET_DISPOSED'));
});

test('a text that is no ticket is refused', () => {
  const ticket = SecretBuffer.random(32).share();
  const other = ticket.startsWith('A') ? `B${ticket.slice(1)}` : `A${ticket.slice(1)}`;
  for (const text of ['', 'ticket', other, `${ticket}=`, ` ${ticket}`, ticket.slice(1)]) {
    assert.throws(() => SecretBuffer.adopt(text), refused);
  }
  assert.equal(SecretBuffer.adopt(ticket).byteLength, 32);
});

test('1024 tickets may be open, and disposeAll() takes them back', async () => {
  const { code, stderr } = await runScript(`
    const assert = require('node:assert');
    const { SecretBuffer, secureHeap } = require('@nodesec/native');
    const before = secureHeap.status().liveSecrets;
    const secret = SecretBuffer.fromString('secret');
    const tickets = Array.from({ length: 1024 }, () => secret.share());
    assert.equal(new Set(tickets).size, 1024);
    assert.throws(() => secret.share(), { code: 'ERR_SECRET_TICKET' });
    SecretBuffer.adopt(tickets.pop()).dispose();
    secret.share();
    secret.dispose();
    assert.equal(secureHeap.status().liveSecrets, before + 1);
    secureHeap.disposeAll();
    assert.equal(secureHeap.status().liveSecrets, before);
    assert.throws(() => SecretBuffer.adopt(tickets[0]), { code: 'ERR_SECRET_TICKET' });
  `);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});
