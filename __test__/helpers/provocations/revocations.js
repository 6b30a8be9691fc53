'use strict';

// Provokes the events of revocations and stores.

const assert = require('node:assert/strict');

const { RevocationList, Store } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const { outcome } = require('../outcome.js');
const { emptyServer } = require('../redis-sender.js');
const { StoreService, storeWithLoss } = require('../store-service.js');
const { SECRET, SUBJECT, secretKey } = require('./call.js');

module.exports = {
  async 'revocation.added'() {
    new RevocationList().revokeIdSync('the-token-id', Date.now() / 1000 + 60);
    return { tokenId: 'the-token-id' };
  },
  async 'revocation.failed'() {
    const list = new RevocationList();
    await list.close();
    await outcome(() => list.revokeSubject(SUBJECT));
    return { SUBJECT };
  },
  async 'store.failed'() {
    const { code } = await Store.open('/dev/null/store', { key: secretKey() }).catch((error) => error);
    assert.equal(code, 'ERR_STORE_OPEN');
    return { SECRET };
  },
  async 'store.lost'(t) {
    const { at, restart } = await storeWithLoss(t, { durability: 'process' });
    restart();
    await (await StoreService.open(at)).close();
    return { at, SECRET };
  },
  async 'revocation.followed'(t) {
    await openRevocations(t);
    return { SECRET };
  },
  async 'revocation.lost'() {
    const XINFO = new Error(`NOAUTH ${SECRET}`);
    const opening = openRevocations(undefined, { XINFO }).catch(({ code }) => code);
    assert.equal(await opening, 'ERR_REVOCATION_STORE');
    return { SECRET };
  },
  async 'revocation.stale'(t) {
    let isDown = false;
    const HGET = () => (isDown ? new Error(`LOADING ${SECRET}`) : null);
    const XINFO = () => new Error(isDown ? `LOADING ${SECRET}` : 'ERR no such key');
    const { revocations } = await openRevocations(t, { HGET, XINFO });
    isDown = true;
    while (revocations.status().state !== 'stale') await new Promise(setImmediate);
    return { SECRET };
  },
  async 'revocation.ignored'(t) {
    const pages = [[['1-0', ['r', 'a forged row']]]];
    const XRANGE = () => pages.shift() ?? [];
    const info = () => ['last-generated-id', '1-0', 'entries-added', 1];
    await openRevocations(t, { XRANGE, XINFO: info });
    return { row: 'a forged row' };
  },
  async 'revocation.unpublished'(t) {
    const { list } = await openRevocations(t, { XADD: new Error(`OOM ${SECRET}`) });
    const revoked = list.revokeId('the-token-id', Date.now() / 1000 + 60);
    await assert.rejects(revoked, { code: 'ERR_REVOCATION_STORE' });
    return { id: 'the-token-id', SECRET };
  },
  async 'revocation.republished'(t) {
    const answers = [new Error('OOM no memory'), '1-0'];
    const { list, revocations } = await openRevocations(t, { XADD: () => answers.shift() ?? '1-0' });
    await outcome(() => list.revokeId('the-token-id', Date.now() / 1000 + 60));
    while (revocations.status().unconfirmed > 0) await new Promise(setImmediate);
    return { id: 'the-token-id' };
  },
  async 'revocation.evictable'(t) {
    await openRevocations(t, { CONFIG: ['maxmemory-policy', 'allkeys-lru'] });
    return { SECRET };
  },
};

/** A list on a server without keys, whose answers are given. */
async function openRevocations(t, answers) {
  const list = new RevocationList();
  const client = emptyServer(answers);
  const key = secretKey();
  const revocations = await RedisRevocations.open({ client, list, key, maxStaleness: 1 });
  t.after(() => revocations.close());
  return { list, revocations };
}
