// A revocation list on a store. The files are in target/, which is on a disk: an fsync must be one.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { JwtIssuer, JwtKey, RevocationList, SecretBuffer, Store } from '@nodesec/native';
import { open as openLmdb } from 'lmdb';

import { ISSUER, seconds, TTL } from '../lib/claims.mjs';
import { measure, median, quantile } from '../lib/measure.mjs';
import { duration, verdict } from '../lib/report.mjs';
import { repeat } from '../lib/work.mjs';
import { besideNoList, ENTRIES } from './revocation.mjs';

const folder = fileURLToPath(new URL('../../target/bench-store', import.meta.url));
const REFUSING = fileURLToPath(new URL('../lib/refusing.mjs', import.meta.url));
/** The store is larger than the list, which rows fill further. */
const LIMITS = { maxEntries: 2 * ENTRIES };
const OPEN_MS = 300;
const REFUSED_MS = 5;
const LOOK_NS = 10;

export const rows = [
  {
    name: 'store: open 1,000,000 entries',
    setting: 'Store.open and new RevocationList, in a process that has closed the store',
    observe: async ({ quick }) => {
      const first = await openFull();
      await first.close();
      const times = [];
      for (let round = 0; round < (quick ? 5 : 21); round += 1) {
        const began = performance.now();
        const store = await openFull();
        const list = listOn(store);
        times.push(performance.now() - began);
        assert.ok(list.size >= ENTRIES);
        // Another row may not have it open.
        assert.equal(store.stats().openers, 1);
        await store.close();
      }
      const ms = median(times);
      return `  ${ms.toFixed(0)} ms, ${verdict(ms <= OPEN_MS, `at most ${OPEN_MS} ms`)}\n`;
    },
  },
  {
    name: 'store: verify HS256 with a durable revocation list of 1,000,000 entries',
    setting: 'as with a list in memory: 10,000 tokens in shuffled order, none revoked',
    atMost: 1.15,
    prepare: async () => besideNoList(listOn(await openFull())),
  },
  ...[
    [1, 0, {}],
    [8, 0, { lmdb: 1.5 }],
    [64, 0, { lmdb: 3 }],
    // lmdb writes a page for each entry when its tree has more leaves than there are callers.
    [64, 100_000, { lmdb: 3 }],
  ].map(([callers, entries, target]) => ({
    name: `store: durable revokes, callers: ${callers}${entries > 0 ? `, entries: ${entries}` : ''}`,
    setting:
      'the time until each caller has revoked once, and waited for the disk; lmdb puts the same ' +
      'ids, with overlappingSync: false: its promise, too, resolves after the disk has answered',
    target,
    prepare: async () => {
      const list = listOn(await openStore(randomUUID()));
      const contestants = [
        { name: '@nodesec/native', operation: revoking(list) },
        { name: 'lmdb', operation: putting() },
      ];
      for (const { operation } of contestants) {
        await concurrently(1000, operation, entries / 1000)(1);
      }
      return contestants.map(({ name, operation }) => {
        return { name, run: concurrently(callers, operation) };
      });
    },
  })),
  {
    name: 'store: durable revokes, 64 callers beside one',
    setting: 'the time of 64 revokes; callers that wait together share an fsync',
    target: { 'one caller': 15 },
    prepare: async () => {
      const list = listOn(await openStore(randomUUID()));
      return [
        { name: '64 callers', run: concurrently(64, revoking(list)) },
        { name: 'one caller', run: concurrently(1, revoking(list), 64) },
      ];
    },
  },
  {
    name: 'store: the time until another process refuses',
    setting: 'it verifies the token without a break; after the promise of the revoke, and its call',
    observe: refusals,
  },
  {
    name: 'store: the look at the epoch',
    setting: 'isRevoked of a list on a store and of one in memory, each with one entry',
    observe: async ({ quick }) => {
      const lists = [listOn(await openStore(randomUUID())), new RevocationList()];
      const claims = { sid: randomUUID() };
      const contestants = lists.map((list) => {
        list.revokeSessionSync(randomUUID(), seconds() + TTL);
        assert.equal(list.isRevoked(claims), false);
        return { name: 'a list', run: repeat(() => list.isRevoked(claims)) };
      });
      const [durable, memory] = await measure(contestants, { quick });
      const ns = median(durable.samples.map((sample, round) => sample - memory.samples[round]));
      const [all, without] = [durable, memory].map(({ samples }) => duration(median(samples)));
      const met = verdict(ns <= LOOK_NS, `at most ${LOOK_NS} ns`);
      return `  ${ns.toFixed(1)} ns, of ${all} beside ${without}, ${met}\n`;
    },
  },
];

