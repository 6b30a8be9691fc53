// A process of the row on clusters: two workers share a limiter in the folder that is named, and a
// limiter of rate-limiter-flexible, which asks the primary process by messages. Checks that both
// admit each key exactly its limit, and prints the time of a decision in one worker while the other
// one is busy as well.

import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { join } from 'node:path';

import { RateLimiter } from '@nodesec/native';
import { RateLimiterCluster, RateLimiterClusterMaster } from 'rate-limiter-flexible';

const LIMIT = 1_000_000_000;
const WINDOW_MS = 60_000;
/** Calls of the peer that wait at the same time, as in a busy server. */
const CONCURRENT = 100;
const keys = Array.from({ length: 1000 }, (_, i) => `client:${String(i).padStart(11, '0')}`);

if (cluster.isPrimary) {
  new RateLimiterClusterMaster();
  const workers = [cluster.fork(), cluster.fork()];
  const results = await Promise.all(workers.map(resultOf));
  const admitted = results.reduce((sum, { admitted }) => sum.map((n, i) => n + admitted[i]), [0, 0]);
  assert.deepEqual(admitted, [100 * 7, 100 * 7]);
  const nanos = (name) => Math.max(...results.map((result) => result[name]));
  const line = (name, ns) => `  ${name.padEnd(46)} ${ns.toFixed(0).padStart(9)} ns\n`;
  process.stdout.write(
    line('@nodesec/native, machine', nanos('ours')) +
      line('rate-limiter-flexible (cluster), one at a time', nanos('alone')) +
      line(`rate-limiter-flexible (cluster), ${CONCURRENT} at a time`, nanos('together')),
  );
  for (const worker of workers) worker.kill();
} else {
  const path = (name) => join(process.argv[2], name);
  const ours = (name, limit) => RateLimiter.machine(path(name), { limit, windowMs: WINDOW_MS, maxKeys: 10_000 });
  const theirs = (keyPrefix, points) =>
    new RateLimiterCluster({ keyPrefix, points, duration: WINDOW_MS / 1000, timeoutMs: 60_000 });
  const admitted = [0, 0];
  const [small, peer] = [ours('small', 7), theirs('small', 7)];
  // A window that begins anew would admit more: the calls take far less than a minute.
  for (const key of keys.slice(0, 100)) {
    for (let call = 0; call < 7; call += 1) {
      admitted[0] += Number(small.check(key));
      admitted[1] += await peer.consume(key).then(() => 1, () => 0);
    }
  }
  const [machine, flexible] = [ours('large', LIMIT), theirs('large', LIMIT)];
  const result = {
    admitted,
    ours: await timed(1_000_000, 1000, (key) => machine.check(key)),
    alone: await timed(2000, 1, (key) => flexible.consume(key)),
    together: await timed(20_000, CONCURRENT, (key) => flexible.consume(key)),
  };
  process.send(result);
}

/** The result that a worker sends, among the messages of the peer. */
function resultOf(worker) {
  return new Promise((resolve, reject) => {
    worker.on('exit', () => reject(new Error('a worker ended without a result')));
    worker.on('message', (message) => {
      if (message.admitted !== undefined) resolve(message);
    });
  });
}

/** The nanoseconds of a call, with so many at a time. */
async function timed(calls, atOnce, call) {
  const run = async (count) => {
    for (let at = 0; at < count; at += atOnce) {
      const waiting = [];
      for (let i = at; i < at + atOnce; i += 1) {
        const result = call(keys[i % keys.length]);
        if (result instanceof Promise) waiting.push(result);
      }
      if (waiting.length > 0) await Promise.all(waiting);
    }
  };
  await run(calls / 10);
  const start = process.hrtime.bigint();
  await run(calls);
  return Number(process.hrtime.bigint() - start) / calls;
}
