'use strict';

// Stores that have lost changes because the machine stopped.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { test } = require('node:test');

const { coded } = require('../helpers/outcome.js');
const { heard } = require('../helpers/heard.js');
const { StoreProcess } = require('../helpers/store-process.js');
const { ACCEPTED, StoreService, storeWithLoss } = require('../helpers/store-service.js');

/** A UUID of version 7 that was made in a millisecond. */
function idOf(millis) {
  const hex = millis.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Whether a token is refused that states the second of `millis`, with that time in its id. */
function isRevokedAt(list, millis, hasTime = true) {
  return list.isRevoked({ iat: Math.floor(millis / 1000), jti: hasTime ? idOf(millis) : 'none' });
}

test('after a loss, exactly the tokens that were issued until the store was opened are refused', async (t) => {
  let issued;
  const { at, restart } = await storeWithLoss(t, { durability: 'process' }, (service) => {
    issued = service.verifier.verify(service.issuer.sign({ sub: 'ada', sid: 'never revoked' }));
    assert.equal(service.stats().lostAt, undefined);
  });
  await assert.rejects(StoreService.open(at), coded('ERR_STORE_CORRUPT'), 'no other start');
  restart();
  const before = Date.now();
  const service = await StoreService.open(at);
  const { lostAt } = service.stats();
  assert.ok(lostAt instanceof Date && lostAt >= before && lostAt <= Date.now());
  assert.equal(service.revocations.isRevoked(issued), true);
  while (Date.now() <= lostAt) await sleep(1);
  assert.equal(service.judge('of a new login'), ACCEPTED);
  const { revocations } = service;
  assert.equal(isRevokedAt(revocations, +lostAt), true);
  assert.equal(isRevokedAt(revocations, +lostAt + 1), false);
  // Without a time in the id, the second counts, and the tolerance of the verifier.
  const second = revocations.stats().rejectsIssuedUntil;
  assert.equal(second, Math.floor(lostAt / 1000) + 5);
  assert.equal(isRevokedAt(revocations, second * 1000 + 999, false), true);
  assert.equal(isRevokedAt(revocations, second * 1000 + 1000, false), false);
  // An id that does not fit the second of the token proves nothing.
  const jti = idOf(+lostAt + 1000);
  assert.equal(revocations.isRevoked({ iat: Math.floor(lostAt / 1000), jti }), true);
  await service.close();
});

test('each process tells the audit trail of a loss once, and every later one knows its time', async (t) => {
  const { at, restart } = await storeWithLoss(t, { durability: 'process' });
  restart();
  let lostAt;
  const events = await heard(async () => {
    const services = [await StoreService.open(at), await StoreService.open(at)];
    ({ lostAt } = services[0].stats());
    for (const service of services) await service.close();
  });
  const losses = events.filter(({ event }) => event === 'store.lost');
  assert.deepEqual(losses.map((event) => [event.outcome, event.lostAt]), [['error', +lostAt]]);
  const later = new StoreProcess(t);
  const heardLater = await later.call('openHearing', at);
  assert.deepEqual(heardLater.map((event) => [event.event, event.lostAt]), [['store.lost', +lostAt]]);
  assert.equal(Date.parse((await later.call('stats')).lostAt), +lostAt);
  await later.call('close');
});

test("a loss under durability: 'power-loss' is damage, also after another start of the machine", async (t) => {
  const { at, restart } = await storeWithLoss(t);
  restart();
  for (const durability of ['power-loss', 'process']) {
    await assert.rejects(StoreService.open(at, { durability }), coded('ERR_STORE_CORRUPT'));
  }
});