function openStore(name, options) {
  mkdirSync(folder, { recursive: true });
  const key = SecretBuffer.from(Buffer.alloc(32, 9));
  return Store.open(path.join(folder, name), { key, ...options });
}

function listOn(store) {
  return new RevocationList({ store, ...LIMITS });
}

let isFull = false;

/** A store with a million entries of all kinds. The first call makes it. */
async function openFull() {
  if (!isFull) {
    rmSync(folder, { recursive: true, force: true });
    const store = await openStore('full', { durability: 'process' });
    await fill(listOn(store));
    await store.close();
    isFull = true;
  }
  return openStore('full');
}

async function fill(list) {
  const later = seconds() + TTL;
  for (let done = 0; done < ENTRIES; done += 40_000) {
    const revocations = [];
    for (let i = done; i < done + 40_000; i += 4) {
      const scope = i % 8 ? { issuer: ISSUER } : undefined;
      revocations.push(
        list.revokeId(randomUUID(), later, scope),
        list.revokeSession(randomUUID(), later, scope),
        list.revokeSubject(`gone-${i}`, undefined, scope),
        list.revokeKey(`old-${i}`),
      );
    }
    await Promise.all(revocations);
  }
  assert.equal(list.size, ENTRIES);
}

function revoking(list) {
  return () => list.revokeSession(randomUUID(), seconds() + TTL);
}

function putting() {
  const database = openLmdb({ path: path.join(folder, randomUUID()), overlappingSync: false });
  return () => database.put(randomUUID(), seconds() + TTL);
}

/** Has callers perform an operation `each` times, n times over; each waits for its own. */
function concurrently(callers, operation, each = 1) {
  return async (n) => {
    const caller = async () => {
      for (let i = 0; i < n * each; i += 1) await operation();
    };
    await Promise.all(Array.from({ length: callers }, caller));
  };
}

async function refusals({ quick }) {
  const name = randomUUID();
  const store = await openStore(name);
  const list = new RevocationList({ store });
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'k1' });
  const issuer = new JwtIssuer({ keys, expiresIn: TTL });
  const other = fork(REFUSING, [path.join(folder, name)]);
  await once(other, 'message');
  const [afterPromise, afterCall] = [[], []];
  for (let round = 0; round < (quick ? 300 : 2000); round += 1) {
    const sid = randomUUID();
    other.send(issuer.sign({ sub: 'u-1', sid }));
    await once(other, 'message');
    const refused = once(other, 'message');
    const called = process.hrtime.bigint();
    await list.revokeSession(sid, seconds() + TTL);
    const done = process.hrtime.bigint();
    const moment = BigInt((await refused)[0]);
    afterCall.push(Number(moment - called));
    afterPromise.push(Math.max(0, Number(moment - done)));
  }
  other.disconnect();
  await store.close();
  const p99 = quantile(afterPromise, 0.99);
  const met = verdict(p99 <= REFUSED_MS * 1e6, `at most ${REFUSED_MS} ms`);
  const halves = [afterPromise, afterCall].map((times) => duration(median(times)));
  return (
    `  after the promise: ${halves[0]}, p99 ${duration(p99)}, ${met}\n` +
    `  after the call:    ${halves[1]}, p99 ${duration(quantile(afterCall, 0.99))}\n`
  );
}
