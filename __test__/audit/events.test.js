'use strict';

// Provokes each event of the table by a real call. Its members must be those that the table
// declares, and it must hold nothing of the ids and the secrets of the call.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { channels, hashId } = require('@nodesec/native/audit');
const { EVENTS, HASHED } = require('../../lib/audit/events.js');
const { runScript } = require('../helpers/child.js');
const { heard } = require('../helpers/heard.js');
const PROVOCATIONS = require('../helpers/provocations/index.js');

/** Their conditions occur once a process. */
const IN_A_CHILD = ['secret.degraded', 'secret.overflowed', 'secret.exhausted'];

for (const event of Object.keys(EVENTS).filter((name) => !IN_A_CHILD.includes(name))) {
  test(`${event} has the members of the table and nothing of the call's ids and secrets`, async (t) => {
    let used;
    const events = await heard(async () => {
      used = await PROVOCATIONS[event](t);
    });
    const found = events.filter((each) => each.event === event);
    assert.ok(found.length > 0, events.map((each) => each.event).join());
    for (const each of found) assertAsDeclared(each);
    const [last] = found.slice(-1);
    for (const name of HASHED) {
      if (Object.hasOwn(used, name)) assert.equal(last[name], hashId(name, used[name]), name);
    }
    const text = JSON.stringify(events);
    for (const [name, value] of Object.entries(used)) {
      assert.ok(!text.includes(value), `${name} is in ${text}`);
    }
  });
}

for (const [event, options, script] of [
  [
    'secret.degraded',
    "{ backend: 'plain', onDegraded: 'ignore' }",
    'SecretBuffer.random(32); SecretBuffer.random(32);',
  ],
  [
    'secret.degraded',
    "{ backend: 'plain', require: ['kernelUnmapped'] }",
    'SecretBuffer.random(32);',
  ],
  [
    'secret.overflowed',
    "{ maxBytes: 32768, overflow: 'seal', onDegraded: 'ignore' }",
    'for (let i = 0; i < 8; i += 1) kept.push(SecretBuffer.random(4064));',
  ],
  [
    'secret.exhausted',
    "{ maxBytes: 16384, onDegraded: 'ignore' }",
    'for (let i = 0; i < 8; i += 1) kept.push(SecretBuffer.random(4064));',
  ],
]) {
  test(`${event} comes once with ${options}`, async () => {
    const { code, stdout, stderr } = await runScript(
      `const { subscribe } = require('node:diagnostics_channel');
       const { channels } = require('@nodesec/native/audit');
       const { SecretBuffer, secureHeap } = require('@nodesec/native');
       const kept = [];
       const events = [];
       for (const channel of channels) subscribe(channel, (event) => events.push(event));
       try { secureHeap.configure(${options}); ${script} } catch {}
       setImmediate(() => console.log(JSON.stringify(events)));`,
      { env: { NODESEC_SECMEM: '' } },
    );
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout).filter((each) => each.event === event);
    assert.equal(found.length, 1, stdout);
    assertAsDeclared(found[0]);
  });
}

test('each event of the table has a provocation, and each channel an event', () => {
  const provoked = [...Object.keys(PROVOCATIONS), ...IN_A_CHILD];
  assert.deepEqual(provoked.sort(), Object.keys(EVENTS).sort());
  assert.deepEqual(channels, Object.keys(EVENTS).map((event) => `nodesec:${event}`));
});

/** Checks the members that every event has, and that the others are those of the table. */
function assertAsDeclared(event) {
  const { event: name, time, id, outcome: how, correlationId = id, traceId, ...members } = event;
  // Only events within a request or a job have these.
  assert.match(correlationId, /^[\w.:+/=@-]{1,64}$/);
  assert.match(traceId ?? '0'.repeat(32), /^[\da-f]{32}$/);
  const { outcome: expected, members: declared } = EVENTS[name];
  assert.ok(Number.isSafeInteger(time) && Math.abs(time - Date.now()) < 60_000);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  if (expected === undefined) assert.ok(['ok', 'denied', 'error'].includes(how));
  else assert.equal(how, expected);
  const known = declared.map((member) => member.replace('?', ''));
  assert.deepEqual(Object.keys(members).filter((member) => !known.includes(member)), []);
  const missing = declared.filter((member) => !member.endsWith('?') && !(member in members));
  assert.deepEqual(missing, []);
  for (const member of HASHED) {
    if (member in members) assert.match(members[member], /^[\w-]{22}$/);
  }
  assert.ok(Object.values(members).every((value) => value !== undefined));
}
