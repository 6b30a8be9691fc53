// Sessions, in memory and on a store. The files are in target/, which is on a disk: an fsync must
// be one.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { JwtIssuer, JwtKey, RevocationList, SecretBuffer, Sessions, Store } from '@nodesec/native';

import { ISSUER, TTL } from '../lib/claims.mjs';
import { median, quantile } from '../lib/measure.mjs';
import { verdict } from '../lib/report.mjs';

const folder = fileURLToPath(new URL('../../target/bench-sessions', import.meta.url));
const MANY = 100_000;
/** The longest that one turn of the event loop may take, in milliseconds, beside other load. */
const TURN_MS = 1;

const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'k1' });
const issuer = new JwtIssuer({ keys, issuer: ISSUER, expiresIn: TTL });
const CLAIMS = { role: 'admin' };

export const rows = [
  {
    name: 'sessions: refresh in memory',
    setting: 'HS256, each token used once; beside the signature of the access token alone',
    prepare: async () => {
      const sessions = inMemory();
      let { refreshToken } = await sessions.start('u-1', CLAIMS);
      const refresh = async (n) => {
        for (let i = 0; i < n; i += 1) {
          ({ refreshToken } = (await sessions.refresh(refreshToken)).pair);
        }
      };
      const sid = randomUUID();
      const sign = (n) => {
        for (let i = 0; i < n; i += 1) issuer.sign({ ...CLAIMS, sub: 'u-1', sid });
      };
      return [
        { name: '@nodesec/native', run: refresh },
        { name: 'JwtIssuer.sign', limit: true, run: sign },
      ];
    },
  },
  ...[1, 8, 64].map((callers) => ({
    name: `sessions: durable refreshes, callers: ${callers}`,
    setting: 'each caller refreshes its own session without a break, and waits for an fsync',
    observe: ({ quick }) => refreshes(callers, quick ? 1000 : 5000),
  })),
  ...[
    ['in memory', async () => ({ sessions: inMemory(), close() {} })],
    ['on a store', onStore],
  ].map(([place, open]) => ({
    name: `sessions: endAll of ${MANY.toLocaleString('en')}, ${place}`,
    setting: 'sessions of one subject; the longest turn of the event loop meanwhile',
    observe: ({ quick }) => endAll(open, quick ? MANY / 10 : MANY),
  })),
];

function inMemory() {
  return new Sessions({ issuer, revocations: new RevocationList(), ...LIMITS });
}

const LIMITS = { maxSessionsPerSubject: 2 * MANY };

async function onStore(options) {
  mkdirSync(folder, { recursive: true });
  const at = path.join(folder, randomUUID());
  const store = await Store.open(at, { key: SecretBuffer.from(Buffer.alloc(32, 9)), ...options });
  const revocations = new RevocationList({ store });
  const close = async () => {
    await store.close();
    rmSync(at, { recursive: true });
  };
  return { sessions: new Sessions({ issuer, revocations, store, ...LIMITS }), close };
}

async function refreshes(callers, ms) {
  const { sessions, close } = await onStore();
  const state = { count: 0, isOver: false };
  const caller = async (_, at) => {
    let { refreshToken } = await sessions.start(`u-${at}`, CLAIMS);
    while (!state.isOver) {
      const { status, pair } = await sessions.refresh(refreshToken);
      assert.equal(status, 'rotated');
      ({ refreshToken } = pair);
      state.count += 1;
    }
  };
  const all = Promise.all(Array.from({ length: callers }, caller));
  const rates = [];
  for (let slice = 0; slice < 10; slice += 1) {
    const [began, before] = [performance.now(), state.count];
    await sleep(ms / 10);
    rates.push(((state.count - before) * 1000) / (performance.now() - began));
  }
  state.isOver = true;
  await all;
  await close();
  return `  ${Math.round(median(rates)).toLocaleString('en')} refreshes a second\n`;
}

async function endAll(open, count) {
  const { sessions, close } = await open({ durability: 'process' });
  for (let done = 0; done < count; done += 1000) {
    const starts = Array.from({ length: Math.min(1000, count - done) }, () => sessions.start('u-1'));
    await Promise.all(starts);
  }
  let isOver = false;
  const turns = [];
  const turn = (before) => {
    const now = performance.now();
    turns.push(now - before);
    if (!isOver) setImmediate(turn, now);
  };
  const began = performance.now();
  setImmediate(turn, began);
  await sessions.endAll('u-1');
  const ms = performance.now() - began;
  isOver = true;
  assert.deepEqual(await sessions.list('u-1'), []);
  await close();
  const p99 = quantile(turns, 0.99);
  const longest = turns.reduce((one, other) => Math.max(one, other));
  const met = verdict(p99 <= TURN_MS, `p99 at most ${TURN_MS} ms`);
  return (
    `  ${count.toLocaleString('en')} in ${ms.toFixed(0)} ms; turns: median ` +
    `${median(turns).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${met}, longest ${longest.toFixed(1)} ms\n`
  );
}
